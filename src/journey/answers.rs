//! What a sender is told, and when: decided in the same transaction as what became of the message.
//!
//! Every answer goes one way, whoever the participant is. A diverted report is judged by contract and agreement as any
//! other, only to find its answer; and whether a report was forwarded is asked once, at the end of its hold period.

use jiff::Timestamp;

use super::settle::guarded;
use super::way::{Fanned, Opened, foresee};
use super::{Journey, KeyedTx, MessageKind, MessageState};
use crate::agreement::{GateKind, Status};
use crate::answer::{Answer, Letterhead};
use crate::contract::ReportKind;
use crate::domain::{Code, Fingerprint, Keys, MessageNumber, RecipientId, Refusal, ReportKey};
use crate::feed::Method;
use crate::store::{DueAnswer, LegRow, LegState, NewMessage, Stored, StoredMessage, Tx};

/// How a message comes to be judged.
#[derive(Clone, Copy)]
pub(super) struct Turn<'a> {
    /// The message as it came.
    pub(super) bytes: &'a [u8],
    /// Its number, where it is judged once more.
    pub(super) again: Option<MessageNumber>,
    /// Whether its sender has used its id for something else.
    pub(super) id_is_used: bool,
    /// What it is refused with where the program fails on it.
    pub(super) on_failure: Code,
}

/// What a sender is to be told of a message.
#[derive(Debug)]
pub(super) enum Reply {
    /// Nothing: it repeats what was answered before.
    Nothing,
    /// Which rules it breaks.
    Rejection(Refusal),
    /// A consent, a revocation or a flag was recorded.
    Recorded,
    /// A report goes its way.
    Accepted(Accepted),
}

/// What the sender of an accepted report is told, and what is looked at when its hold period ends.
#[derive(Debug)]
pub(super) struct Accepted {
    hold_ends: Option<Timestamp>,
    behind_waivers: Vec<RecipientId>,
    illustrative: bool,
}

/// What a report comes to by contract and agreement, without the legs that could disclose it.
#[derive(Debug)]
pub(super) struct Foreseen {
    report: ReportKey,
    revision: i64,
    content: Option<Fingerprint>,
    accepted: Accepted,
}

impl Foreseen {
    pub(super) fn of(fanned: &Fanned, keys: &dyn Keys) -> Self {
        let first = fanned.legs.first();
        // Nobody waits for a waiver to take something back.
        let may_wait = fanned.kind != ReportKind::Cancellation;
        let waiver = |gate: GateKind| may_wait && gate == GateKind::Waiver;
        let behind = fanned.legs.iter().filter(|leg| leg.recipient_terms().is_some_and(|terms| waiver(terms.gate.kind)));
        let accepted = Accepted {
            hold_ends: first.filter(|_| may_wait).map(crate::agreement::Covered::hold_ends),
            behind_waivers: behind.map(crate::agreement::Covered::recipient).collect(),
            illustrative: first.is_some_and(|leg| leg.terms().status == Status::Illustrative),
        };
        let content = first.map(|leg| leg.report().content(keys));
        Self { report: fanned.report, revision: fanned.revision, content, accepted }
    }

    /// Writes which report and revision it is into the message's row.
    pub(super) fn name(&self, new: &mut NewMessage) {
        (new.report, new.revision, new.content) = (Some(self.report), Some(self.revision), self.content);
    }

    /// What is told where the same revision has come before: nothing of the same content, a rejection of another.
    pub(super) fn earlier(&self, others: &[StoredMessage], this: Option<MessageNumber>) -> Option<Reply> {
        let same = |stored: &&StoredMessage| stored.message.revision == Some(self.revision) && Some(stored.number) != this;
        let before = others.iter().find(same)?;
        // Of what is gone nobody can tell any more whether it was the same: it has come before, and is not taken again.
        let repeats = before.message.content.is_none() || before.message.content == self.content;
        Some(if repeats { Reply::Nothing } else { Reply::Rejection(Refusal::whole(Code::ContractRevisionConflict)) })
    }

    pub(super) fn reply(self) -> Reply {
        Reply::Accepted(self.accepted)
    }
}

impl Journey {
    /// What the sender of a diverted report is told: what it would be told of anyone else's.
    pub(super) async fn reply_to_diverted<T: Tx>(
        &self,
        tx: &mut KeyedTx<T>,
        new: &mut NewMessage,
        turn: Turn<'_>,
    ) -> Stored<Reply> {
        if turn.id_is_used {
            return Ok(Reply::Rejection(Refusal::whole(Code::TransportConflict)));
        }
        let Opened::Known(identified) = self.open_bytes(&new.envelope, turn.bytes, turn.on_failure) else {
            return Ok(Reply::Nothing);
        };
        let failed = || Err(Refusal::whole(turn.on_failure));
        let foreseen = match guarded(|| foresee(*identified, self.set(), self.keys())).unwrap_or_else(failed) {
            Ok(foreseen) => foreseen,
            Err(refusal) => return Ok(Reply::Rejection(refusal)),
        };
        let others = self.known_revisions(tx, new, &foreseen.report).await?;
        if let Some(reply) = foreseen.earlier(&others, turn.again) {
            return Ok(reply);
        }
        foreseen.name(new);
        Ok(foreseen.reply())
    }

    /// The revisions of a report, diverted or not.
    async fn known_revisions<T: Tx>(
        &self,
        tx: &mut KeyedTx<T>,
        of: &NewMessage,
        report: &ReportKey,
    ) -> Stored<Vec<StoredMessage>> {
        let Some(person) = &of.person else { return Ok(Vec::new()) };
        let mut all = tx.messages_of(person, MessageKind::Report).await?;
        all.retain(|stored| {
            stored.message.report == Some(*report)
                && matches!(stored.message.state, MessageState::Journey | MessageState::Diverted)
        });
        Ok(all)
    }

    /// Answers a stored message, and keeps in mind when its hold period ends. Each answer takes its place after what was
    /// published for its message, so a batch gives the same feed as its messages one by one.
    pub(super) async fn answer<T: Tx>(&self, tx: &mut KeyedTx<T>, stored: &StoredMessage, reply: Reply) -> Stored<()> {
        let Some(letterhead) = self.letterhead(stored) else { return Ok(()) };
        let answer = match reply {
            Reply::Nothing => None,
            Reply::Rejection(refusal) => letterhead.rejection(&refusal),
            Reply::Recorded => Some(letterhead.accepted(None, false)),
            Reply::Accepted(Accepted { hold_ends, behind_waivers: recipients, illustrative }) => {
                if let (Some(due_at), Some(person), false) = (hold_ends, stored.message.person, recipients.is_empty()) {
                    let due = DueAnswer { message: stored.number, person, recipients, due_at, illustrative };
                    tx.keep_due_answer(&due).await?;
                }
                Some(letterhead.accepted(hold_ends, illustrative))
            }
        };
        match answer {
            Some(answer) => tx.publish_answers(&[answer]).await,
            None => Ok(()),
        }
    }

    fn letterhead<'a>(&'a self, stored: &'a StoredMessage) -> Option<Letterhead<'a>> {
        Letterhead::of(stored, &self.set().catalogue, self.keys())
    }

    /// Ends a report's hold period: says that it was not forwarded, where any recipient behind a waiver has not been given
    /// it. A report that a higher revision has replaced is not answered for any more.
    pub(super) async fn end_hold<T: Tx>(&self, tx: &mut KeyedTx<T>, due: &DueAnswer) -> Stored<Option<Answer>> {
        tx.end_due_answer(due.message).await?;
        let legs = tx.legs(due.message).await?;
        if due.recipients.iter().all(|recipient| is_published(&legs, recipient)) {
            return Ok(None);
        }
        let Some(stored) = tx.message(due.message).await? else { return Ok(None) };
        let Some(report) = stored.message.report else { return Ok(None) };
        let others = self.known_revisions(tx, &stored.message, &report).await?;
        if others.iter().any(|other| other.message.revision > stored.message.revision) {
            return Ok(None);
        }
        if stored.message.state == MessageState::Journey {
            // A waiver that came in time may not have been acted on yet.
            let consents = self.consents(tx, &due.person).await?;
            self.settle_report(tx, &report, &consents, None).await?;
        }
        let legs = tx.legs(due.message).await?;
        for recipient in &due.recipients {
            if is_published(&legs, recipient) {
                continue;
            }
            let entries = tx.entries(&report, recipient).await?;
            let was_served = |entry: &crate::store::EntryRow| entry.method == Method::Put && entry.served;
            if !entries.iter().any(|entry| entry.message == stored.number && was_served(entry)) {
                return Ok(self.letterhead(&stored).map(|letterhead| letterhead.not_forwarded(due.illustrative)));
            }
        }
        Ok(None)
    }
}

fn is_published(legs: &[LegRow], recipient: &RecipientId) -> bool {
    legs.iter().any(|leg| leg.id.recipient == *recipient && leg.state == LegState::Published)
}
