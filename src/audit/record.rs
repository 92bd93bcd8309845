//! A row of the audit log in the one form that its digest is made over.

use aws_lc_rs::digest::{Context, SHA256};

use super::digest::{Digest, sha256};
use crate::seal::ContentDigest;
use crate::store::AuditRow;

/// What stands before every row whose digest is made, so that no digest of anything else is one of a row.
const ROW: &[u8] = b"brygga.audit.row.v1";

/// The digest of a basis's text (the first 16 bytes of its SHA-256): the text is kept once, however often it is rested on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BasisDigest([u8; Self::LENGTH]);

impl BasisDigest {
    /// Bytes of a digest.
    pub const LENGTH: usize = 16;

    /// The digest of a text.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let mut digest = [0; Self::LENGTH];
        for (slot, byte) in digest.iter_mut().zip(sha256(&[text.as_bytes()]).as_bytes()) {
            *slot = *byte;
        }
        Self(digest)
    }

    /// Takes stored bytes; `None` where the length is wrong.
    #[must_use]
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// The bytes, for a store.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// A row as it is chained: plain values, whatever they say, so that a row that was changed can be told from one that cannot
/// be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// What was done: the name of an [`AuditAct`](crate::store::AuditAct).
    pub act: String,
    /// Who did it.
    pub actor: String,
    /// The number of the message.
    pub message: Option<i64>,
    /// For or to whom.
    pub recipient: Option<String>,
    /// The entry of the recipient's feed.
    pub position: Option<i64>,
    /// The code that decided.
    pub code: Option<String>,
    /// Why, in a person's own words.
    pub reason: Option<String>,
    /// More about it.
    pub detail: String,
    /// Names what it rests on.
    pub basis: Option<Vec<u8>>,
    /// The digest of its content.
    pub content: Option<Vec<u8>>,
}

impl Record {
    /// A row that is about to be written; its basis's text is kept beside it.
    #[must_use]
    pub fn of(row: &AuditRow) -> Self {
        Self {
            act: row.act.as_str().to_owned(),
            actor: row.actor.clone(),
            message: row.message.map(|message| message.0),
            recipient: row.recipient.as_ref().map(|recipient| recipient.as_str().to_owned()),
            position: row.position.map(|position| position.0),
            code: row.code.map(|code| code.as_str().to_owned()),
            reason: row.reason.clone(),
            detail: row.detail.clone(),
            basis: row.basis.as_deref().map(|basis| BasisDigest::of(basis).as_bytes().to_vec()),
            content: row.content.as_ref().map(ContentDigest::as_bytes).map(<[u8]>::to_vec),
        }
    }

    /// SHA-256 over the row's fields in order. Each text and each digest has its length before it, and what may be missing has
    /// a byte before it that says whether it is there, so that no two rows have the same bytes.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let mut form = Form(Context::new(&SHA256));
        form.0.update(ROW);
        form.bytes(self.act.as_bytes());
        form.bytes(self.actor.as_bytes());
        form.number(self.message);
        form.optional(self.recipient.as_deref().map(str::as_bytes));
        form.number(self.position);
        form.optional(self.code.as_deref().map(str::as_bytes));
        form.optional(self.reason.as_deref().map(str::as_bytes));
        form.bytes(self.detail.as_bytes());
        form.optional(self.basis.as_deref());
        form.optional(self.content.as_deref());
        Digest::finish(form.0)
    }
}

struct Form(Context);

impl Form {
    fn bytes(&mut self, bytes: &[u8]) {
        self.0.update(&(bytes.len() as u64).to_be_bytes());
        self.0.update(bytes);
    }

    fn optional(&mut self, bytes: Option<&[u8]>) {
        self.0.update(&[u8::from(bytes.is_some())]);
        if let Some(bytes) = bytes {
            self.bytes(bytes);
        }
    }

    fn number(&mut self, number: Option<i64>) {
        self.0.update(&[u8::from(number.is_some())]);
        if let Some(number) = number {
            self.0.update(&number.to_be_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::Record;
    use crate::store::{AuditAct, AuditRow};

    #[test]
    fn no_two_rows_have_the_same_digest() {
        let plain = Record::of(&AuditRow::of_program(AuditAct::Decision));
        let text = || Some("a".to_owned());
        let rows = [
            plain.clone(),
            Record { act: "disclosure".to_owned(), ..plain.clone() },
            Record { actor: "brygg".to_owned(), detail: "a".to_owned(), ..plain.clone() },
            Record { message: Some(0), ..plain.clone() },
            Record { position: Some(0), ..plain.clone() },
            Record { recipient: text(), ..plain.clone() },
            Record { code: text(), ..plain.clone() },
            Record { reason: text(), ..plain.clone() },
            Record { detail: "a".to_owned(), ..plain.clone() },
            Record { basis: Some(vec![97]), ..plain.clone() },
            Record { content: Some(vec![97]), ..plain.clone() },
            Record { content: Some(Vec::new()), ..plain.clone() },
        ];
        let digests: HashSet<_> = rows.iter().map(Record::digest).collect();
        assert_eq!(digests.len(), rows.len());
        assert_eq!(plain.digest(), plain.clone().digest());
    }
}
