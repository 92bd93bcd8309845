//! The model's outgoing documents: which of them a recipient gets of a report, and with which fields.

use std::collections::BTreeMap;

use super::forms::{LAST_DAYS, Mask, NAMED, NAMND, ORGANISATION, PERSONS, ReportForm, absence_id, first_day};

/// A document's fields by path, as its recipient reads them.
pub(super) type Fields = BTreeMap<String, String>;

/// Names a document over all revisions of its report: the outgoing contract and what is its own in it.
pub(super) type Name = (String, String);

/// A recipient: Arbetsförmedlingen, or the försörjningsstöd of the kommun.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum To {
    Af,
    Fs,
}

/// Whether a document says something of one of these categories, which only a waiver opens.
pub(super) fn carries((contract, _): &Name, fields: &Fields, categories: Mask) -> bool {
    let is_one = |category: &str| NAMED.iter().position(|one| *one == category).is_some_and(|bit| categories & (1 << bit) != 0);
    match contract.as_str() {
        "af.deltaganderapport.v1" => is_one("attendance"),
        "af.avvikelserapport.v1" => {
            is_one("absence-reason") || is_one("free-text") && fields.contains_key("franvaro.motivering")
        }
        _ => false,
    }
}

/// The documents of a report for a recipient who may see these categories by a waiver; `None` where one cannot be written.
pub(super) fn documents(
    to: To,
    person: usize,
    report: usize,
    revision: usize,
    form: &ReportForm,
    named: Mask,
) -> Option<BTreeMap<Name, Fields>> {
    let may = |category: &str| NAMED.iter().position(|one| *one == category).is_some_and(|bit| named & (1 << bit) != 0);
    let (first, last) = (first_day(report), LAST_DAYS[form.last_day]);
    let fields = |fields: &[(&str, &str)]| -> Fields {
        fields.iter().map(|(path, value)| ((*path).to_owned(), (*value).to_owned())).collect()
    };
    let attended = format!("{}.00", form.hours);
    let mut documents = BTreeMap::new();
    if to == To::Fs {
        let away = 8 - form.hours + if form.absence.is_some() { 0 } else { 8 };
        let name = ("fs.narvarosammanfattning.v1".to_owned(), format!("{} {first}", PERSONS[person]));
        let document = fields(&[
            ("personnummer", PERSONS[person]),
            ("period.from", first),
            ("period.tom", last),
            ("planeradeTimmar", "16.00"),
            ("narvarandeTimmar", &attended),
            ("oforklaradFranvaroTimmar", &format!("{away}.00")),
        ]);
        documents.insert(name, document);
        return Some(documents);
    }
    let (given, family) = (format!("Given{person}"), format!("Family{person}"));
    let seeker = [
        ("arbetssokande.personnummer", PERSONS[person]),
        ("arbetssokande.fornamn", given.as_str()),
        ("arbetssokande.efternamn", family.as_str()),
    ];
    if may("attendance") {
        let id = format!("R-{person}-{report}");
        let mut document = fields(&seeker);
        document.extend(fields(&[
            ("id", &id),
            ("insats.id", "PL-1"),
            ("insats.aktivitet", "arbetstraning"),
            ("insats.omfattning_procent", "75"),
            ("insats.from_datum", "2026-01-07"),
            ("insats.tom_datum", "2026-06-28"),
            ("period.from_datum", first),
            ("period.tom_datum", last),
            ("dagar.0.datum", first),
            ("dagar.0.planerade_timmar", "8.00"),
            ("dagar.0.narvarande_timmar", &attended),
            ("dagar.1.datum", last),
            ("dagar.1.planerade_timmar", "8.00"),
            ("dagar.1.narvarande_timmar", "0.00"),
        ]));
        documents.insert(("af.deltaganderapport.v1".to_owned(), id), document);
    }
    if let Some(absence) = form.absence.filter(|_| may("absence-reason")) {
        let id = absence_id(person, report, absence);
        let code = [Some("15"), Some("18"), None][absence.reason]?;
        let mut document = fields(&seeker);
        document.extend(fields(&[
            ("id", &id),
            ("leverantor.leverantor_id", ORGANISATION),
            ("leverantor.namn", NAMND),
            ("franvaro.avvikelseorsakskod", code),
            ("franvaro.datum", last),
            ("franvaro.heldag", "true"),
            ("franvaro.forvantad_narvaro.starttid", "08:00"),
            ("franvaro.forvantad_narvaro.sluttid", "16:00"),
        ]));
        if absence.motivated && may("free-text") {
            document.insert("franvaro.motivering".to_owned(), format!("Motivation{revision}"));
        }
        documents.insert(("af.avvikelserapport.v1".to_owned(), id), document);
    }
    Some(documents)
}
