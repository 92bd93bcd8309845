//! Where in a JSON text the value of a pointer begins: parsers give values without lines, and a flaw needs one.

use std::collections::HashMap;

/// Lines, from 1, by JSON pointer (RFC 6901, without its escapes: contract names need none).
pub(super) struct Lines {
    found: HashMap<String, usize>,
    /// Lines of keys that stand twice in one object: a parser keeps the last and says nothing.
    pub(super) twice: Vec<usize>,
}

impl Lines {
    /// Reads a JSON text that is known to be well-formed.
    pub(super) fn of(text: &str) -> Self {
        let mut scan = Scan { bytes: text.as_bytes(), at: 0, line: 1, found: HashMap::new(), twice: Vec::new() };
        scan.value("");
        Self { found: scan.found, twice: scan.twice }
    }

    /// The line of a pointer, or of the nearest value around it.
    pub(super) fn line(&self, pointer: &str) -> usize {
        let mut pointer = pointer;
        loop {
            if let Some(line) = self.found.get(pointer) {
                return *line;
            }
            match pointer.rsplit_once('/') {
                Some((outer, _)) => pointer = outer,
                None => return 1,
            }
        }
    }
}

struct Scan<'a> {
    bytes: &'a [u8],
    at: usize,
    line: usize,
    found: HashMap<String, usize>,
    twice: Vec<usize>,
}

impl Scan<'_> {
    fn peek(&mut self) -> Option<u8> {
        while let Some(byte) = self.bytes.get(self.at).copied() {
            match byte {
                b'\n' => self.line += 1,
                b' ' | b'\t' | b'\r' | b',' | b':' => {}
                _ => return Some(byte),
            }
            self.at += 1;
        }
        None
    }

    fn value(&mut self, pointer: &str) {
        let Some(byte) = self.peek() else { return };
        if self.found.insert(pointer.to_owned(), self.line).is_some() {
            self.twice.push(self.line);
        }
        match byte {
            b'{' => self.members(pointer, b'}', |scan, _| scan.text()),
            b'[' => self.members(pointer, b']', |_, index| index.to_string()),
            b'"' => drop(self.text()),
            _ => {
                while self.bytes.get(self.at).is_some_and(|b| !matches!(b, b',' | b'}' | b']' | b'\n' | b' ')) {
                    self.at += 1;
                }
            }
        }
    }

    fn members(&mut self, pointer: &str, close: u8, name: impl Fn(&mut Self, usize) -> String) {
        self.at += 1;
        let mut index = 0;
        while let Some(byte) = self.peek() {
            if byte == close {
                self.at += 1;
                return;
            }
            let step = name(self, index);
            self.value(&format!("{pointer}/{step}"));
            index += 1;
        }
    }

    fn text(&mut self) -> String {
        self.at += 1;
        let start = self.at;
        while let Some(byte) = self.bytes.get(self.at) {
            match byte {
                b'"' => break,
                b'\\' => self.at += 2,
                _ => self.at += 1,
            }
        }
        let text = self.bytes.get(start..self.at).map(|part| String::from_utf8_lossy(part).into_owned());
        self.at += 1;
        text.unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::Lines;

    #[test]
    fn each_value_is_found_on_its_line() {
        let lines = Lines::of("{\n \"a\": { \"b\": [1,\n 2] },\n \"c\": \"x\\\"\\n\"\n}");
        assert_eq!((lines.line("/a"), lines.line("/a/b/1"), lines.line("/c"), lines.line("/c/none")), (2, 3, 4, 4));
    }
}
