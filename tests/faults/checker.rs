//! The laws, checked on what was posted, what the store says and what readers were served, once all is quiet.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Instant;

use uuid::Uuid;

use super::answers::Delivered;
use super::clean::Clean;
use super::forms::Forms;
use super::load::{Does, Message, NEVER};
use super::reader::{Event, Notes};
use super::snapshot::Snapshot;

/// What is checked.
pub(crate) struct Evidence<'a> {
    /// Everything that was posted and confirmed.
    pub(crate) posted: &'a [Message],
    /// How many posts were confirmed, duplicates included.
    pub(crate) confirmed: usize,
    pub(crate) store: &'a Snapshot,
    /// What each reader has, from its beginning to the head.
    pub(crate) readers: &'a [Notes],
    /// What arrived at the municipality's systems.
    pub(crate) delivered: &'a Delivered,
    /// When each gate was seen to be shut in the store, by message.
    pub(crate) shut: &'a BTreeMap<Uuid, Instant>,
    /// Persons whose waivers have ended by date, and since when every process knows.
    pub(crate) ended: &'a [(String, Instant)],
    /// The same messages in a run without faults; none where a date makes it incomparable.
    pub(crate) clean: Option<&'a Clean>,
}

/// Every law that does not hold, in words without values.
pub(crate) fn check(evidence: &Evidence<'_>) -> Vec<String> {
    let mut wrongs = Vec::new();
    once(evidence, &mut wrongs);
    counts(evidence, &mut wrongs);
    pushed(evidence, &mut wrongs);
    for (index, notes) in evidence.readers.iter().enumerate() {
        wrongs.extend(notes.wrongs.iter().map(|wrong| format!("reader {index}: {wrong}")));
        gates(evidence, &notes.events, index, &mut wrongs);
        order(evidence, &notes.events, index, &mut wrongs);
    }
    if let Some(clean) = evidence.clean {
        same_as_clean(evidence, clean, &mut wrongs);
    }
    wrongs
}

/// Law 1.
fn once(evidence: &Evidence<'_>, wrongs: &mut Vec<String>) {
    let mut rows: BTreeMap<Uuid, usize> = BTreeMap::new();
    for (id, _) in &evidence.store.messages {
        *rows.entry(*id).or_default() += 1;
    }
    let posted: BTreeSet<Uuid> = evidence.posted.iter().map(|message| message.id).collect();
    let missing = posted.iter().filter(|id| !rows.contains_key(id)).count();
    let twice = rows.values().filter(|count| **count > 1).count();
    let foreign = rows.keys().filter(|id| !posted.contains(id)).count();
    for (count, what) in
        [(missing, "are not in the store"), (twice, "are there more than once"), (foreign, "were never posted")]
    {
        if count > 0 {
            wrongs.push(format!("law 1: {count} message(s) {what}"));
        }
    }
}

/// Law 6.
fn counts(evidence: &Evidence<'_>, wrongs: &mut Vec<String>) {
    let store = evidence.store;
    let known = ["duplicate", "refused", "diverted", "recorded", "journey"];
    if let Some((_, state)) = store.messages.iter().find(|(_, state)| !known.contains(&state.as_str())) {
        wrongs.push(format!("law 6: a message is {state}"));
    }
    let confirmed = i64::try_from(evidence.confirmed).expect("a count");
    if store.received < confirmed {
        wrongs.push(format!("law 6: {confirmed} posts were confirmed and {} received", store.received));
    }
    let journeys: BTreeSet<Uuid> = store.messages.iter().filter(|(_, state)| state == "journey").map(|(id, _)| *id).collect();
    let legs = store.legs.iter().filter(|(id, _)| journeys.contains(id)).count();
    if i64::try_from(legs).ok() != Some(store.fan_out) {
        wrongs.push(format!("law 6: journeys have {} recipients and {legs} legs", store.fan_out));
    }
    let states = ["published", "held", "refused", "superseded", "withdrawn"];
    if let Some((_, state)) = store.legs.iter().find(|(_, state)| !states.contains(&state.as_str())) {
        wrongs.push(format!("law 6: a leg is {state}"));
    }
}

/// Law 3.
fn gates(evidence: &Evidence<'_>, events: &[Event], reader: usize, wrongs: &mut Vec<String>) {
    let shut = evidence.posted.iter().filter(|message| message.does == Does::Shuts);
    let shut = shut.filter_map(|message| Some((message.person.as_str(), *evidence.shut.get(&message.id)?, true)));
    let ended = evidence.ended.iter().map(|(person, since)| (person.as_str(), *since, false));
    let held = held(events);
    let (mut late, mut kept) = (0, 0);
    for (person, since, is_taken_back) in shut.chain(ended) {
        late += events.iter().filter(|event| event.asked_at > since && event.document.contains(person)).count();
        kept += held.values().filter(|event| is_taken_back && event.document.contains(person)).count();
    }
    if late > 0 {
        wrongs.push(format!("law 3: reader {reader} was served {late} document(s) of a person whose gate was shut"));
    }
    if kept > 0 {
        wrongs.push(format!("law 3: reader {reader} still holds {kept} document(s) that were taken back, with no DELETE"));
    }
}

/// What one holds who lets the last event of a subject win.
fn held(events: &[Event]) -> BTreeMap<&str, &Event> {
    let mut held = BTreeMap::new();
    for event in events {
        held.insert(event.subject.as_str(), event);
    }
    held.retain(|_, event| !event.is_delete);
    held
}

/// Law 4.
fn order(evidence: &Evidence<'_>, events: &[Event], reader: usize, wrongs: &mut Vec<String>) {
    let store = evidence.store;
    let count = i64::try_from(store.entries.len()).expect("a count");
    let last = store.entries.last().map_or(0, |entry| entry.position);
    if reader == 0 && (store.head != count || last != count) {
        wrongs
            .push(format!("law 4: the counter is at {}, the last position {last}, and there are {count} entries", store.head));
    }
    if events.windows(2).any(|pair| pair[1].position <= pair[0].position) {
        wrongs.push(format!("law 4: reader {reader} was served an entry twice, or out of order"));
    }
    let seen: BTreeSet<i64> = events.iter().map(|event| event.position).collect();
    let live = || store.entries.iter().filter(|entry| entry.state == "live");
    let unseen = live().filter(|entry| !seen.contains(&entry.position)).count();
    if unseen > 0 {
        wrongs.push(format!("law 4: reader {reader} is at the head and was never served {unseen} live entrie(s)"));
    }
    // What is held must be what stands in the store; what a date has ended is nobody's to take back.
    let now: BTreeMap<&str, i64> =
        live().filter(|entry| !entry.is_delete).map(|entry| (entry.subject.as_str(), entry.position)).collect();
    let lapsed = |event: &Event| evidence.ended.iter().any(|(person, _)| event.document.contains(person));
    let stale =
        held(events).iter().filter(|(subject, event)| now.get(*subject) != Some(&event.position) && !lapsed(event)).count();
    if stale > 0 {
        wrongs.push(format!("law 5: reader {reader} holds {stale} document(s) that the store does not stand behind"));
    }
}

/// What is pushed. Law 4: each entry arrives, for the first time in the order of positions; a repetition has the same id.
/// Law 1: each message has one answer. Law 2: none holds anything that must not leave.
fn pushed(evidence: &Evidence<'_>, wrongs: &mut Vec<String>) {
    for (recipient, live) in &evidence.store.pushed {
        let arrived = evidence.delivered.positions.get(recipient).map(Vec::as_slice).unwrap_or_default();
        let lost = live.iter().filter(|position| !arrived.contains(position)).count();
        if lost > 0 {
            wrongs.push(format!("law 4: {lost} of {} entries of a pushed feed are confirmed and never arrived", live.len()));
        }
        let mut seen = BTreeSet::new();
        let first: Vec<i64> = arrived.iter().copied().filter(|position| seen.insert(*position)).collect();
        if !first.is_sorted() {
            wrongs.push("law 4: entries of a pushed feed arrived out of order".to_owned());
        }
    }
    let posted: BTreeMap<Uuid, &Message> = evidence.posted.iter().map(|message| (message.id, message)).collect();
    let answers = |id: &Uuid| evidence.delivered.answers.get(&id.to_string()).map_or(0, BTreeSet::len);
    let (without, several) = (posted.keys().filter(|id| answers(id) == 0), posted.keys().filter(|id| answers(id) > 1));
    let (without, several) = (without.count(), several.count());
    if without + several > 0 {
        wrongs.push(format!("law 1: {without} message(s) have no answer and {several} have more than one"));
    }
    let tells = |text: &String| text.contains(NEVER) || posted.values().any(|message| text.contains(&message.person));
    let telling = evidence.delivered.texts.iter().filter(|text| tells(text)).count();
    if telling > 0 {
        wrongs.push(format!("law 2: {telling} answer(s) hold personal data or a withheld field"));
    }
}

/// Law 5.
fn same_as_clean(evidence: &Evidence<'_>, clean: &Clean, wrongs: &mut Vec<String>) {
    let states = evidence.store.states();
    let other = clean.states.iter().filter(|(id, state)| states.get(*id) != Some(&state.as_str())).count();
    if other > 0 {
        wrongs.push(format!("law 5: {other} message(s) are in another state than in a run without faults"));
    }
    let mut legs: BTreeMap<Uuid, &str> = BTreeMap::new();
    for (id, state) in &evidence.store.legs {
        legs.insert(*id, state);
    }
    // A cancellation is published where something had been served, and superseded where nothing had.
    let alike = |ours: &str, theirs: &str| ours == theirs || (ours == "published" && theirs == "superseded");
    let other = clean.legs.iter().filter(|(id, state)| !legs.get(*id).is_some_and(|ours| alike(ours, state))).count();
    if other > 0 {
        wrongs.push(format!("law 5: {other} leg(s) are in another state than in a run without faults"));
    }
    for (index, notes) in evidence.readers.iter().enumerate() {
        let held: BTreeMap<&str, &str> =
            held(&notes.events).into_iter().map(|(subject, event)| (subject, event.document.as_str())).collect();
        let missing = clean.held.keys().filter(|subject| !held.contains_key(subject.as_str())).count();
        let more = held.keys().filter(|subject| !clean.held.contains_key(**subject)).count();
        let other = held.iter().filter(|(subject, text)| clean.held.get(**subject).is_some_and(|known| known != *text)).count();
        if missing + more + other > 0 {
            wrongs.push(format!(
                "law 5: reader {index} lacks {missing} document(s), has {more} too many and {other} other ones than after a \
                 run without faults"
            ));
        }
    }
}

/// Law 2 in what the processes have written, and in what operators were shown: nothing withheld, and nobody's number in any form.
pub(crate) fn check_logs(folder: &Path, persons: &BTreeSet<String>, wrongs: &mut Vec<String>) {
    let forms = Forms::of(persons.iter().chain([&NEVER.to_owned()]));
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.extension().is_none_or(|extension| extension != "log") {
            continue;
        }
        if forms.found_in(&std::fs::read(&path).expect("a log")) > 0 {
            wrongs.push(format!("law 2: {} holds personal data", path.file_name().unwrap_or_default().to_string_lossy()));
        }
    }
}
