//! Seeded mutations of a good XML sample: values at and beyond their limits, parts moved and markup misused.

use std::fmt;
use std::ops::Range;

use brygga::domain::{Outline, Shape};

use super::elements::{Element, elements, shape_at};
use super::samples::Sample;
use super::tables::{ATTRIBUTES, CHARACTERS, DEEP, PROLOGS, SNIPPETS};
use super::values;

/// A changed document and what was changed.
pub(super) struct Mutant {
    pub(super) bytes: Vec<u8>,
    what: String,
}

impl fmt::Display for Mutant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = String::from_utf8_lossy(&self.bytes);
        write!(f, "{}\n{}", self.what, text.chars().take(6000).collect::<String>())
    }
}

/// xorshift64*, seeded by a name: the same mutants in every run.
pub(super) struct Random(u64);

impl Random {
    /// Starts from a hash (FNV-1a) of the name.
    pub(super) fn seeded(name: &str) -> Self {
        let hash = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        Self(name.bytes().fold(0xcbf2_9ce4_8422_2325, hash) | 1)
    }

    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let high = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(high).expect("31 bits") % limit.max(1)
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }
}

/// A sample, its elements, and the mutants so far.
struct Bench<'a> {
    xml: &'a str,
    elements: Vec<Element>,
    leaves: Vec<Element>,
    random: &'a mut Random,
    name: String,
    mutants: Vec<Mutant>,
}

/// Every mutant of a sample.
pub(super) fn mutants(sample: &Sample<'_>, random: &mut Random) -> Vec<Mutant> {
    let elements = elements(&sample.xml);
    let outline = sample.contract.outline();
    let is_leaf = |element: &&Element| matches!(shape_at(outline, &element.path), Some(Shape::Leaf(_)));
    let leaves = elements.iter().filter(is_leaf).cloned().collect();
    let mut bench = Bench { xml: &sample.xml, elements, leaves, random, name: sample.to_string(), mutants: Vec::new() };
    bench.values(outline);
    bench.structure();
    bench.snippets();
    bench.attributes();
    bench.documents();
    bench.noise();
    // One in four, so that the test takes seconds; what one sample leaves out, others have.
    let Bench { random, mutants, .. } = &mut bench;
    mutants.retain(|_| random.below(4) == 0);
    bench.lists(outline);
    bench.add("nothing changed", sample.xml.clone());
    bench.mutants
}

impl Bench<'_> {
    fn add(&mut self, what: &str, xml: impl Into<Vec<u8>>) {
        self.mutants.push(Mutant { bytes: xml.into(), what: format!("{}: {what}", self.name) });
    }

    fn replaced(&self, range: Range<usize>, with: &str) -> String {
        format!("{}{with}{}", &self.xml[..range.start], &self.xml[range.end..])
    }

    fn place(&mut self, range: Range<usize>) -> usize {
        let places: Vec<usize> = range.clone().filter(|at| self.xml.is_char_boundary(*at)).collect();
        if places.is_empty() { range.start } else { *self.random.pick(&places) }
    }

    /// The first leaf of each path takes every value that says something about its kind.
    fn values(&mut self, outline: &Outline) {
        let mut seen: Vec<Vec<String>> = Vec::new();
        for element in self.leaves.clone() {
            let Some(Shape::Leaf(leaf)) = shape_at(outline, &element.path) else { continue };
            if seen.contains(&element.path) {
                continue;
            }
            let now = self.xml[element.inner()].to_owned();
            for value in values::of(&leaf.kind, &now) {
                let what = format!("{} becomes {value:.80?}", element.path.join("/"));
                self.add(&what, self.replaced(element.inner(), &value));
            }
            seen.push(element.path);
        }
    }

    /// Lists have as many items as they may have, one fewer and one more.
    fn lists(&mut self, outline: &Outline) {
        for element in self.elements.clone() {
            let Some(Shape::List(list)) = shape_at(outline, &element.path) else { continue };
            let is_item = |it: &&Element| element.inner().contains(&it.open.start) && it.path.len() == element.path.len() + 1;
            let item = self.elements.iter().find(is_item).map_or("", |item| &self.xml[item.whole()]).to_owned();
            for count in [list.min.saturating_sub(1), list.min, list.max - 1, list.max, list.max + 1] {
                let items = item.repeat(usize::try_from(count).expect("a bounded list"));
                self.add(&format!("{} with {count} items", element.path.join("/")), self.replaced(element.inner(), &items));
            }
        }
    }

    /// Elements are dropped, doubled, renamed, moved and emptied.
    fn structure(&mut self) {
        for index in 1..self.elements.len() {
            let (element, other) = (self.elements[index].clone(), self.random.pick(&self.elements[1..]).clone());
            let name = element.path.join("/");
            let (whole, moved) = (self.xml[element.whole()].to_owned(), self.xml[other.whole()].to_owned());
            self.add(&format!("{name} dropped"), self.replaced(element.whole(), ""));
            self.add(&format!("{name} doubled"), self.replaced(element.whole(), &whole.repeat(2)));
            self.add(&format!("{name} emptied"), self.replaced(element.inner(), ""));
            let tag = self.xml[element.open.clone()].trim_end_matches('>').trim_end();
            self.add(&format!("{name} made empty"), self.replaced(element.whole(), &format!("{tag}/>")));
            self.add(&format!("{name} replaced by {}", other.path.join("/")), self.replaced(element.whole(), &moved));
            self.add(
                &format!("{name} followed by {}", other.path.join("/")),
                self.replaced(element.close.end..element.close.end, &moved),
            );
            for renamed in [whole.replace("From", "from"), whole.to_uppercase(), rename(&whole, "x"), rename(&whole, "-9.å")] {
                self.add(&format!("{name} renamed"), self.replaced(element.whole(), &renamed));
            }
            self.add(&format!("{name} ends oddly"), self.replaced(element.close.clone(), &self.xml[other.close.clone()]));
            self.add(&format!("{name} not ended"), self.replaced(element.close.clone(), ""));
            self.add(&format!("{name} not begun"), self.replaced(element.open.clone(), ""));
            let end = &self.xml[element.close.clone()];
            for end in [
                end.replace('>', " \n>"),
                end.replace("</", "</ "),
                end.replace('>', " x>"),
                end.replace('>', "/>"),
                end.replace('>', ""),
            ] {
                self.add(&format!("{name} ends with {end:?}"), self.replaced(element.close.clone(), &end));
            }
            let siblings: Vec<Element> = self.siblings(&element);
            let sibling = self.random.pick(&siblings).clone();
            if sibling.open.start > element.open.start {
                let between = &self.xml[element.close.end..sibling.open.start];
                let swapped = format!("{}{between}{whole}", &self.xml[sibling.whole()]);
                self.add(&format!("{name} swapped"), self.replaced(element.open.start..sibling.close.end, &swapped));
            }
        }
    }

    fn siblings(&self, element: &Element) -> Vec<Element> {
        let parent = self.elements.iter().rfind(|it| it.open.end <= element.open.start && it.close.start >= element.close.end);
        let range = parent.map_or(0..self.xml.len(), Element::inner);
        let depth = element.path.len();
        let is_sibling = |it: &&Element| it.path.len() == depth && range.contains(&it.open.start);
        self.elements.iter().filter(is_sibling).cloned().collect()
    }

    /// Every snippet stands inside a value, between elements, before, after, and anywhere.
    fn snippets(&mut self) {
        for snippet in SNIPPETS.iter().copied().chain([DEEP.concat().as_str()]) {
            let (leaf, element) = (self.random.pick(&self.leaves).clone(), self.random.pick(&self.elements).clone());
            let places = [
                self.place(leaf.inner()),
                leaf.open.end,
                leaf.close.start,
                leaf.open.start,
                element.close.end,
                self.elements[0].open.end,
                self.elements[0].open.start,
                self.elements[0].close.end,
                self.place(0..self.xml.len()),
                0,
            ];
            for at in places {
                self.add(&format!("{snippet:.40?} inserted at {at}"), self.replaced(at..at, snippet));
            }
            self.add(&format!("{snippet:.40?} for {}", leaf.path.join("/")), self.replaced(leaf.inner(), snippet));
        }
        for leaf in self.leaves.clone() {
            let value = &self.xml[leaf.inner()];
            let cdata = format!("<![CDATA[{value}]]>");
            let references: Vec<String> = value.chars().map(|c| format!("&#{};", u32::from(c))).collect();
            let hexadecimal: Vec<String> = value.chars().map(|c| format!("&#x{:x};", u32::from(c))).collect();
            let written =
                [("CDATA", cdata), ("references", references.concat()), ("hexadecimal references", hexadecimal.concat())];
            for (what, with) in written {
                self.add(&format!("{} as {what}", leaf.path.join("/")), self.replaced(leaf.inner(), &with));
            }
        }
    }

    /// Every attribute stands on the root, on a leaf and on some element.
    fn attributes(&mut self) {
        let namespace = "http://www.w3.org/2001/XMLSchema-instance";
        for attribute in ATTRIBUTES {
            let attribute = attribute.replace("INSTANCE", namespace);
            let (leaf, element) = (self.random.pick(&self.leaves).clone(), self.random.pick(&self.elements).clone());
            for element in [self.elements[0].clone(), leaf, element] {
                let at = element.open.end - 1;
                self.add(&format!("{attribute:?} on {}", element.path.join("/")), self.replaced(at..at, &attribute));
            }
        }
        let many: Vec<String> = (0..40).map(|count| format!(" xmlns:n{count}=\"urn:example\"")).collect();
        let at = self.elements[0].open.end - 1;
        self.add("forty namespaces", self.replaced(at..at, &many.concat()));
    }

    /// What holds for a document as a whole: its declaration, its encoding, its namespace, its line ends.
    fn documents(&mut self) {
        let body = self.xml[self.elements[0].open.start..].to_owned();
        for prolog in PROLOGS {
            self.add(&format!("it begins with {prolog:?}"), format!("{prolog}{body}"));
        }
        let namespace = body.split(['"', '\'']).find(|part| part.starts_with("urn:brygga:")).expect("a namespace").to_owned();
        for other in [
            String::new(),
            namespace.to_uppercase(),
            namespace.replace(":v1", ":v2"),
            format!("{namespace} "),
            format!(" {namespace}"),
            namespace.replace("brygga", "brygg&#97;"),
            namespace.replace("brygga", "brygg&#x61;"),
            namespace.replace(':', "&colon;"),
            namespace.replace("brygga", "br<ygga"),
            namespace.replace("brygga", "br&ygga"),
        ] {
            self.add(&format!("the namespace {other:?}"), self.xml.replacen(&namespace, &other, 1));
        }
        self.add("no namespace", self.xml.replacen("xmlns", "xmlnt", 1));
        for prefix in ["p", "_", "å.-9", "xml", "xmlns", "xmlfoo", "1", "-a", "", "a:b", "p\u{b7}", "\u{b7}p", "a+b", "×"] {
            let prefixed = with_prefix(&body, &namespace, prefix);
            self.add(&format!("all with the prefix {prefix:?}"), prefixed);
        }
        self.add("CRLF", self.xml.replace('\n', "\r\n"));
        self.add("CR", self.xml.replace('\n', "\r"));
        self.add("twice", self.xml.repeat(2));
        self.add("the body twice", format!("{body}{body}"));
        self.add("a huge comment", format!("{}<!--{}-->", self.xml, " ".repeat(1024 * 1024)));
        self.add(
            "UTF-16",
            body.encode_utf16().fold(vec![0xff, 0xfe], |mut bytes, unit| {
                bytes.extend(unit.to_le_bytes());
                bytes
            }),
        );
        let latin: Vec<u8> = body.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')).collect();
        self.add("Latin-1 that says so", [&b"<?xml version='1.0' encoding='ISO-8859-1'?>"[..], &latin].concat());
        self.add("Latin-1 that does not", latin);
    }

    /// Characters are cut, lost, doubled, replaced and added.
    fn noise(&mut self) {
        for _ in 0..60 {
            let (at, length) = (self.place(0..self.xml.len()), 1 + self.random.below(3));
            let end = (at..=self.xml.len()).filter(|end| self.xml.is_char_boundary(*end)).nth(length).unwrap_or(self.xml.len());
            let character = *self.random.pick(CHARACTERS);
            let some = self.xml[at..end].to_owned();
            self.add(&format!("cut at {at}"), &self.xml[..at]);
            self.add(&format!("{some:?} lost at {at}"), self.replaced(at..end, ""));
            self.add(&format!("{some:?} doubled at {at}"), self.replaced(at..at, &some));
            self.add(&format!("{character:?} at {at}"), self.replaced(at..at, &character.to_string()));
            self.add(&format!("{character:?} for {some:?} at {at}"), self.replaced(at..end, &character.to_string()));
            let mut bytes = self.xml.as_bytes().to_vec();
            let byte = self.random.below(bytes.len());
            bytes[byte] ^= 1 << self.random.below(8);
            self.add(&format!("a bit turned in byte {byte}"), bytes);
        }
    }
}

/// The element with another name in both its tags.
fn rename(whole: &str, suffix: &str) -> String {
    let name = whole[1..].split([' ', '\n', '>']).next().unwrap_or_default();
    let end = whole.rfind(name).expect("an end tag");
    format!("<{name}{suffix}{}{name}{suffix}{}", &whole[1 + name.len()..end], &whole[end + name.len()..])
}

/// The document with one prefix for its default namespace.
fn with_prefix(body: &str, namespace: &str, prefix: &str) -> String {
    let default = format!("xmlns=\"{namespace}\"");
    if !body.contains(&default) {
        return body
            .replace("ar:", &format!("{prefix}:"))
            .replace("c:", &format!("{prefix}:"))
            .replace("s:", &format!("{prefix}:"));
    }
    let hidden = body.replace("</", "\u{1}").replace("<!", "\u{2}");
    let prefixed = hidden.replace('<', &format!("<{prefix}:")).replace('\u{1}', &format!("</{prefix}:")).replace('\u{2}', "<!");
    prefixed.replace(&default, &format!("xmlns:{prefix}=\"{namespace}\""))
}
