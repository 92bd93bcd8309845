//! The small independent model: from what has been recorded, the clock and what was shown, what each recipient may see now.
//!
//! It is written from the rules (docs/reliability.md) and calls nothing of the program. Its time is Swedish time.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::documents::{Fields, Name, To, carries, documents};
use super::forms::{Book, ConsentForm, LAST_DAYS, Mask, Message, PERSONS, REPORTS};

pub(super) const BOTH: [To; 2] = [To::Af, To::Fs];

/// A rule that a model leaves out, to see that the comparison notices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flaw {
    None,
    Revocation,
    PartialRevocation,
    Expiry,
    Protection,
    Cancellation,
    Deletion,
}

/// What a report comes to for a recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Verdict {
    /// It stands, as these documents.
    Open(BTreeMap<Name, Fields>),
    /// A date has ended it: what was shown in time stays with its recipient, unless something newer was to replace it, or it
    /// carries something of these categories, which were taken back.
    Lapsed(Mask),
    /// Nothing of it stands, and what was shown is taken back.
    Shut,
}

/// One document of one recipient.
#[derive(Debug, Clone, Default)]
struct Paper {
    /// What it says now, where it stands.
    stands: Option<Fields>,
    /// The last thing it said, until it is taken back.
    said: Option<Fields>,
    /// Counts the things that it has said.
    version: u64,
    /// The version that was shown last.
    shown: Option<u64>,
    /// Whether a page broke off, so that nobody knows whether it was shown.
    is_uncertain: bool,
    /// Whether whoever has it may keep it although it does not stand.
    is_kept: bool,
}

/// What one reader should have.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Has {
    /// This.
    Exactly(Fields),
    /// Nothing.
    Nothing,
    /// What it had before, or nothing where that cannot be known.
    Before { or_nothing: bool },
}

/// The model.
#[derive(Debug, Clone)]
pub(super) struct Truth {
    book: Book,
    flaw: Flaw,
    pub(super) now: Timestamp,
    protected: BTreeSet<usize>,
    /// Revisions by person and report.
    reports: BTreeMap<(usize, usize), BTreeSet<usize>>,
    /// Revisions by person and consent.
    consents: BTreeMap<(usize, usize), BTreeSet<usize>>,
    papers: BTreeMap<(To, usize, usize), BTreeMap<Name, Paper>>,
    /// The revision that was last open.
    opened: BTreeMap<(To, usize, usize), usize>,
}

fn day(text: &str) -> Date {
    text.parse().expect("a date")
}

fn stockholm() -> TimeZone {
    TimeZone::get("Europe/Stockholm").expect("the time zone")
}

fn instant(day: Date, hour: i8) -> Timestamp {
    day.at(hour, 0, 0, 0).to_zoned(stockholm()).expect("an instant").timestamp()
}

impl Truth {
    pub(super) fn new(book: &Book, flaw: Flaw, now: Timestamp) -> Self {
        Self {
            book: book.clone(),
            flaw,
            now,
            protected: BTreeSet::new(),
            reports: BTreeMap::new(),
            consents: BTreeMap::new(),
            papers: BTreeMap::new(),
            opened: BTreeMap::new(),
        }
    }

    /// A message has been recorded now.
    pub(super) fn record(&mut self, message: Message) {
        match message {
            Message::Report { person, report, revision } => {
                let form = *self.book.report(person, report, revision);
                let is_late = self.now >= closes();
                let is_refused = !form.cancels && (is_late || !form.is_known);
                let may_come = !self.protected.contains(&person) && !is_refused;
                // The same revision once more is a duplicate, and changes nothing.
                if may_come && self.reports.entry((person, report)).or_default().insert(revision) {
                    self.settle(person, report);
                }
            }
            Message::Consent { person, consent, revision } => {
                self.consents.entry((person, consent)).or_default().insert(revision);
                self.settle_person(person);
            }
            Message::Flag { person } | Message::FlaggedReport { person } => {
                if self.flaw != Flaw::Protection {
                    self.protected.insert(person);
                }
                self.settle_person(person);
            }
        }
    }

    /// What only time has changed is done now.
    pub(super) fn sweep(&mut self) {
        (0..PERSONS.len()).for_each(|person| self.settle_person(person));
    }

    fn settle_person(&mut self, person: usize) {
        (0..REPORTS).for_each(|report| self.settle(person, report));
    }

    fn settle(&mut self, person: usize, report: usize) {
        let Some(revision) = self.reports.get(&(person, report)).and_then(|revisions| revisions.last()).copied() else {
            return;
        };
        for to in BOTH {
            let verdict = self.verdict(to, person, report, revision);
            let key = (to, person, report);
            let was_open = self.opened.get(&key) == Some(&revision);
            let papers = self.papers.entry(key).or_default();
            match verdict {
                Verdict::Open(documents) => {
                    self.opened.insert(key, revision);
                    for (name, paper) in papers.iter_mut() {
                        if !documents.contains_key(name) {
                            paper.take_back();
                        }
                    }
                    for (name, fields) in documents {
                        papers.entry(name).or_default().say(fields);
                    }
                }
                Verdict::Lapsed(taken) if was_open => {
                    for (name, paper) in papers.iter_mut() {
                        if paper.said.as_ref().is_some_and(|said| carries(name, said, taken)) {
                            paper.take_back();
                        } else {
                            paper.lapse();
                        }
                    }
                }
                Verdict::Lapsed(_) | Verdict::Shut => {
                    self.opened.remove(&key);
                    if self.flaw != Flaw::Deletion {
                        papers.values_mut().for_each(Paper::take_back);
                    }
                }
            }
        }
    }

    fn verdict(&self, to: To, person: usize, report: usize, revision: usize) -> Verdict {
        let form = self.book.report(person, report, revision);
        if self.protected.contains(&person) || (form.cancels && self.flaw != Flaw::Cancellation) {
            return Verdict::Shut;
        }
        if self.now < instant(day(LAST_DAYS[form.last_day]), 16) {
            return Verdict::Shut;
        }
        let waivers = self.waivers(to, person);
        let open: Vec<&Waiver> = waivers.iter().filter(|waiver| waiver.is_open(self.now)).collect();
        let needs_waiver = to == To::Af || self.book.fs_needs_waiver;
        let is_taken_back = || needs_waiver && open.is_empty() && waivers.iter().any(|waiver| waiver.is_revoked);
        let left = waivers.iter().filter(|waiver| !waiver.is_revoked).fold(0, |all, waiver| all | waiver.categories);
        let taken = waivers.iter().fold(0, |all, waiver| all | waiver.ended) & !left;
        if self.now >= closes() {
            return if is_taken_back() { Verdict::Shut } else { Verdict::Lapsed(taken) };
        }
        if needs_waiver && open.is_empty() {
            let has_ended = waivers.iter().any(|waiver| waiver.to < self.now.to_zoned(stockholm()).date());
            return if !is_taken_back() && has_ended { Verdict::Lapsed(taken) } else { Verdict::Shut };
        }
        let named = open.iter().fold(0, |all, waiver| all | waiver.categories);
        match documents(to, person, report, revision, form, named) {
            Some(documents) if !documents.is_empty() => Verdict::Open(documents),
            _ => Verdict::Shut,
        }
    }

    /// The waivers that concern a recipient, each as all its revisions together say.
    fn waivers(&self, to: To, person: usize) -> Vec<Waiver> {
        let of_person = self.consents.range((person, 0)..(person + 1, 0));
        let combined = of_person.filter_map(|((_, consent), revisions)| {
            let form = |revision: &usize| self.book.consent(person, *consent, *revision);
            let highest = form(revisions.last()?);
            let counts = highest.is_waiver && highest.is_ours && highest.to_af == (to == To::Af);
            counts.then(|| Waiver::combined(highest, revisions.iter().map(form), self.flaw))
        });
        combined.collect()
    }

    /// What stands for a recipient: what whoever starts from the beginning sees once all that is due is done.
    pub(super) fn standing(&self, to: To) -> BTreeMap<Name, Fields> {
        self.standing_of(to, None)
    }

    /// The same about one person, or all.
    pub(super) fn standing_of(&self, to: To, person: Option<usize>) -> BTreeMap<Name, Fields> {
        let papers = self.papers.iter().filter(|((of, about, _), _)| *of == to && person.is_none_or(|one| one == *about));
        let standing = papers.flat_map(|(_, papers)| papers.iter());
        standing.filter_map(|(name, paper)| Some((name.clone(), paper.stands.clone()?))).collect()
    }

    /// What may be seen of a document this very moment, whether or not what is due has been done.
    pub(super) fn permitted(&self, to: To, name: &Name) -> Option<Fields> {
        let (key, _) = self.papers.iter().find(|((of, ..), papers)| *of == to && papers.contains_key(name))?;
        let revision = *self.reports.get(&(key.1, key.2))?.last()?;
        match self.verdict(to, key.1, key.2, revision) {
            Verdict::Open(mut documents) => documents.remove(name),
            Verdict::Lapsed(_) | Verdict::Shut => None,
        }
    }

    /// A document was shown.
    pub(super) fn shown(&mut self, to: To, name: &Name) {
        if let Some(paper) = self.paper(to, name) {
            (paper.shown, paper.is_uncertain) = (Some(paper.version), false);
        }
    }

    /// A page of this recipient broke off.
    pub(super) fn broke_off(&mut self, to: To) {
        let papers = self.papers.iter_mut().filter(|((of, ..), _)| *of == to).flat_map(|(_, papers)| papers.values_mut());
        papers.filter(|paper| paper.stands.is_some()).for_each(|paper| paper.is_uncertain = true);
    }

    fn paper(&mut self, to: To, name: &Name) -> Option<&mut Paper> {
        self.papers.iter_mut().filter(|((of, ..), _)| *of == to).find_map(|(_, papers)| papers.get_mut(name))
    }

    /// What a reader has of each document that there ever was, once it has read to the head.
    pub(super) fn has(&self, to: To) -> BTreeMap<Name, Has> {
        let papers = self.papers.iter().filter(|((of, ..), _)| *of == to).flat_map(|(_, papers)| papers.iter());
        let has = papers.map(|(name, paper)| {
            let has = match &paper.stands {
                Some(fields) => Has::Exactly(fields.clone()),
                None if paper.is_uncertain => Has::Before { or_nothing: true },
                None if paper.is_kept => Has::Before { or_nothing: false },
                None => Has::Nothing,
            };
            (name.clone(), has)
        });
        has.collect()
    }
}

impl Paper {
    fn say(&mut self, fields: Fields) {
        if self.said.as_ref() != Some(&fields) {
            self.version += 1;
            self.said = Some(fields.clone());
        }
        self.stands = Some(fields);
        self.is_kept = false;
    }

    fn take_back(&mut self) {
        (self.stands, self.said, self.shown) = (None, None, None);
        (self.is_kept, self.is_uncertain) = (false, false);
    }

    fn lapse(&mut self) {
        if self.stands.take().is_some() {
            self.is_kept = self.shown == Some(self.version);
        }
    }
}

/// A waiver as all its revisions say.
struct Waiver {
    categories: Mask,
    ended: Mask,
    is_revoked: bool,
    from: Date,
    to: Date,
    given_at: Timestamp,
}

impl Waiver {
    /// The highest revision says what was agreed; what any revision has ended stays ended.
    fn combined<'a>(highest: &ConsentForm, all: impl Iterator<Item = &'a ConsentForm>, flaw: Flaw) -> Self {
        let (mut categories, mut ended, mut is_revoked) = (highest.categories, 0, false);
        for form in all {
            match form.ends {
                Some(0) if flaw != Flaw::Revocation => (is_revoked, ended) = (true, Mask::MAX),
                Some(mask) if flaw != Flaw::PartialRevocation => {
                    categories &= !mask;
                    ended |= mask;
                }
                _ => {}
            }
        }
        let to = if flaw == Flaw::Expiry { day("2030-12-31") } else { day(highest.to) };
        Self { categories, ended, is_revoked, from: day(highest.from), to, given_at: instant(day(highest.from), 10) }
    }

    fn is_open(&self, now: Timestamp) -> bool {
        let today = now.to_zoned(stockholm()).date();
        !self.is_revoked && self.given_at <= now && self.from <= today && today <= self.to
    }
}

/// When nothing under the terms may be shown any more: 30 June and 31 days.
fn closes() -> Timestamp {
    instant(day("2026-08-01"), 0)
}
