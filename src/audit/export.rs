//! The export of a chain, which has exactly one byte form: lines of JSON with their keys in one order and nothing between.
//!
//! Whoever reads it writes every line anew and compares: no byte of an export can be changed without being noticed.

use std::collections::HashSet;
use std::io::{BufRead, Write};

use serde::{Deserialize, Serialize};

use super::chain::{Batch, Head, Link};
use super::digest::{Digest, hex, unhex};
use super::record::Record;
use super::verify::{Broken, Chained};

/// The form of an export.
const FORMAT: &str = "brygga-audit-export/1";

/// The first line.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct HeaderLine {
    format: String,
    from: i64,
    to: i64,
    before: String,
}

/// The text of something that is rested on, before the first link that has a row which rests on it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct BasisLine {
    basis: String,
    text: String,
}

/// A link, before its rows.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LinkLine {
    link: i64,
    tx: i64,
    at: i64,
    size: i64,
    digest: String,
    marks: String,
    hash: String,
}

/// A row; what it has not is left out.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RowLine {
    row: i64,
    act: String,
    actor: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    recipient: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    position: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    detail: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    basis: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<String>,
}

/// Why an export cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum ExportFault {
    /// The file system.
    #[error("{0}")]
    Files(#[from] std::io::Error),
    /// A line is not what Brygga writes.
    #[error(
        "line {line} (link {link}, row {row}): an export has another line here: it was changed, removed, inserted or reordered"
    )]
    Line {
        /// The line, from 1.
        line: usize,
        /// The link in which it stands; 0 before the first.
        link: i64,
        /// The row of the link at which it stands.
        row: usize,
    },
    /// The chain.
    #[error(transparent)]
    Broken(#[from] Broken),
    /// There are no such links.
    #[error("the chain has no links in that range")]
    Nothing,
}

/// Writes an export, link by link.
#[derive(Debug)]
pub struct Exporter<W> {
    out: W,
    told: HashSet<Vec<u8>>,
}

impl<W: Write> Exporter<W> {
    /// Begins an export of the links from `from` to `to`, after the link `before`.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn begin(mut out: W, before: Head, to: i64) -> Result<Self, ExportFault> {
        let (from, before) = (before.number.saturating_add(1), before.hash.to_hex());
        if to < from {
            return Err(ExportFault::Nothing);
        }
        write_line(&mut out, &HeaderLine { format: FORMAT.to_owned(), from, to, before })?;
        Ok(Self { out, told: HashSet::new() })
    }

    /// Writes a link with its rows, and before it the texts that are rested on for the first time.
    ///
    /// # Errors
    /// Where it cannot be written, or a text is missing.
    pub fn write(&mut self, chained: &Chained) -> Result<(), ExportFault> {
        let link = &chained.link;
        for (place, (_, row)) in (0_usize..).zip(&chained.rows) {
            let Some(basis) = &row.basis else { continue };
            if self.told.insert(basis.clone()) {
                let text = chained.bases.iter().find(|(digest, _)| digest == basis).map(|(_, text)| text.clone());
                let text = text.ok_or(Broken::Basis(link.number, place))?;
                write_line(&mut self.out, &BasisLine { basis: hex(basis), text })?;
            }
        }
        let batch = &link.batch;
        write_line(
            &mut self.out,
            &LinkLine {
                link: link.number,
                tx: link.tx,
                at: link.at,
                size: batch.size,
                digest: batch.digest.to_hex(),
                marks: hex(&batch.marks),
                hash: link.hash.to_hex(),
            },
        )?;
        for (place, row) in &chained.rows {
            write_line(&mut self.out, &row_line(*place, row.clone()))?;
        }
        Ok(())
    }

    /// Ends it.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn end(mut self) -> Result<(), ExportFault> {
        Ok(self.out.flush()?)
    }
}

fn row_line(place: i64, row: Record) -> RowLine {
    RowLine {
        row: place,
        act: row.act,
        actor: row.actor,
        message: row.message,
        recipient: row.recipient,
        position: row.position,
        code: row.code,
        reason: row.reason,
        detail: row.detail,
        basis: row.basis.as_deref().map(hex),
        content: row.content.as_deref().map(hex),
    }
}

fn write_line(out: &mut impl Write, line: &impl Serialize) -> Result<(), ExportFault> {
    let text = serde_json::to_string(line).map_err(std::io::Error::other)?;
    Ok(writeln!(out, "{text}")?)
}

/// Reads an export, link by link.
#[derive(Debug)]
pub struct ExportReader<R> {
    from: R,
    /// The last line that was read, from 1.
    line: usize,
    /// A line that was read and belongs to the next link.
    ahead: Option<String>,
    told: HashSet<Vec<u8>>,
    texts: Vec<(Vec<u8>, String)>,
    before: Head,
    to: i64,
    at: i64,
    row: usize,
    /// What is wrong with the texts before the last link: told only when its rows have been looked at.
    misplaced: Option<ExportFault>,
}

impl<R: BufRead> ExportReader<R> {
    /// Reads the first line.
    ///
    /// # Errors
    /// Where it is no export.
    pub fn begin(from: R) -> Result<Self, ExportFault> {
        let nothing = super::NOTHING;
        let mut reader = Self {
            from,
            line: 0,
            ahead: None,
            told: HashSet::new(),
            texts: Vec::new(),
            before: nothing,
            to: 0,
            at: 0,
            row: 0,
            misplaced: None,
        };
        let text = reader.next()?.ok_or(ExportFault::Line { line: 1, link: 0, row: 0 })?;
        let header: HeaderLine = reader.parse(&text)?;
        let hash = Digest::from_hex(&header.before).ok_or_else(|| reader.fault())?;
        let is_first = header.from == 1;
        if header.format != FORMAT || header.from < 1 || header.to < header.from || (is_first && hash != nothing.hash) {
            return Err(reader.fault());
        }
        reader.before = Head { number: header.from - 1, hash };
        (reader.to, reader.at) = (header.to, header.from - 1);
        Ok(reader)
    }

    /// The link before the first, as the export says.
    #[must_use]
    pub const fn before(&self) -> Head {
        self.before
    }

    /// The next link; `None` where the export ends, as it must, with the last one.
    ///
    /// # Errors
    /// A line that is not what an export has there.
    pub fn link(&mut self) -> Result<Option<Chained>, ExportFault> {
        if let Some(fault) = self.misplaced.take() {
            return Err(fault);
        }
        let mut new = Vec::new();
        let link = loop {
            let Some(text) = self.next()? else {
                return if self.at == self.to && new.is_empty() { Ok(None) } else { Err(self.missing()) };
            };
            if !text.starts_with("{\"basis\"") {
                break self.parse::<LinkLine>(&text)?;
            }
            let line: BasisLine = self.parse(&text)?;
            let digest = unhex(&line.basis).ok_or_else(|| self.fault())?;
            if !self.told.insert(digest.clone()) {
                return Err(self.fault());
            }
            new.push(digest.clone());
            self.texts.push((digest, line.text));
        };
        if link.link > self.to {
            return Err(self.fault());
        }
        (self.at, self.row) = (link.link, 0);
        let (digest, hash) = (Digest::from_hex(&link.digest), Digest::from_hex(&link.hash));
        let (Some(digest), Some(hash), Some(marks)) = (digest, hash, unhex(&link.marks)) else { return Err(self.fault()) };
        let batch = Batch { size: link.size, digest, marks };
        let link = Link { number: link.link, tx: link.tx, at: link.at, batch, hash };
        let rows = self.rows()?;
        let mut rested_on: Vec<&Vec<u8>> = Vec::new();
        for basis in rows.iter().filter_map(|(_, row): &(i64, Record)| row.basis.as_ref()) {
            if new.contains(basis) && !rested_on.contains(&basis) {
                rested_on.push(basis);
            }
        }
        // Each text stands before the first link that needs it, in the order of its rows.
        if !new.iter().eq(rested_on) {
            self.misplaced = Some(self.fault());
        }
        let needed = |digest: &Vec<u8>| rows.iter().any(|(_, row)| row.basis.as_ref() == Some(digest));
        let bases = self.texts.iter().filter(|(digest, _)| needed(digest)).cloned().collect();
        Ok(Some(Chained { link, rows, bases }))
    }

    fn rows(&mut self) -> Result<Vec<(i64, Record)>, ExportFault> {
        let mut rows = Vec::new();
        while let Some(text) = self.next()? {
            if !text.starts_with("{\"row\"") {
                self.ahead = Some(text);
                self.line -= 1;
                break;
            }
            let line: RowLine = self.parse(&text)?;
            let digest = |text: Option<String>| text.map(|text| unhex(&text).ok_or(())).transpose();
            let (Ok(basis), Ok(content)) = (digest(line.basis), digest(line.content)) else { return Err(self.fault()) };
            let row = Record {
                act: line.act,
                actor: line.actor,
                message: line.message,
                recipient: line.recipient,
                position: line.position,
                code: line.code,
                reason: line.reason,
                detail: line.detail,
                basis,
                content,
            };
            rows.push((line.row, row));
            self.row = rows.len();
        }
        Ok(rows)
    }

    /// The next line, without its end.
    fn next(&mut self) -> Result<Option<String>, ExportFault> {
        self.line += 1;
        if let Some(ahead) = self.ahead.take() {
            return Ok(Some(ahead));
        }
        let mut bytes = Vec::new();
        if self.from.read_until(b'\n', &mut bytes)? == 0 {
            return Ok(None);
        }
        // The last line has an end too.
        let Some((b'\n', line)) = bytes.split_last() else { return Err(self.fault()) };
        String::from_utf8(line.to_vec()).map(Some).map_err(|_| self.fault())
    }

    /// Reads a line, and writes it anew: it must be the same.
    fn parse<T: Serialize + for<'a> Deserialize<'a>>(&self, text: &str) -> Result<T, ExportFault> {
        let line: T = serde_json::from_str(text).map_err(|_| self.fault())?;
        match serde_json::to_string(&line) {
            Ok(again) if again == text => Ok(line),
            _ => Err(self.fault()),
        }
    }

    const fn fault(&self) -> ExportFault {
        ExportFault::Line { line: self.line, link: self.at, row: self.row }
    }

    /// The export ends before its last link.
    const fn missing(&self) -> ExportFault {
        ExportFault::Broken(Broken::LinkRemoved(self.at.saturating_add(1)))
    }
}
