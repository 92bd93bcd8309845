//! A unit of work: what a transaction has read, and what it will write when it commits.
//!
//! Reads are answered from here where what they ask for has been read whole before; writes change what is here and are kept.
//! Nothing in this file talks to the database.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;
use uuid::Uuid;

use super::rows::Known;
use crate::domain::{LegId, Login, MessageNumber, PersonKey, Position, RecipientId, ReportKey, Subject};
use crate::feed::Method;
use crate::seal::{Revocation, Sealed};
use crate::store::{
    AuditRow, DueAnswer, EntryRow, EntryState, LegRow, MessageKind, MessageState, NewMessage, Receipt, StoredMessage,
    WithdrawalRow,
};

/// Positions from here on are not real: the entry gets its own when the counters are raised, as the last thing.
const PROVISIONAL: i64 = 1 << 62;

/// An entry to be written.
#[derive(Debug)]
pub(super) struct Fresh {
    pub(super) recipient: RecipientId,
    pub(super) message: MessageNumber,
    /// The report and its participant; none of an answer.
    pub(super) of: Option<(ReportKey, PersonKey)>,
    pub(super) subject: Subject,
    pub(super) contract: String,
    pub(super) syntax: String,
    pub(super) method: Method,
    pub(super) sealed: Vec<u8>,
    pub(super) fingerprint: Vec<u8>,
    pub(super) until: Option<Timestamp>,
    pub(super) illustrative: bool,
    pub(super) state: EntryState,
}

impl Fresh {
    /// A sealed document for its recipient.
    pub(super) fn of_sealed(
        sealed: &Sealed,
        message: MessageNumber,
        of: (ReportKey, PersonKey),
        fingerprint: &[u8],
        until: Timestamp,
    ) -> Self {
        let heading = sealed.heading();
        Self {
            recipient: heading.recipient.clone(),
            message,
            of: Some(of),
            subject: heading.subject,
            contract: heading.contract.to_string(),
            syntax: heading.syntax.as_str().to_owned(),
            method: Method::Put,
            sealed: sealed.bytes().to_vec(),
            fingerprint: fingerprint.to_vec(),
            until: Some(until),
            illustrative: heading.illustrative,
            state: EntryState::Live,
        }
    }

    /// The `DELETE` of a subject; it is of the same type as what it takes back.
    pub(super) fn taking_back(newest: &Known, message: MessageNumber, of: (ReportKey, PersonKey)) -> Self {
        Self {
            recipient: newest.recipient.clone(),
            message,
            of: Some(of),
            subject: newest.row.subject,
            contract: newest.contract.clone(),
            syntax: newest.syntax.clone(),
            method: Method::Delete,
            sealed: Vec::new(),
            fingerprint: Vec::new(),
            until: None,
            illustrative: newest.illustrative,
            state: EntryState::Live,
        }
    }
}

/// What has been read and what is to be written.
#[derive(Debug, Default)]
pub(super) struct Work {
    /// Receipts by id; an id that is here has been looked up.
    pub(super) receipts: HashMap<(Login, Uuid), Vec<Receipt>>,
    pub(super) flags: HashMap<PersonKey, bool>,
    /// Revocations that a restore has kept, of participants that have been looked up.
    pub(super) kept: HashMap<PersonKey, Vec<Revocation>>,
    pub(super) messages: BTreeMap<MessageNumber, StoredMessage>,
    /// Participants of whom every message of a kind is among the messages.
    pub(super) of_person: HashMap<(PersonKey, MessageKind), BTreeSet<MessageNumber>>,
    /// Reports of which every journey is among the messages.
    pub(super) of_report: HashMap<ReportKey, BTreeSet<MessageNumber>>,
    /// Legs of messages whose legs have been read whole.
    pub(super) legs: HashMap<MessageNumber, Vec<LegRow>>,
    /// Entries of reports whose entries have been read whole.
    pub(super) entries: HashMap<ReportKey, Vec<Known>>,

    /// Numbers that are taken and not used, highest first.
    pub(super) numbers: Vec<i64>,
    pub(super) new_messages: BTreeSet<MessageNumber>,
    pub(super) duplicates: BTreeMap<MessageNumber, i64>,
    pub(super) changed_legs: BTreeSet<LegId>,
    pub(super) replaced: Vec<(RecipientId, Position)>,
    pub(super) fresh: Vec<Fresh>,
    pub(super) due_answers: Vec<DueAnswer>,
    pub(super) withdrawals: Vec<WithdrawalRow>,
    pub(super) audit: Vec<AuditRow>,
}

impl Work {
    /// Forgets what was read, and keeps what is to be written. Whoever calls this has written messages and legs.
    pub(super) fn forget(&mut self) {
        self.receipts.clear();
        self.flags.clear();
        self.kept.clear();
        self.messages.clear();
        self.of_person.clear();
        self.of_report.clear();
        self.legs.clear();
        self.forget_entries();
    }

    /// Forgets the entries that stand in feeds: another lock is held now, and they may have been served before it was.
    pub(super) fn forget_entries(&mut self) {
        // A report with entries that are not written yet was read under its lock already.
        let unwritten: BTreeSet<ReportKey> = self.fresh.iter().filter_map(|fresh| Some(fresh.of?.0)).collect();
        self.entries.retain(|report, _| unwritten.contains(report));
    }

    /// Takes up messages that were read.
    pub(super) fn remember(&mut self, messages: Vec<StoredMessage>) {
        for stored in messages {
            // One that is here already is newer than what was read.
            self.messages.entry(stored.number).or_insert(stored);
        }
    }

    /// The messages with these numbers.
    pub(super) fn those(&self, numbers: &BTreeSet<MessageNumber>) -> Vec<StoredMessage> {
        numbers.iter().filter_map(|number| self.messages.get(number)).cloned().collect()
    }

    /// The journeys of a report, lowest revision first; `None` where they have not been read.
    pub(super) fn revisions(&self, report: &ReportKey) -> Option<Vec<StoredMessage>> {
        let mut journeys = self.those(self.of_report.get(report)?);
        journeys.retain(|stored| stored.message.state == MessageState::Journey);
        journeys.sort_by_key(|stored| (stored.message.revision, stored.number));
        Some(journeys)
    }

    /// Takes up a message to be written.
    pub(super) fn insert(&mut self, number: MessageNumber, message: &NewMessage) {
        let id = (message.envelope.login.clone(), message.envelope.message_id);
        if let Some(receipts) = self.receipts.get_mut(&id) {
            receipts.push(Receipt { number, fingerprint: Some(message.fingerprint) });
        }
        if let Some(numbers) = message.person.and_then(|person| self.of_person.get_mut(&(person, message.kind))) {
            numbers.insert(number);
        }
        if let Some(numbers) = message.report.and_then(|report| self.of_report.get_mut(&report)) {
            numbers.insert(number);
        }
        self.messages.insert(number, StoredMessage { number, message: message.clone(), discarded_at: None });
        self.legs.insert(number, Vec::new());
        self.new_messages.insert(number);
    }

    /// Takes up a leg to be written; the message's legs have been read.
    pub(super) fn put_leg(&mut self, leg: &LegRow) {
        let legs = self.legs.entry(leg.id.message).or_default();
        if let Some(known) = legs.iter_mut().find(|known| known.id == leg.id) {
            known.clone_from(leg);
        } else {
            legs.push(leg.clone());
            legs.sort_by(|a, b| a.id.cmp(&b.id));
        }
        self.changed_legs.insert(leg.id.clone());
    }

    /// Takes up an entry to be written, in place of the live one of its subject; the report's entries have been read. Gives its
    /// provisional position.
    pub(super) fn publish(&mut self, report: ReportKey, fresh: Fresh) -> Position {
        let position = Position(PROVISIONAL.saturating_add(i64::try_from(self.fresh.len()).unwrap_or(i64::MAX)));
        let known = self.entries.entry(report).or_default();
        for old in known.iter_mut() {
            let is_live = old.row.state == EntryState::Live && old.row.subject == fresh.subject;
            if is_live && old.recipient == fresh.recipient {
                old.row.state = EntryState::Replaced;
                match provisional(old.row.position).and_then(|index| self.fresh.get_mut(index)) {
                    Some(unwritten) => unwritten.state = EntryState::Replaced,
                    None => self.replaced.push((old.recipient.clone(), old.row.position)),
                }
            }
        }
        known.push(Known {
            recipient: fresh.recipient.clone(),
            row: EntryRow {
                position,
                subject: fresh.subject,
                method: fresh.method,
                state: fresh.state,
                served: false,
                message: fresh.message,
                fingerprint: fresh.fingerprint.clone(),
            },
            contract: fresh.contract.clone(),
            syntax: fresh.syntax.clone(),
            illustrative: fresh.illustrative,
        });
        self.fresh.push(fresh);
        position
    }

    /// An entry that is known here, by its place in its feed.
    pub(super) fn known(&mut self, recipient: &RecipientId, position: Position) -> Option<&mut Known> {
        let mut all = self.entries.values_mut().flatten();
        all.find(|known| known.row.position == position && known.recipient == *recipient)
    }

    /// An entry that is not written yet, by its place.
    pub(super) fn unwritten(&mut self, position: Position) -> Option<&mut Fresh> {
        provisional(position).and_then(|index| self.fresh.get_mut(index))
    }
}

/// Which of the entries to be written a position stands for; `None` for a real one.
pub(super) fn provisional(position: Position) -> Option<usize> {
    position.0.checked_sub(PROVISIONAL).and_then(|index| usize::try_from(index).ok())
}
