//! The elements of a well-formed sample, by the places of their tags, and what the contract has at each.

use std::ops::Range;

use brygga::domain::{Outline, Shape};

/// An element of a well-formed document, by the places of its tags.
#[derive(Debug, Clone)]
pub(super) struct Element {
    pub(super) path: Vec<String>,
    pub(super) open: Range<usize>,
    pub(super) close: Range<usize>,
}

impl Element {
    pub(super) fn whole(&self) -> Range<usize> {
        self.open.start..self.close.end
    }

    pub(super) fn inner(&self) -> Range<usize> {
        self.open.end..self.close.start
    }
}

/// The elements of a sample in document order. Samples have no `>` in attributes and no empty-element tags.
pub(super) fn elements(xml: &str) -> Vec<Element> {
    let (mut found, mut open, mut at): (Vec<Element>, Vec<usize>, usize) = (Vec::new(), Vec::new(), 0);
    while let Some(start) = xml[at..].find('<').map(|found| at + found) {
        let until = |mark: &str| start + xml[start..].find(mark).expect("a well-formed sample") + mark.len();
        let rest = &xml[start..];
        at = if rest.starts_with("<!--") {
            until("-->")
        } else if rest.starts_with("<![CDATA[") {
            until("]]>")
        } else {
            until(">")
        };
        if rest.starts_with("</") {
            found[open.pop().expect("balanced tags")].close = start..at;
        } else if !rest.starts_with("<!") && !rest.starts_with("<?") {
            let name = rest[1..].split([' ', '\n', '>']).next().unwrap_or_default();
            let local = name.split_once(':').map_or(name, |(_, local)| local);
            let mut path: Vec<String> = open.last().map_or_else(Vec::new, |parent| found[*parent].path.clone());
            path.push(local.to_owned());
            open.push(found.len());
            found.push(Element { path, open: start..at, close: 0..0 });
        }
    }
    found
}

/// What stands at a path of element names, the root's first.
pub(super) fn shape_at<'a>(outline: &'a Outline, path: &[String]) -> Option<&'a Shape> {
    let (first, rest) = path.get(1..)?.split_first()?;
    rest.iter().try_fold(&outline.shape.field(first)?.1.shape, |shape, name| match shape {
        Shape::Object(object) => object.field(name).map(|(_, field)| &field.shape),
        Shape::List(list) => Some(&*list.item),
        Shape::Leaf(_) => None,
    })
}
