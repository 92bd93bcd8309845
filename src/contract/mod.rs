//! Floor 2, third: whether a document holds every rule of its versioned contract.
//!
//! `Open → Conforming` for a report, or a record (a consent's revision, a protection flag) for the other messages. All
//! violations are told at once, each with its place in the contract's own names, none with a value.

mod catalogue;
mod derive;
mod lines;
mod parties;
mod rules;
mod schema;
mod timetable;
mod validate;
pub mod xsd;

use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::Value;

pub use catalogue::{Catalogue, Contract, Direction};
pub use parties::{Kommun, Parties, Sender};

use crate::domain::{
    Categories, Category, Code, ConsentKind, ConsentRevision, Document, Envelope, Fingerprint, Keys, Object,
    OrganisationNumber, Outline, Party, PersonKey, PersonNumber, Place, Refusal, ReportKey, Shape, Violation, activity_instant,
    calendar_date,
};
use crate::intake::Decoded;
use crate::protection::Open;
use timetable::Timetable;

/// What a report's revision is to the ones before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReportKind {
    /// The first.
    Original,
    /// It replaces the ones before it.
    Correction,
    /// It takes back the report as a whole.
    Cancellation,
}

/// An activity report that holds every rule of its contract. It cannot be published: it has everything in it.
///
/// ```compile_fail
/// use brygga::{contract::Conforming, seal::{DataKey, Sealed, SealError}};
/// fn publish(report: &Conforming, key: &DataKey) -> Result<Sealed, SealError> {
///     key.seal_rendition(report)
/// }
/// ```
#[derive(Debug)]
pub struct Conforming {
    envelope: Envelope,
    outline: Arc<Outline>,
    document: Document,
    sender: Kommun,
    namnd: String,
    person: PersonNumber,
    person_key: PersonKey,
    report: ReportKey,
    revision: i64,
    kind: ReportKind,
    period: (Date, Date),
    ends_at: Timestamp,
}

/// A protection flag that a message sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FlagRecord {
    /// The protected person.
    pub person: PersonKey,
}

/// What a message turned out to be.
#[derive(Debug)]
pub enum Checked {
    /// A report, which goes on.
    Report(Box<Conforming>),
    /// A consent or a revocation, which is recorded.
    Consent(PersonKey, Box<ConsentRevision>),
    /// A protection flag, which is recorded.
    Protection(FlagRecord),
}

/// Judges an open message by its contract.
///
/// # Errors
/// A refusal with every `contract.*` and `identity.*` violation.
pub fn check(open: Open, catalogue: &Catalogue, keys: &dyn Keys) -> Result<Checked, Refusal> {
    let (decoded, person, person_key) = open.into_parts();
    let Some(contract) = catalogue.contract(&decoded.outline().reference) else {
        return Err(Refusal::whole(Code::TransportUnknownContract));
    };
    let timetable = Timetable::read(decoded.document().tree());
    let (sender, violations) = judge(&decoded, contract, &timetable, catalogue);
    if let Some(refusal) = Refusal::from_all(violations) {
        return Err(refusal);
    }
    let Some(sender) = sender else { return Err(Refusal::whole(Code::IdentitySender)) };
    let (envelope, outline, mut document) = decoded.into_parts();
    normalise(&mut document, &outline, &person, &sender);
    match outline.reference.name() {
        "activity-report" => {
            derive::fill(&contract.computes, document.tree_mut(), &timetable);
            let report = Reading { document: &document, keys, sender: &sender, person: &person_key };
            let facts = report.report(&timetable).ok_or_else(|| Refusal::whole(Code::JourneyFailed))?;
            let (report, revision, kind, period, ends_at) = facts;
            let namnd = namnd_of(&document, &outline);
            Ok(Checked::Report(Box::new(Conforming {
                envelope,
                outline,
                document,
                sender,
                namnd,
                person,
                person_key,
                report,
                revision,
                kind,
                period,
                ends_at,
            })))
        }
        "consent" => {
            let reading = Reading { document: &document, keys, sender: &sender, person: &person_key };
            let revision = reading.consent().ok_or_else(|| Refusal::whole(Code::JourneyFailed))?;
            Ok(Checked::Consent(person_key, Box::new(revision)))
        }
        "protection" => Ok(Checked::Protection(FlagRecord { person: person_key })),
        _ => Err(Refusal::whole(Code::TransportUnknownContract)),
    }
}

/// The refusal of a message whose person cannot be read, with everything else that is wrong in it.
#[must_use]
pub fn refuse_unreadable(decoded: &Decoded, violation: Violation, catalogue: &Catalogue) -> Refusal {
    let mut violations = vec![violation.clone()];
    if let Some(contract) = catalogue.contract(&decoded.outline().reference) {
        let timetable = Timetable::read(decoded.document().tree());
        violations.extend(
            judge(decoded, contract, &timetable, catalogue).1.into_iter().filter(|other| other.place != violation.place),
        );
    }
    Refusal::from_all(violations).unwrap_or_else(|| Refusal::of(violation))
}

/// Every violation of a decoded document, and the kommun that sent it.
fn judge(
    decoded: &Decoded,
    contract: &Contract,
    timetable: &Timetable,
    catalogue: &Catalogue,
) -> (Option<Kommun>, Vec<Violation>) {
    let tree = decoded.document().tree();
    let mut found = if contract.judge.fits(tree) { Vec::new() } else { contract.judge.violations(tree) };
    found.extend_from_slice(timetable.violations());
    let today = decoded.envelope().day();
    for rule in &contract.rules {
        rule.check(tree, timetable, today, &mut found);
    }
    let sender = catalogue.parties().sender(&decoded.envelope().login).map(|sender| sender.kommun.clone());
    if let Some(roles) = &decoded.outline().roles
        && let Some(text) = decoded.document().text(&roles.organisation)
    {
        let place = || Place::fields(&roles.organisation);
        match (text.parse::<OrganisationNumber>(), &sender) {
            (Err(()), _) => found.push(Violation::new(Code::IdentityOrganisation, place())),
            (Ok(number), Some(sender)) if number == sender.organisation => {}
            (Ok(_), _) => found.push(Violation::new(Code::IdentitySender, place())),
        }
    }
    (sender, found)
}

/// Writes the person's twelve and the organisation's ten digits, so that every later stage and every recipient sees one form.
fn normalise(document: &mut Document, outline: &Outline, person: &PersonNumber, sender: &Kommun) {
    let Some(roles) = &outline.roles else { return };
    for (path, digits) in [(&roles.person, person.digits()), (&roles.organisation, sender.organisation.as_str())] {
        let leaf = path.split('.').try_fold(document.tree_mut(), |node, name| node.get_mut(name));
        if let Some(leaf) = leaf {
            *leaf = Value::String(digits.to_owned());
        }
    }
}

fn namnd_of(document: &Document, outline: &Outline) -> String {
    outline.roles.as_ref().and_then(|roles| document.text(&roles.namnd)).unwrap_or_default().to_owned()
}

type ReportFacts = (ReportKey, i64, ReportKind, (Date, Date), Timestamp);

/// Reads typed facts out of a document whose contract holds.
struct Reading<'a> {
    document: &'a Document,
    keys: &'a dyn Keys,
    sender: &'a Kommun,
    person: &'a PersonKey,
}

impl Reading<'_> {
    fn text(&self, path: &str) -> Option<&str> {
        self.document.text(path)
    }

    fn date(&self, path: &str) -> Option<Date> {
        calendar_date(self.text(path)?).ok()
    }

    fn instant(&self, path: &str) -> Option<Timestamp> {
        activity_instant(self.text(path)?).ok()
    }

    fn integer(&self, path: &str) -> Option<i64> {
        self.document.value(path).and_then(Value::as_i64)
    }

    fn categories(&self, path: &str) -> Option<Categories> {
        let items = self.document.value(path)?.as_array()?;
        Some(items.iter().filter_map(|item| item.as_str()?.parse::<Category>().ok()).collect())
    }

    fn report(&self, timetable: &Timetable) -> Option<ReportFacts> {
        let kind = match self.text("kind")? {
            "original" => ReportKind::Original,
            "correction" => ReportKind::Correction,
            _ => ReportKind::Cancellation,
        };
        let period = (self.date("period.from")?, self.date("period.to")?);
        let day_end = period.1.tomorrow().ok()?.in_tz(crate::domain::STOCKHOLM).ok()?.timestamp();
        let report = self.keys.report("report", self.sender.organisation, self.person, self.text("reportId")?);
        Some((report, self.integer("revision")?, kind, period, timetable.end().unwrap_or(day_end)))
    }

    fn consent(&self) -> Option<ConsentRevision> {
        let kind = match self.text("kind")? {
            "secrecy-waiver" => ConsentKind::SecrecyWaiver,
            _ => ConsentKind::GdprConsent,
        };
        let receiving = match self.text("receivingParty")? {
            "arbetsformedlingen" => Party::Arbetsformedlingen,
            _ => Party::Forsorjningsstod,
        };
        Some(ConsentRevision {
            key: self.keys.report("consent", self.sender.organisation, self.person, self.text("consentId")?),
            organisation: self.sender.organisation,
            revision: self.integer("revision")?,
            kind,
            disclosing: self.text("disclosingNamnd")?.to_owned(),
            receiving,
            categories: self.categories("categories")?,
            agreement: self.text("agreement")?.to_owned(),
            from: self.date("from")?,
            to: self.date("to")?,
            given_at: self.instant("givenAt")?,
            confirmed_at: self.instant("gdprConfirmedAt"),
            revoked_at: self.instant("revokedAt"),
            revoked_categories: self.categories("revokedCategories"),
        })
    }
}

impl Conforming {
    /// The envelope.
    #[must_use]
    pub const fn envelope(&self) -> &Envelope {
        &self.envelope
    }

    /// The outline of the contract that holds.
    #[must_use]
    pub const fn outline(&self) -> &Arc<Outline> {
        &self.outline
    }

    /// The document, derived fields included.
    #[must_use]
    pub const fn document(&self) -> &Document {
        &self.document
    }

    /// The kommun that sent it.
    #[must_use]
    pub const fn sender(&self) -> &Kommun {
        &self.sender
    }

    /// The disclosing nämnd.
    #[must_use]
    pub fn namnd(&self) -> &str {
        &self.namnd
    }

    /// The participant.
    #[must_use]
    pub const fn person(&self) -> &PersonNumber {
        &self.person
    }

    /// The participant's keyed hash.
    #[must_use]
    pub const fn person_key(&self) -> &PersonKey {
        &self.person_key
    }

    /// Names the report over all its revisions.
    #[must_use]
    pub const fn report(&self) -> &ReportKey {
        &self.report
    }

    /// The revision, from 1.
    #[must_use]
    pub const fn revision(&self) -> i64 {
        self.revision
    }

    /// Original, correction or cancellation.
    #[must_use]
    pub const fn kind(&self) -> ReportKind {
        self.kind
    }

    /// First and last day of the reporting period: the activity's dates.
    #[must_use]
    pub const fn period(&self) -> (Date, Date) {
        self.period
    }

    /// When the activity has ended: its last expected or attended time, else the end of the period's last day.
    #[must_use]
    pub const fn ends_at(&self) -> Timestamp {
        self.ends_at
    }

    /// The fingerprint of the content: equal for JSON and XML of the same document, whatever the order of its fields.
    #[must_use]
    pub fn content(&self, keys: &dyn Keys) -> Fingerprint {
        let mut bytes = Vec::with_capacity(1024);
        canonical(&self.outline.shape, self.document.tree(), &mut bytes);
        keys.fingerprint(&bytes)
    }
}

/// Writes the fields that the contract knows in its own order; derived ones follow from the others and are left out.
fn canonical(object: &Object, tree: &Value, into: &mut Vec<u8>) {
    for field in object.fields.iter().filter(|field| !field.derived) {
        let Some(value) = tree.get(&field.name) else { continue };
        into.extend_from_slice(field.name.as_bytes());
        into.push(b'=');
        canonical_value(&field.shape, value, into);
        into.push(b';');
    }
}

fn canonical_value(shape: &Shape, value: &Value, into: &mut Vec<u8>) {
    match shape {
        Shape::Object(object) => canonical(object, value, into),
        Shape::List(list) => {
            for item in value.as_array().map_or(&[][..], Vec::as_slice) {
                canonical_value(&list.item, item, into);
                into.push(b',');
            }
        }
        // A value's own JSON text tells every value from every other.
        Shape::Leaf(_) => into.extend_from_slice(value.to_string().as_bytes()),
    }
}
