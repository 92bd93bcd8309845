//! The way of one message as one readable composition of the stages: pure, without a store and without a clock of its own.

use jiff::Timestamp;

use super::answers::Foreseen;
use super::set::ContractSet;
use crate::agreement::{Covered, cover};
use crate::consent::{Fate, Narrowed, Shut, Touched, permit};
use crate::contract::{Checked, Direction, FlagRecord, ReportKind, check, refuse_unreadable};
use crate::domain::{
    Categories, Code, ConsentRevision, ContractRef, Envelope, Keys, Refusal, ReportKey, Subject, Violation, date_of,
};
use crate::filter::{Withheld, disclose};
use crate::intake::{Payload, decode};
use crate::protection::{Diverted, Identified, Open, Unreadable, identify};
use crate::translate::{Rendition, render};

/// How far a message comes before the store must be asked about its person.
#[derive(Debug)]
pub enum Opened {
    /// Its person is known by keyed hash.
    Known(Box<Identified>),
    /// It is refused without anybody's person being known.
    Refused {
        /// Why.
        refusal: Refusal,
        /// Whether nobody may look at it.
        restricted: bool,
    },
}

/// Decodes a message and reads whom it is about.
#[must_use]
pub fn open(payload: Payload, set: &ContractSet, keys: &dyn Keys) -> Opened {
    let refused = |refusal| Opened::Refused { refusal, restricted: false };
    let envelope = payload.envelope();
    let contract = match set.catalogue.contract(&envelope.contract) {
        Some(contract) if contract.direction() == Direction::In => contract,
        _ => return refused(Refusal::whole(Code::TransportUnknownContract)),
    };
    let may_send =
        set.catalogue.parties().sender(&envelope.login).is_some_and(|s| s.sends.iter().any(|n| n == envelope.contract.name()));
    if !may_send {
        return refused(Refusal::whole(Code::TransportSender));
    }
    let decoded = match decode(payload, contract.outline()) {
        Ok(decoded) => decoded,
        Err(refusal) => return refused(refusal),
    };
    match identify(decoded, keys) {
        Ok(identified) => Opened::Known(Box::new(identified)),
        Err(unreadable) => {
            let Unreadable { decoded, violation } = *unreadable;
            Opened::Refused { refusal: refuse_unreadable(&decoded, violation, &set.catalogue), restricted: true }
        }
    }
}

/// Whether a contract's messages are reports: only those are diverted.
#[must_use]
pub fn is_report(contract: &ContractRef) -> bool {
    contract.name() == "activity-report"
}

/// What a message with a known person turned out to be.
#[derive(Debug)]
pub enum Judged {
    /// A report on a protected person.
    Diverted(Diverted),
    /// It breaks a rule.
    Refused(Refusal),
    /// A consent's revision.
    Consent(Box<ConsentRevision>),
    /// A protection flag.
    Protection(FlagRecord),
    /// A report, fanned out to its recipients.
    Report(Box<Fanned>),
}

/// A report with its legs.
#[derive(Debug)]
pub struct Fanned {
    /// Names the report over all revisions.
    pub report: ReportKey,
    /// The revision.
    pub revision: i64,
    /// Original, correction or cancellation.
    pub kind: ReportKind,
    /// One for each recipient.
    pub legs: Vec<Covered>,
}

/// Judges a message by protection, contract and agreement.
#[must_use]
pub fn judge(identified: Identified, stored_flag: bool, set: &ContractSet, keys: &dyn Keys) -> Judged {
    let open = if is_report(identified.contract()) {
        match identified.screen(stored_flag) {
            Ok(open) => open,
            Err(diverted) => return Judged::Diverted(diverted),
        }
    } else {
        identified.open_record()
    };
    by_rules(open, set, keys)
}

/// Judges a report on a protected person by contract and agreement, only to find what its sender is told: the same as
/// anyone else's. What comes back has no legs that could be walked.
pub(super) fn foresee(identified: Identified, set: &ContractSet, keys: &dyn Keys) -> Result<Foreseen, Refusal> {
    match by_rules(identified.open_record(), set, keys) {
        Judged::Report(fanned) => Ok(Foreseen::of(&fanned, keys)),
        Judged::Refused(refusal) => Err(refusal),
        _ => Err(Refusal::whole(Code::JourneyFailed)),
    }
}

/// Judges a stored message that is no longer a matter of protection: a person has lifted the flag, or it was let through before
/// one was set. A flag of its own does not count any more.
pub(super) fn judge_apart(identified: Identified, set: &ContractSet, keys: &dyn Keys) -> Judged {
    by_rules(identified.open_record(), set, keys)
}

fn by_rules(open: Open, set: &ContractSet, keys: &dyn Keys) -> Judged {
    match check(open, &set.catalogue, keys) {
        Err(refusal) => Judged::Refused(refusal),
        Ok(Checked::Consent(_, revision)) => Judged::Consent(revision),
        Ok(Checked::Protection(flag)) => Judged::Protection(flag),
        Ok(Checked::Report(conforming)) => {
            let (report, revision, kind) = (*conforming.report(), conforming.revision(), conforming.kind());
            match cover(*conforming, &set.register, &set.codes) {
                Ok(legs) => Judged::Report(Box::new(Fanned { report, revision, kind, legs })),
                Err(refusal) => Judged::Refused(refusal),
            }
        }
    }
}

/// What one leg comes to now.
#[derive(Debug)]
pub enum Verdict {
    /// These documents, and no others, are what the recipient may see.
    Publish {
        /// The documents, to be sealed under the participant's lock.
        renditions: Vec<Rendition>,
        /// The first instant at which the gate is shut by date.
        until: Timestamp,
        /// When to look again.
        wakes_at: Timestamp,
        /// What it rests on.
        basis: Basis,
    },
    /// It waits.
    Hold {
        /// For what.
        code: Code,
        /// When to look again.
        until: Timestamp,
    },
    /// It is over, and never had a right to anything.
    Refuse(Code),
    /// A date has ended it: what was served lawfully stays served, but for what the participant takes back of it.
    Lapse {
        /// What it comes to where it was open until then.
        opened: Fate,
        /// What it comes to where it never was.
        unopened: Fate,
        /// What is taken back.
        taken: TakenBack,
    },
    /// What was published is taken back.
    Withdraw(Code),
    /// The sender has cancelled the report.
    Cancel,
}

/// What revocations of some categories take back of a report that a date has ended.
#[derive(Debug, Default)]
pub struct TakenBack {
    /// The report's fields that nobody may hold any more.
    pub fields: Vec<String>,
    /// The documents that would say something else, or nothing, without them.
    pub subjects: Vec<Subject>,
}

/// What a disclosure rests on: recorded with it, without values.
#[derive(Debug, Default)]
pub struct Basis {
    /// The consents that opened the gate.
    pub consents: Vec<ReportKey>,
    /// The fields that were withheld.
    pub withheld: Vec<Withheld>,
    /// The documents that were not made because they need what is withheld.
    pub documents_withheld: Vec<ContractRef>,
    /// The contracts of the documents that were made.
    pub documents: Vec<ContractRef>,
    /// The rows of the law by which something in them is sensitive.
    pub sensitive: Vec<String>,
    /// The consents that a change of the law asks something of.
    pub transitions: Vec<Touched>,
}

/// Walks one leg to its end: gate, filter, translation. What it publishes is sealed when it is put into a feed.
#[must_use]
pub fn walk(covered: &Covered, consents: &[ConsentRevision], now: Timestamp, set: &ContractSet, keys: &dyn Keys) -> Verdict {
    if covered.report().kind() == ReportKind::Cancellation {
        return Verdict::Cancel;
    }
    if let Some(until) = covered.waits_until(now) {
        return Verdict::Hold { code: Code::AgreementNotEnded, until };
    }
    let permitted = match permit(covered.clone(), consents, &set.law, now) {
        Ok(permitted) => permitted,
        Err(Shut::Held { code, until }) => return Verdict::Hold { code, until },
        Err(Shut::Refused(code)) => return Verdict::Refuse(code),
        Err(Shut::Withdrawn(code)) => return Verdict::Withdraw(code),
        Err(Shut::Lapsed(lapsed)) => {
            let (opened, unopened) = (lapsed.opened, lapsed.unopened);
            // What cannot be written any more cannot be compared: then nothing of it is left with anybody.
            return match lapsed.narrowed.map_or_else(|| Ok(TakenBack::default()), |narrowed| taken_back(narrowed, set, keys)) {
                Ok(taken) => Verdict::Lapse { opened, unopened, taken },
                Err(_) => Verdict::Withdraw(Code::ConsentRevoked),
            };
        }
    };
    let (until, wakes_at, consents) = (permitted.until(), permitted.wakes_at(), permitted.consents().to_vec());
    let (transitions, categories) = (permitted.transitions().to_vec(), permitted.categories());
    let disclosure = disclose(permitted);
    let rendered = match render(&disclosure, &set.recipes, &set.codes, &set.catalogue, keys) {
        Ok(rendered) => rendered,
        Err(refusal) => return Verdict::Refuse(refusal.code()),
    };
    let nothing_may_be_made = rendered.renditions.is_empty() && !rendered.withheld.is_empty();
    if nothing_may_be_made {
        let hold_ends = covered.hold_ends();
        return if now >= hold_ends {
            Verdict::Refuse(Code::ConsentHoldExpired)
        } else {
            Verdict::Hold { code: Code::ConsentCategories, until: hold_ends.min(wakes_at) }
        };
    }
    let mut documents: Vec<ContractRef> = rendered.renditions.iter().map(|one| one.heading().contract.clone()).collect();
    documents.dedup();
    let sensitive = sensitive_rows(covered, &documents, categories, set, now);
    let (withheld, documents_withheld) = (disclosure.withheld().to_vec(), rendered.withheld);
    let basis = Basis { consents, withheld, documents_withheld, documents, sensitive, transitions };
    Verdict::Publish { renditions: rendered.renditions, until, wakes_at, basis }
}

/// What of a report is not said any more without what was taken back. Nothing that is made here is sealed or published.
fn taken_back(narrowed: Narrowed, set: &ContractSet, keys: &dyn Keys) -> Result<TakenBack, Refusal> {
    let (before, after) = (disclose(narrowed.before), disclose(narrowed.after));
    let is_taken = |field: &&Withheld| !before.withheld().contains(field);
    let fields = after.withheld().iter().filter(is_taken).map(|field| field.path.to_string()).collect();
    let write = |disclosure| render(disclosure, &set.recipes, &set.codes, &set.catalogue, keys);
    let (all, left) = (write(&before)?.renditions, write(&after)?.renditions);
    let still_says = |one: &Rendition| {
        let same = left.iter().find(|other| other.heading().subject == one.heading().subject);
        same.is_some_and(|same| same.bytes() == one.bytes())
    };
    let subjects = all.iter().filter(|one| !still_says(one)).map(|one| one.heading().subject).collect();
    Ok(TakenBack { fields, subjects })
}

/// The rows of the law by which a field that these documents have a place for, and that may be seen, is sensitive.
fn sensitive_rows(
    covered: &Covered,
    documents: &[ContractRef],
    categories: Categories,
    set: &ContractSet,
    now: Timestamp,
) -> Vec<String> {
    let (outline, today) = (covered.report().outline(), date_of(now));
    let recipes: Vec<_> = documents.iter().filter_map(|to| set.recipes.get(&outline.reference, to)).collect();
    let mut rows: Vec<String> = Vec::new();
    for leaf in outline.leaves().into_iter().filter(|leaf| categories.contains(leaf.category)) {
        if !recipes.iter().any(|recipe| recipe.sources.contains(&*leaf.path)) {
            continue;
        }
        for row in set.law.sensitive(leaf, today) {
            if !rows.contains(&row.id) {
                rows.push(row.id.clone());
            }
        }
    }
    rows
}

/// The violations of a refusal as a store keeps them: codes and places, without values.
#[must_use]
pub fn violations(refusal: &Refusal) -> Vec<(Code, String)> {
    refusal.violations().map(|Violation { code, place }| (*code, place.to_string())).collect()
}

/// A payload of a stored message.
///
/// # Errors
/// As [`Payload::new`].
pub fn payload(envelope: &Envelope, bytes: &[u8]) -> Result<Payload, Refusal> {
    Payload::new(envelope.clone(), bytes.to_vec())
}
