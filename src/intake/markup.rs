//! The rules of XML 1.0 and Namespaces in XML 1.0 that the event reader leaves to its caller.
//!
//! It reports tags and attributes without asking whether names are names, whether white space stands between attributes
//! or whether the XML declaration is one; a supplier's validator asks, so Brygga does too.

use std::borrow::Cow;

use quick_xml::escape::unescape;
use quick_xml::events::{BytesDecl, BytesRef, BytesStart};

use super::text::is_allowed;
use crate::domain::Code;

/// Takes a declaration of XML 1.0 in UTF-8: version, encoding and standalone, in this order and once each.
///
/// The fifth edition reads every version 1.x as 1.0 (section 2.8).
pub(super) fn check_declaration(declaration: &BytesDecl<'_>) -> Result<(), Code> {
    let content = BytesStart::from_content(&**declaration, "xml".len());
    let mut names = ["version", "encoding", "standalone"].into_iter();
    let mut has_version = false;
    if !is_spaced(content.attributes_raw()) {
        return Err(Code::DecodeSyntax);
    }
    for attribute in content.attributes() {
        let attribute = attribute.map_err(|_| Code::DecodeSyntax)?;
        let value = attribute.value.as_ref();
        match names.find(|name| *name == attribute.key.as_ref()) {
            Some("version") if is_version(value) => has_version = true,
            Some("encoding") if has_version && value.eq_ignore_ascii_case("utf-8") => {}
            Some("encoding") if has_version => return Err(Code::DecodeEncodingDeclaration),
            Some("standalone") if matches!(value, "yes" | "no") => {}
            _ => return Err(Code::DecodeSyntax),
        }
    }
    if has_version { Ok(()) } else { Err(Code::DecodeSyntax) }
}

fn is_version(text: &str) -> bool {
    text.strip_prefix("1.").is_some_and(|minor| !minor.is_empty() && minor.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Whether white space stands between every two attributes.
pub(super) fn is_spaced(attributes: &str) -> bool {
    let (mut quote, mut after_value) = (None, false);
    attributes.bytes().all(|byte| {
        let fits = !after_value || is_space(byte);
        after_value = false;
        match quote {
            Some(open) if open == byte => (quote, after_value) = (None, true),
            None if matches!(byte, b'"' | b'\'') => quote = Some(byte),
            _ => {}
        }
        fits
    })
}

/// Whether a text is white space as XML has it.
pub(super) fn is_blank(text: &str) -> bool {
    text.bytes().all(is_space)
}

const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

/// An attribute's value with its references resolved; no entity but the five predefined ones exists.
pub(super) fn attribute_value(raw: &str) -> Result<Cow<'_, str>, Code> {
    if raw.contains('<') {
        return Err(Code::DecodeSyntax);
    }
    let value = unescape(raw).map_err(|_| Code::DecodeEntity)?;
    if is_allowed(&value) { Ok(value) } else { Err(Code::DecodeNul) }
}

/// Whether a namespace as it is written is the given one: the reader compares before it resolves references.
pub(super) fn is_namespace(raw: &str, namespace: &str) -> bool {
    raw == namespace || (raw.contains('&') && attribute_value(raw).is_ok_and(|value| value == namespace))
}

/// The text that a reference in content stands for.
pub(super) fn reference_text(reference: &BytesRef<'_>) -> Result<String, Code> {
    match reference.resolve_char_ref() {
        Ok(Some(character)) => {
            let text = character.to_string();
            if is_allowed(&text) { Ok(text) } else { Err(Code::DecodeNul) }
        }
        Ok(None) => {
            let text = match &**reference {
                "amp" => "&",
                "lt" => "<",
                "gt" => ">",
                "quot" => "\"",
                "apos" => "'",
                _ => return Err(Code::DecodeEntity),
            };
            Ok(text.to_owned())
        }
        Err(_) => Err(Code::DecodeNul),
    }
}

/// Whether a prefix may be declared: a name without a colon (`NCName`).
pub(super) fn is_prefix(name: &str) -> bool {
    let mut characters = name.chars();
    characters.next().is_some_and(begins_name)
        && characters.all(|c| {
            begins_name(c) || matches!(c, '-' | '.' | '0'..='9' | '\u{b7}' | '\u{300}'..='\u{36f}' | '\u{203f}'..='\u{2040}')
        })
}

/// `NameStartChar` of XML 1.0, fifth edition, without the colon.
const fn begins_name(c: char) -> bool {
    matches!(c,
        'A'..='Z' | '_' | 'a'..='z' | '\u{c0}'..='\u{d6}' | '\u{d8}'..='\u{f6}' | '\u{f8}'..='\u{2ff}' | '\u{370}'..='\u{37d}'
        | '\u{37f}'..='\u{1fff}' | '\u{200c}'..='\u{200d}' | '\u{2070}'..='\u{218f}' | '\u{2c00}'..='\u{2fef}'
        | '\u{3001}'..='\u{d7ff}' | '\u{f900}'..='\u{fdcf}' | '\u{fdf0}'..='\u{fffd}' | '\u{10000}'..='\u{effff}')
}

#[cfg(test)]
mod tests {
    use quick_xml::events::{BytesDecl, BytesStart};

    use super::{attribute_value, check_declaration, is_namespace, is_prefix, is_spaced};
    use crate::domain::Code;

    #[test]
    fn a_declaration_has_its_three_parts_in_order() {
        let check = |text: &str| check_declaration(&BytesDecl::from_start(BytesStart::from_content(text, 3)));
        for good in [
            "xml version='1.0'",
            "xml version = \"1.1\" encoding='UTF-8' ",
            "xml version='1.0' standalone='no'",
            "xml version='1.0' encoding='utf-8' standalone='yes'",
        ] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for bad in [
            "xml",
            "xml encoding='UTF-8'",
            "xml version='2.0'",
            "xml version='1.'",
            "xml version='1.0' standalone='maybe'",
            "xml version='1.0'encoding='UTF-8'",
            "xml version='1.0' standalone='yes' encoding='UTF-8'",
            "xml version='1.0' version='1.0'",
            "xml version='1.0' other='x'",
        ] {
            assert_eq!(check(bad), Err(Code::DecodeSyntax), "{bad}");
        }
        assert_eq!(check("xml version='1.0' encoding='latin1'"), Err(Code::DecodeEncodingDeclaration));
    }

    #[test]
    fn attributes_are_parted_by_white_space() {
        for good in ["", " a='b'", " a='b' c=\"d'e\"\n"] {
            assert!(is_spaced(good), "{good}");
        }
        for bad in [" a='b'c='d'", " a='b''c'", " a='b'/"] {
            assert!(!is_spaced(bad), "{bad}");
        }
    }

    #[test]
    fn a_namespace_is_what_its_references_resolve_to() {
        assert!(is_namespace("urn:&#97;", "urn:a") && is_namespace("urn:a", "urn:a") && !is_namespace("urn:b", "urn:a"));
        assert_eq!(attribute_value("a&b;"), Err(Code::DecodeEntity));
        assert_eq!(attribute_value("a<b"), Err(Code::DecodeSyntax));
        assert_eq!(attribute_value("&#1;"), Err(Code::DecodeNul));
    }

    #[test]
    fn a_prefix_is_a_name_without_colon() {
        assert!(["a", "_", "å-9.b"].into_iter().all(is_prefix));
        assert!(!["", "1", "-a", "a:b", "a+b", "\u{b7}", "×"].into_iter().any(is_prefix));
    }
}
