//! Bytes become text: UTF-8 and nothing else, without characters that XML cannot carry.

use crate::domain::{Code, Syntax};

/// Takes UTF-8, with or without a byte order mark.
///
/// Both syntaxes take the same characters, so that a document can be written in either: those of XML 1.0 (section 2.2).
pub(super) fn utf8(bytes: &[u8], syntax: Syntax) -> Result<&str, Code> {
    if looks_like_utf16(bytes) {
        return Err(Code::DecodeUtf16);
    }
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        // A character that is cut at the very end is a cut message, not a wrong encoding.
        Err(error) if error.error_len().is_none() => return Err(Code::DecodeTruncated),
        Err(_) => return Err(Code::DecodeNotUtf8),
    };
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.bytes().all(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n')) {
        return Err(Code::DecodeEmpty);
    }
    let raw_control = text.bytes().any(|byte| byte < 0x20 && !matches!(byte, b'\t' | b'\r' | b'\n'));
    if raw_control || (syntax == Syntax::Xml && !text.is_ascii() && !is_allowed(text)) {
        return Err(Code::DecodeNul);
    }
    Ok(text)
}

/// Whether a text holds only characters that XML 1.0 allows (section 2.2).
pub(super) fn is_allowed(text: &str) -> bool {
    // Most texts have neither control characters nor anything at the end of a plane, and need no second look.
    if text.bytes().all(|byte| (byte >= b' ' || matches!(byte, b'\t' | b'\n' | b'\r')) && byte != 0xef) {
        return true;
    }
    text.chars().all(|c| match c {
        '\t' | '\n' | '\r' => true,
        c if c < ' ' => false,
        '\u{fffe}' | '\u{ffff}' => false,
        _ => true,
    })
}

/// A UTF-16 or UTF-32 byte order mark, or the NUL beside `<` or `{` that these encodings have without one.
fn looks_like_utf16(bytes: &[u8]) -> bool {
    let marked = matches!(bytes, [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [0, 0, 0xfe, 0xff, ..]);
    marked || matches!(bytes, [0, b'<' | b'{' | b'[', ..] | [b'<' | b'{' | b'[', 0, ..] | [0, 0, 0, b'<' | b'{', ..])
}

#[cfg(test)]
mod tests {
    use super::utf8;
    use crate::domain::{Code, Syntax};

    #[test]
    fn each_kind_of_wrong_bytes_has_its_own_code() {
        let utf16: Vec<u8> = "<a/>".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let cases: [(&[u8], Code); 7] = [
            (b"", Code::DecodeEmpty),
            (b" \r\n", Code::DecodeEmpty),
            (b"{\"a\":\"\xff\"}", Code::DecodeNotUtf8),
            (b"{\"a\":\"\xc3", Code::DecodeTruncated),
            (b"{\"a\":\"\0\"}", Code::DecodeNul),
            (&utf16, Code::DecodeUtf16),
            (b"\xff\xfe<\0", Code::DecodeUtf16),
        ];
        for (bytes, code) in cases {
            assert_eq!(utf8(bytes, Syntax::Json), Err(code));
        }
        assert_eq!(utf8("\u{feff}{}".as_bytes(), Syntax::Json), Ok("{}"), "a UTF-8 byte order mark is taken");
    }
}
