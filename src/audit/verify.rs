//! Follows a chain from link to link and names the first row that was changed, removed, inserted or reordered.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::chain::{Batch, Head, Link, MARK};
use super::checkpoint::Checkpoint;
use super::digest::Digest;
use super::record::{BasisDigest, Record};
use crate::store::AuditAct;

/// A link with what hangs on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chained {
    /// The link.
    pub link: Link,
    /// Its rows, each with the place that it says it has.
    pub rows: Vec<(i64, Record)>,
    /// Texts that its rows rest on, by the digests under which they are kept.
    pub bases: Vec<(Vec<u8>, String)>,
}

impl Chained {
    /// Links, each without anything so far, with the rows and the texts that were read for them: a row with the number of its
    /// link and the place that it says it has, a text under its digest.
    #[must_use]
    pub fn joined(links: Vec<Link>, rows: Vec<(i64, i64, Record)>, texts: &HashMap<Vec<u8>, String>) -> Vec<Self> {
        let mut chained: Vec<Self> = links.into_iter().map(|link| Self { link, rows: Vec::new(), bases: Vec::new() }).collect();
        for (number, place, record) in rows {
            if let Some(of) = chained.iter_mut().find(|one| one.link.number == number) {
                of.rows.push((place, record));
            }
        }
        for one in &mut chained {
            let needed: BTreeSet<&Vec<u8>> = one.rows.iter().filter_map(|(_, row)| row.basis.as_ref()).collect();
            one.bases = needed.into_iter().filter_map(|digest| Some((digest.clone(), texts.get(digest)?.clone()))).collect();
        }
        chained
    }
}

/// What is wrong with a chain: the first of all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// A row is not what was written.
    #[error("link {0}, row {1}: the row was changed")]
    RowChanged(i64, usize),
    /// A row is missing.
    #[error("link {0}, row {1}: a row was removed here")]
    RowRemoved(i64, usize),
    /// There is a row too many.
    #[error("link {0}, row {1}: a row was inserted here")]
    RowInserted(i64, usize),
    /// Rows are not in the order in which they were written.
    #[error("link {0}, row {1}: rows were reordered from here on")]
    RowsReordered(i64, usize),
    /// All rows of a link are gone, and no retention has removed them.
    #[error("link {0}, row 0: all rows of the link were removed, and no proof of retention covers them")]
    RowsGone(i64),
    /// What a row rests on is not what was written.
    #[error("link {0}, row {1}: the text that the row rests on was changed or removed")]
    Basis(i64, usize),
    /// A link is not what follows from the one before it.
    #[error("link {0}: the link was changed, or does not follow from the one before it")]
    LinkChanged(i64),
    /// Links are missing.
    #[error("link {0}: links were removed from here on")]
    LinkRemoved(i64),
    /// A link stands where another should.
    #[error("link {0}: the link was inserted, repeated or reordered")]
    LinkInserted(i64),
    /// A checkpoint says another hash.
    #[error(
        "link {0}: the checkpoint kept elsewhere has another hash: something up to here was changed, and all links after it made anew{1}"
    )]
    Rewritten(i64, Explained),
    /// A checkpoint is ahead of the chain.
    #[error("link {0}: the chain ends before it, and the checkpoint kept elsewhere has link {1}: the end was cut off{2}")]
    Cut(i64, i64, Explained),
    /// The store says that its chain ends elsewhere.
    #[error("link {0}: the chain does not end where its head says: the end was cut off or changed")]
    Head(i64),
    /// Rows that no link holds.
    #[error("{0} row(s) belong to no link: they were inserted, or their links removed")]
    Strays(i64),
}

/// A restore that was accepted, in words behind what it may explain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Explained(pub Option<i64>);

impl std::fmt::Display for Explained {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.map_or(Ok(()), |link| write!(f, "; link {link} says that a restored content was accepted after that checkpoint"))
    }
}

/// What a whole chain was found to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Verified {
    /// The first link.
    pub from: i64,
    /// The last link.
    pub to: i64,
    /// Rows that were read.
    pub rows: i64,
    /// Rows that retention has removed, as a row of the chain proves.
    pub gone: i64,
    /// The last link that a checkpoint confirms. What comes after it can be cut off unnoticed.
    pub confirmed: Option<i64>,
}

/// Verifies a chain, link by link in order.
#[derive(Debug)]
pub struct Verifier {
    checkpoints: BTreeMap<i64, Vec<Checkpoint>>,
    newest: Head,
    found: Verified,
    /// Links whose rows are all gone: the first and the last of each run of them.
    gone: Vec<(i64, i64)>,
    /// Up to which link retention has removed rows, as its rows say.
    through: i64,
    /// Links that say that a restore was accepted, with the epoch that began.
    restores: Vec<(i64, u64)>,
    /// Checkpoints that do not fit; they are told at the end, when it is known what explains them.
    misfit: Option<Checkpoint>,
}

impl Verifier {
    /// From the link after `before`, against checkpoints that were kept elsewhere.
    #[must_use]
    pub fn after(before: Head, checkpoints: impl IntoIterator<Item = Checkpoint>) -> Self {
        let mut by_number: BTreeMap<i64, Vec<Checkpoint>> = BTreeMap::new();
        for one in checkpoints {
            by_number.entry(one.number).or_default().push(one);
        }
        let from = before.number.saturating_add(1);
        let found = Verified { from, to: before.number, ..Verified::default() };
        let mut new = Self {
            checkpoints: by_number,
            newest: before,
            found,
            gone: Vec::new(),
            through: 0,
            restores: Vec::new(),
            misfit: None,
        };
        // A checkpoint of the link before says whether this is a part of the same chain.
        new.compare();
        new
    }

    /// The newest link that was followed.
    #[must_use]
    pub const fn newest(&self) -> Head {
        self.newest
    }

    /// Follows one link more.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn follow(&mut self, next: &Chained) -> Result<(), Broken> {
        let (link, expected) = (&next.link, self.newest.number.saturating_add(1));
        if link.number != expected {
            return Err(if link.number > expected { Broken::LinkRemoved(expected) } else { Broken::LinkInserted(link.number) });
        }
        if next.rows.is_empty() && link.batch.size > 0 {
            match self.gone.last_mut() {
                Some((_, last)) if last.saturating_add(1) == link.number => *last = link.number,
                _ => self.gone.push((link.number, link.number)),
            }
            self.found.gone = self.found.gone.saturating_add(link.batch.size);
        } else {
            check_rows(link, &next.rows)?;
            check_bases(next)?;
        }
        if !link.follows(&self.newest.hash) {
            return Err(Broken::LinkChanged(link.number));
        }
        for (_, row) in &next.rows {
            self.note(link.number, row);
        }
        self.newest = Head { number: link.number, hash: link.hash };
        self.found.to = link.number;
        self.found.rows = self.found.rows.saturating_add(i64::try_from(next.rows.len()).unwrap_or(i64::MAX));
        self.compare();
        Ok(())
    }

    /// Says what was found, once every link was followed.
    ///
    /// # Errors
    /// Rows that are gone without a proof, and checkpoints that the chain does not fit.
    pub fn finish(mut self) -> Result<Verified, Broken> {
        if let Some(checkpoint) = self.misfit.take() {
            return Err(Broken::Rewritten(checkpoint.number, self.explained(&checkpoint)));
        }
        if let Some((first, _)) = self.gone.iter().find(|(_, last)| *last > self.through) {
            return Err(Broken::RowsGone((*first).max(self.through.saturating_add(1))));
        }
        let ahead = self.checkpoints.range(self.newest.number.saturating_add(1)..).next();
        if let Some((number, checkpoint)) = ahead.and_then(|(number, all)| Some((*number, all.first()?.clone()))) {
            return Err(Broken::Cut(self.newest.number.saturating_add(1), number, self.explained(&checkpoint)));
        }
        Ok(self.found)
    }

    fn explained(&self, checkpoint: &Checkpoint) -> Explained {
        let later = self.restores.iter().find(|(_, epoch)| *epoch > u64::from(checkpoint.epoch));
        Explained(later.map(|(link, _)| *link))
    }

    /// Compares the newest link with what was kept elsewhere.
    fn compare(&mut self) {
        let Some(kept) = self.checkpoints.get(&self.newest.number) else { return };
        match kept.iter().find(|one| one.hash != self.newest.hash) {
            Some(other) => self.misfit = Some(self.misfit.take().unwrap_or_else(|| other.clone())),
            None => self.found.confirmed = Some(self.newest.number),
        }
    }

    /// Notes what a row says about the chain itself.
    fn note(&mut self, link: i64, row: &Record) {
        let detail = || serde_json::from_str::<serde_json::Value>(&row.detail).ok();
        if row.act == AuditAct::Retention.as_str()
            && let Some(through) = detail().and_then(|detail| detail.get(super::ROWS_GONE_THROUGH)?.as_i64())
        {
            // A proof is about what came before it.
            self.through = self.through.max(through.min(link.saturating_sub(1)));
        }
        if row.act == AuditAct::Restore.as_str()
            && let Some(epoch) = detail().and_then(|detail| detail.get("epoch")?.as_u64())
        {
            self.restores.push((link, epoch));
        }
    }
}

/// Checks a link's rows against its digest; where they do not fit, its marks tell where.
fn check_rows(link: &Link, rows: &[(i64, Record)]) -> Result<(), Broken> {
    let number = link.number;
    let read = Batch::of(rows.iter().map(|(_, row)| row));
    let displaced = (0_usize..).zip(rows).find(|(place, (said, _))| i64::try_from(*place).ok() != Some(*said));
    if read == link.batch && displaced.is_none() {
        return Ok(());
    }
    let marks = |batch: &Batch| batch.marks.chunks(MARK).map(<[u8]>::to_vec).collect::<Vec<_>>();
    let (have, want) = (marks(&read), marks(&link.batch));
    let differs = (0..have.len().max(want.len())).find(|place| have.get(*place) != want.get(*place));
    let Some(place) = differs else {
        // Its rows are as they were marked: either the place that a row says it has is another, or the link is.
        return Err(match displaced {
            Some((place, _)) if read == link.batch => Broken::RowsReordered(number, place),
            _ => Broken::LinkChanged(number),
        });
    };
    if read.digest == link.batch.digest {
        return Err(Broken::LinkChanged(number));
    }
    let sorted = |marks: &[Vec<u8>]| {
        let mut marks = marks.to_vec();
        marks.sort();
        marks
    };
    Err(if have.len() < want.len() {
        Broken::RowRemoved(number, place)
    } else if have.len() > want.len() {
        Broken::RowInserted(number, place)
    } else if sorted(&have) == sorted(&want) {
        Broken::RowsReordered(number, place)
    } else {
        Broken::RowChanged(number, place)
    })
}

/// Checks that each text that is rested on is there, and is the one that was meant.
fn check_bases(chained: &Chained) -> Result<(), Broken> {
    for (place, (_, row)) in (0_usize..).zip(&chained.rows) {
        let Some(basis) = &row.basis else { continue };
        let text = chained.bases.iter().find(|(digest, _)| digest == basis).map(|(_, text)| text);
        if text.is_none_or(|text| BasisDigest::of(text).as_bytes() != basis.as_slice()) {
            return Err(Broken::Basis(chained.link.number, place));
        }
    }
    Ok(())
}

/// The end of nothing: before the first link.
pub const NOTHING: Head = Head { number: 0, hash: Digest::ZERO };
