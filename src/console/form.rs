//! What a form sends, as `application/x-www-form-urlencoded` (WHATWG URL, section 5.1), and the same in a query.

/// The most fields of a form.
const MOST_FIELDS: usize = 32;

/// The fields of a form, in the order in which they were sent.
pub(super) struct Form(Vec<(String, String)>);

impl Form {
    /// Reads a body or a query; `None` where it is not of the form, or has more fields than any of ours.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        if bytes.is_empty() {
            return Some(Self(Vec::new()));
        }
        let parts: Vec<&[u8]> = bytes.split(|byte| *byte == b'&').filter(|part| !part.is_empty()).collect();
        if parts.len() > MOST_FIELDS {
            return None;
        }
        let field = |part: &[u8]| {
            let mut halves = part.splitn(2, |byte| *byte == b'=');
            Some((decoded(halves.next()?)?, decoded(halves.next().unwrap_or_default())?))
        };
        parts.into_iter().map(field).collect::<Option<Vec<_>>>().map(Self)
    }

    /// A field that was sent once; one that was sent twice was not meant.
    pub(super) fn field(&self, name: &str) -> Option<&str> {
        let mut found = self.0.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str());
        let first = found.next()?;
        found.next().is_none().then_some(first)
    }

    /// A field, empty where it was not sent.
    pub(super) fn text(&self, name: &str) -> &str {
        self.field(name).unwrap_or_default()
    }
}

fn decoded(text: &[u8]) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.iter();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => hex(*rest.next()?)? << 4 | hex(*rest.next()?)?,
            other => *other,
        });
    }
    String::from_utf8(bytes).ok()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::Form;

    #[test]
    fn a_form_is_read_as_a_browser_writes_it() {
        let form = Form::read("name=a%2Eb&password=sju+%C3%A4pplen%26%3D&empty=&twice=1&twice=2".as_bytes()).expect("a form");
        assert_eq!((form.text("name"), form.text("password")), ("a.b", "sju äpplen&="));
        assert_eq!((form.field("empty"), form.field("absent"), form.field("twice")), (Some(""), None, None));
        for bad in ["a=%", "a=%4", "a=%zz", "a=%ff", &"a=1&".repeat(33)] {
            assert!(Form::read(bad.as_bytes()).is_none(), "{bad}");
        }
    }
}
