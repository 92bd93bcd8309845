//! What of a person is looked for, in every writing in which a reader would still see it: a personal number with ten and with
//! twelve digits, with and without its sign, and that or a name as hexadecimal digits, base64, UTF-16, a list of bytes, or
//! escaped as in URLs and JSON.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// What is looked for.
pub(crate) struct Forms(BTreeSet<Vec<u8>>);

impl Forms {
    /// Every form of these values; what has ten digits or more is a personal number.
    pub(crate) fn of<'a>(values: impl IntoIterator<Item = &'a String>) -> Self {
        let mut forms = BTreeSet::new();
        for value in values {
            let digits: String = value.chars().filter(char::is_ascii_digit).collect();
            let is_number = digits.len() >= 10 && value.chars().all(|c| c.is_ascii_digit() || "-+".contains(c));
            let written = if is_number { numbers(&digits) } else { vec![value.clone()] };
            for text in written {
                encode(&text, &mut forms);
            }
        }
        Self(forms)
    }

    /// How many of them stand in some bytes.
    pub(crate) fn found_in(&self, bytes: &[u8]) -> usize {
        // A form is found by its first four bytes, so that much text is gone through once.
        let mut beginnings: std::collections::HashMap<&[u8], Vec<&[u8]>> = std::collections::HashMap::new();
        for form in &self.0 {
            beginnings.entry(&form[..4]).or_default().push(form);
        }
        let mut found = BTreeSet::new();
        for (at, window) in bytes.windows(4).enumerate() {
            for form in beginnings.get(window).into_iter().flatten() {
                if bytes[at..].starts_with(form) {
                    found.insert(*form);
                }
            }
        }
        found.len()
    }
}

/// A personal number as people write it.
fn numbers(digits: &str) -> Vec<String> {
    let (before, ten) = digits.split_at(digits.len() - 10);
    let (birth, last) = ten.split_at(6);
    let century = before.split_at(before.len().saturating_sub(2)).1;
    let signs = ["", "-", "+", " ", "%2D", "%2d", "%2B", "%2b", "%20"];
    let mut all: Vec<String> = signs.iter().map(|sign| format!("{birth}{sign}{last}")).collect();
    if !century.is_empty() {
        all.extend(signs.iter().map(|sign| format!("{century}{birth}{sign}{last}")));
    }
    all
}

fn encode(text: &str, forms: &mut BTreeSet<Vec<u8>>) {
    let bytes = text.as_bytes();
    let mut add = |form: String| {
        if form.len() >= 4 {
            forms.insert(form.into_bytes());
        }
    };
    let each = |write: &dyn Fn(u8) -> String| bytes.iter().map(|byte| write(*byte)).collect::<Vec<_>>();
    let letters = |write: &dyn Fn(char) -> String| text.chars().map(write).collect::<Vec<_>>().concat();
    add(text.to_owned());
    add(each(&|byte| format!("{byte:02x}")).concat());
    add(each(&|byte| format!("{byte:02X}")).concat());
    add(each(&|byte| format!("%{byte:02X}")).concat());
    for separator in [", ", ","] {
        add(each(&|byte| byte.to_string()).join(separator));
    }
    add(letters(&|c| if c.is_ascii() { c.to_string() } else { percent(c) }));
    add(letters(&|c| if c.is_ascii() { c.to_string() } else { escape(c) }));
    add(letters(&escape));
    add(text.chars().flat_map(|c| [c, '\0']).collect());
    // Wherever in a longer text it begins, base64 shows the same but at its ends.
    for before in 0..3 {
        let mut shifted = vec![0; before];
        shifted.extend(bytes);
        for code in [STANDARD_NO_PAD.encode(&shifted), URL_SAFE_NO_PAD.encode(&shifted)] {
            let (start, end) = ([0, 2, 3][before], shifted.len() / 3 * 4);
            if end > start + 8 {
                add(code.get(start..end).unwrap_or_default().to_owned());
            }
        }
    }
}

fn escape(c: char) -> String {
    format!("\\u{:04x}", u32::from(c))
}

fn percent(c: char) -> String {
    let mut units = [0; 4];
    c.encode_utf8(&mut units).bytes().map(|byte| format!("%{byte:02X}")).collect::<Vec<_>>().concat()
}

#[test]
fn a_personal_number_is_found_in_every_writing() {
    let forms = Forms::of([&"19990723-2392".to_owned(), &"Åsa Lind".to_owned()]);
    let base64 = STANDARD_NO_PAD.encode("{\"personNumber\":\"199907232392\"}");
    let listed = format!("{:?}", b"990723-2392");
    for text in ["x199907232392x", "990723+2392", "19990723%2D2392", "393930373233", &base64, &listed, "%C3%85sa Lind"] {
        let is_half = text == "393930373233";
        assert_eq!(forms.found_in(text.as_bytes()) > 0, !is_half, "{text}");
    }
    assert!(forms.found_in("\\u00c5sa Lind".as_bytes()) > 0);
    assert_eq!(forms.found_in(b"990723 and 2392, 19990723T2392"), 0);
}
