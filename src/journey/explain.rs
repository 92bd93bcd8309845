//! The whole story of a message: each stage with the rule that decided, field by field, and what has happened since.
//!
//! It is a reading: it opens the message to know which fields it has, shows no value, and leaves an audit row. What an
//! operator may not look at (a diverted report, a restricted message, what a protected person has said) is found as little as
//! what is not there.

use uuid::Uuid;

use super::basis::BasisRecord;
use super::fates::{FieldFate, fates, recorded_fates, with_absent};
use super::way::{self, Judged};
use super::{Journey, KeyedTx};
use crate::agreement::Covered;
use crate::domain::{LegId, MessageNumber, Position, RecipientId, ReportKey, Subject};
use crate::feed::Method;
use crate::store::{
    AuditAct, AuditRow, EntryState, EntryStory, LegRow, LegState, MessageKind, MessageState, ReceiptStory, Store, Stored,
    StoredMessage, Telling as _, Tx, Withdrawal,
};

/// The story of one message.
#[derive(Debug)]
pub struct Story {
    /// The message: who sent it, its contract, and what became of it.
    pub stored: StoredMessage,
    /// Whether it can be opened and judged by the contracts of today.
    pub readable: bool,
    /// Every revision of its report that may be looked at, lowest first.
    pub revisions: Vec<RevisionView>,
    /// One for each recipient.
    pub legs: Vec<LegStory>,
    /// What of earlier revisions a recipient was served, and whether it was told of this one.
    pub corrections: Vec<CorrectionView>,
}

/// A revision of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevisionView {
    /// The message.
    pub number: MessageNumber,
    /// The sender's id of it.
    pub message_id: Uuid,
    /// The revision.
    pub revision: i64,
    /// What became of the message.
    pub state: MessageState,
}

/// One leg, and what has happened to its documents since.
#[derive(Debug)]
pub struct LegStory {
    /// The leg as it stands.
    pub row: LegRow,
    /// What it rests on, as it was recorded.
    pub basis: BasisRecord,
    /// The agreement's file below the set's root, where the set of today still has it.
    pub file: Option<String>,
    /// Each field of the contract; none where the message cannot be judged any more.
    pub fields: Vec<(String, FieldFate)>,
    /// Whether the fields are told as they were recorded; otherwise as they would be decided now.
    pub recorded: bool,
    /// Every entry that this message has in the recipient's feed.
    pub entries: Vec<EntryStory>,
    /// What the recipient has said of them.
    pub receipts: Vec<ReceiptStory>,
    /// What was taken back of them, and how far the recipient has followed.
    pub withdrawals: Vec<Withdrawal>,
}

/// A document that a recipient was served of an earlier revision, and what has become of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CorrectionView {
    /// The recipient.
    pub recipient: RecipientId,
    /// The document.
    pub subject: Subject,
    /// The last entry of it that was served before this revision.
    pub corrects: Position,
    /// The newest entry, where it is newer than that; none where nothing has taken its place.
    pub by: Option<Position>,
    /// Whether that is a `DELETE`.
    pub deleted: bool,
    /// Whether the recipient has been served that.
    pub reached: bool,
}

/// The stories of every message under a sender's id that an operator may look at.
///
/// # Errors
/// A fault of the store.
pub async fn explain<S: Store>(journey: &Journey, store: &S, message_id: Uuid, operator: &str) -> Stored<Vec<Story>> {
    let mut tx = journey.begin(store, "explain").await?;
    let mut stories = Vec::new();
    for stored in tx.messages_with_id(message_id).await? {
        if !may_be_shown(&mut tx, &stored).await? {
            continue;
        }
        tx.audit(&AuditRow::by(AuditAct::Reading, operator).on(stored.number).with("explain")).await?;
        stories.push(journey.story(&mut tx, stored).await?);
    }
    tx.commit().await?;
    Ok(stories)
}

/// Whether an operator may look at a message at all.
async fn may_be_shown<T: Tx>(tx: &mut KeyedTx<T>, stored: &StoredMessage) -> Stored<bool> {
    let message = &stored.message;
    if message.restricted || message.state == MessageState::Diverted || message.kind == MessageKind::Protection {
        return Ok(false);
    }
    match &message.person {
        Some(person) => Ok(!tx.is_flagged(person).await?),
        None => Ok(true),
    }
}

impl Journey {
    async fn story<T: Tx>(&self, tx: &mut KeyedTx<T>, stored: StoredMessage) -> Stored<Story> {
        let judged = self.rejudge(tx, &stored).await?;
        let readable = judged.is_some();
        let Some(report) = stored.message.report.filter(|_| stored.message.kind == MessageKind::Report) else {
            return Ok(Story { stored, readable, revisions: Vec::new(), legs: Vec::new(), corrections: Vec::new() });
        };
        let covered = match judged {
            Some(Judged::Report(fanned)) => fanned.legs,
            _ => Vec::new(),
        };
        let told = tx.told_entries(&report).await?;
        let since = (tx.told_receipts(&report).await?, tx.told_withdrawals(&report).await?);
        let legs = self.leg_stories(tx, &stored, &covered, (&told, &since.0, &since.1)).await?;
        let revisions = revisions(tx, &report).await?;
        let earlier: Vec<MessageNumber> = revisions
            .iter()
            .filter(|one| stored.message.revision.is_some_and(|revision| one.revision < revision))
            .map(|one| one.number)
            .collect();
        let corrections = corrections(&told, &earlier);
        Ok(Story { stored, readable, revisions, legs, corrections })
    }

    async fn leg_stories<T: Tx>(
        &self,
        tx: &mut KeyedTx<T>,
        stored: &StoredMessage,
        covered: &[Covered],
        (told, receipts, withdrawals): (&[EntryStory], &[ReceiptStory], &[Withdrawal]),
    ) -> Stored<Vec<LegStory>> {
        let (rows, now) = (tx.legs(stored.number).await?, tx.now());
        let consents = match &stored.message.person {
            Some(person) => self.consents(tx, person).await?,
            None => Vec::new(),
        };
        let mut stories = Vec::with_capacity(rows.len());
        for row in rows {
            let basis = BasisRecord::read(&row.basis);
            let of_leg = |leg: &&Covered| row.id == LegId { message: stored.number, recipient: leg.recipient() };
            let covered = covered.iter().find(of_leg);
            // What was made says what was withheld; a leg that has made nothing is told as it would be decided now.
            let recorded = !basis.documents.is_empty();
            let fields = covered.map_or_else(Vec::new, |covered| {
                if recorded {
                    recorded_fates(covered, &basis, &self.set)
                } else {
                    with_absent(covered, fates(covered, &consents, now, &self.set))
                }
            });
            let is_its = |entry: &&EntryStory| entry.recipient == row.id.recipient && entry.message == stored.number;
            let entries: Vec<EntryStory> = told.iter().filter(is_its).cloned().collect();
            let has = |position| entries.iter().any(|entry| entry.position == position);
            let receipts = receipts.iter().filter(|one| one.recipient == row.id.recipient && has(one.position));
            let withdrawals = withdrawals.iter().filter(|one| one.recipient == row.id.recipient && has(one.position));
            let (receipts, withdrawals) = (receipts.cloned().collect(), withdrawals.cloned().collect());
            let terms = self.set.register.terms().iter().find(|terms| terms.agreement == basis.agreement);
            let file = terms.map(|terms| terms.file.clone());
            stories.push(LegStory { row, basis, file, fields, recorded, entries, receipts, withdrawals });
        }
        Ok(stories)
    }
}

async fn revisions<T: Tx>(tx: &mut KeyedTx<T>, report: &ReportKey) -> Stored<Vec<RevisionView>> {
    let view = |stored: StoredMessage| RevisionView {
        number: stored.number,
        message_id: stored.message.envelope.message_id,
        revision: stored.message.revision.unwrap_or_default(),
        state: stored.message.state,
    };
    Ok(tx.revisions(report).await?.into_iter().map(view).collect())
}

/// What was served of earlier revisions, and what has taken its place. A document that is the same in both needs nothing.
fn corrections(told: &[EntryStory], earlier: &[MessageNumber]) -> Vec<CorrectionView> {
    let mut views: Vec<CorrectionView> = Vec::new();
    let is_old =
        |entry: &&EntryStory| entry.method == Method::Put && entry.served_at.is_some() && earlier.contains(&entry.message);
    for entry in told.iter().filter(is_old) {
        let same = |other: &&EntryStory| other.recipient == entry.recipient && other.subject == entry.subject;
        let newest = told.iter().filter(same).rfind(|other| other.state == EntryState::Live);
        let newer = newest.filter(|newest| newest.position > entry.position);
        let view = CorrectionView {
            recipient: entry.recipient.clone(),
            subject: entry.subject,
            corrects: entry.position,
            by: newer.map(|newer| newer.position),
            deleted: newer.is_some_and(|newer| newer.method == Method::Delete),
            reached: newer.is_some_and(|newer| newer.served_at.is_some()),
        };
        views.retain(|known| (&known.recipient, known.subject) != (&view.recipient, view.subject));
        views.push(view);
    }
    views
}

impl LegStory {
    /// Whether the leg shows something to its recipient now.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.row.state == LegState::Published
    }
}

impl Story {
    /// Whether its sender's reports are the kind that has legs.
    #[must_use]
    pub fn is_report(&self) -> bool {
        way::is_report(&self.stored.message.envelope.contract)
    }
}
