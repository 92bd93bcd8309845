//! Several writers and readers at once on one PostgreSQL, each a process of its own: whatever a reader is shown between two
//! commits about a person is what the model says stands then (law 3), who begins to read then holds of that person exactly
//! that, positions only go up (law 4), and once all is quiet everybody holds what the model says.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;

use super::cases::{books, messages};
use super::documents::{Fields, Name, To};
use super::drive::fits;
use super::forms::{Book, Message, PERSONS};
use super::place::{Place as _, Shared, start};
use super::reader::{Reader, Subjects};
use super::run;
use super::truth::{BOTH, Flaw, Truth};

/// What happens beside each other.
#[derive(Debug, Clone)]
pub(super) struct Beside {
    pub(super) book: Book,
    /// The batches of each participant, in order.
    pub(super) batches: Vec<Vec<Vec<Message>>>,
}

/// A case: each participant has a writer, since only the order of one participant's messages means anything.
pub(super) fn besides() -> impl Strategy<Value = Beside> {
    let of = |person: usize| {
        let message = messages().prop_map(move |message| message.about(person));
        vec(vec(message, 1..4), 3..9)
    };
    let first = |person: usize| {
        let consent = |consent| Message::Consent { person, consent, revision: 0 };
        vec![consent(0), consent(2), Message::Report { person, report: 0, revision: 0 }]
    };
    let all: Vec<_> = (0..PERSONS.len()).map(of).collect();
    (books(), all).prop_map(move |(book, mut batches)| {
        for (person, batches) in batches.iter_mut().enumerate() {
            batches.insert(0, first(person));
        }
        Beside { book, batches }
    })
}

/// What stands of a person while nobody is changing it; `None` while somebody is.
type Standing = Option<[Vec<(Name, Fields)>; 2]>;

/// For each person how often that has changed, and what stands.
type Board = Mutex<Vec<(u64, Standing)>>;

fn look(board: &Board) -> Vec<(u64, Standing)> {
    board.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

fn pin_up(board: &Board, person: usize, standing: Standing) {
    if let Some(place) = board.lock().unwrap_or_else(PoisonError::into_inner).get_mut(person) {
        *place = (place.0 + 1, standing);
    }
}

fn standing(truth: &Truth, person: usize) -> [Vec<(Name, Fields)>; 2] {
    BOTH.map(|to| truth.standing_of(to, Some(person)).into_iter().collect())
}

/// Whom a document is about.
fn person_of(fields: &Fields) -> Option<usize> {
    fields.values().find_map(|value| PERSONS.iter().position(|person| person == value))
}

/// Reads until it is told that all is quiet, and then to the head; gives how many documents were compared.
async fn follow(
    place: &Shared,
    case: &Beside,
    mut reader: Reader,
    limit: usize,
    board: &Board,
    is_quiet: &AtomicBool,
) -> Result<(Reader, usize), String> {
    let (journey, store) = (place.journey(case.book.fs_needs_waiver).await, place.process().await);
    let mut subjects = Subjects::new();
    let mut compared = 0;
    loop {
        let was_quiet = is_quiet.load(Ordering::SeqCst);
        let before = look(board);
        let events = reader.page(&journey, &store, limit, &mut subjects).await?;
        let after = look(board);
        for event in &events {
            let (Some(name), Some(fields)) = (&event.name, &event.fields) else { continue };
            let person = person_of(fields).ok_or("a document about nobody")?;
            let ((count, standing), (count_after, _)) = (&before[person], &after[person]);
            let Some(standing) = standing.as_ref().filter(|_| count == count_after) else { continue };
            compared += 1;
            let of_reader = &standing[usize::from(reader.to == To::Fs)];
            if !of_reader.iter().any(|(stands, says)| stands == name && says == fields) {
                return Err(format!("law 3: {:?} is shown {name:?} as {fields:?}, and {of_reader:?} stands", reader.to));
            }
        }
        if reader.is_at_head && was_quiet {
            return Ok((reader, compared));
        }
        if events.is_empty() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
}

/// Takes one participant's batches, and pins up what stands after each; whoever begins to read then, while the others go on,
/// holds exactly that of the participant. Gives how many documents were compared.
async fn write(place: &Shared, case: &Beside, person: usize, board: &Board) -> Result<usize, String> {
    let (journey, store) = (place.journey(case.book.fs_needs_waiver).await, place.process().await);
    let mut truth = Truth::new(&case.book, Flaw::None, start());
    let mut compared = 0;
    for (index, batch) in case.batches[person].iter().enumerate() {
        let first = 1000 * (person as u128 + 1) + 10 * index as u128;
        let arrivals: Vec<_> =
            batch.iter().zip(first..).map(|(message, id)| case.book.arrival(*message, id, start())).collect();
        pin_up(board, person, None);
        journey.take(&store, arrivals).await.map_err(|fault| fault.to_string())?;
        for message in batch {
            truth.record(*message);
        }
        let stands = standing(&truth, person);
        pin_up(board, person, Some(stands.clone()));
        for (to, stands) in BOTH.into_iter().zip(stands) {
            let mut newcomer = Reader::new(to);
            newcomer.page(&journey, &store, 1000, &mut Subjects::new()).await?;
            let held: Vec<_> = newcomer.held.into_iter().filter(|(_, says)| person_of(says) == Some(person)).collect();
            compared += held.len();
            if held != stands {
                return Err(format!("law 3: a newcomer to {to:?} holds {held:?}, and {stands:?} stands"));
            }
        }
    }
    Ok(compared)
}

/// What everybody holds once all is quiet.
async fn settle(place: &Shared, case: &Beside) -> Result<Truth, String> {
    let (journey, store) = (place.journey(case.book.fs_needs_waiver).await, place.process().await);
    while journey.sweep(&store).await.map_err(|fault| fault.to_string())? > 0 {}
    let mut truth = Truth::new(&case.book, Flaw::None, start());
    for message in case.batches.iter().flatten().flatten() {
        truth.record(*message);
    }
    for to in BOTH {
        let mut reader = Reader::new(to);
        reader.page(&journey, &store, 1000, &mut Subjects::new()).await?;
        if reader.held != truth.standing(to) {
            return Err(format!("{to:?} from the beginning: {:?}, but {:?} stands", reader.held, truth.standing(to)));
        }
    }
    Ok(truth)
}

/// Takes a case to its end, each writer and reader in a thread of its own; gives how many documents were compared while
/// others wrote.
pub(super) fn drive_beside(case: &Beside) -> Result<usize, String> {
    let place = run(Shared::open());
    let board = Mutex::new(vec![(0, None); PERSONS.len()]);
    let is_quiet = AtomicBool::new(false);
    let panicked = |_| "a thread has panicked".to_owned();
    let (place, board, is_quiet) = (&place, &board, &is_quiet);
    std::thread::scope(|scope| {
        let readers = [(To::Af, 2), (To::Af, 50), (To::Fs, 3)]
            .map(|(to, limit)| scope.spawn(move || run(follow(place, case, Reader::new(to), limit, board, is_quiet))));
        let writers: Vec<_> =
            (0..PERSONS.len()).map(|person| scope.spawn(move || run(write(place, case, person, board)))).collect();
        let written: Vec<_> = writers.into_iter().map(|writer| writer.join().map_err(panicked).flatten()).collect();
        let truth = run(settle(place, case));
        // Whatever has gone wrong, the readers end.
        is_quiet.store(true, Ordering::SeqCst);
        let read: Vec<_> = readers.into_iter().map(|reader| reader.join().map_err(panicked).flatten()).collect();
        let mut compared = written.into_iter().sum::<Result<usize, String>>()?;
        let truth = truth?;
        for reader in read {
            let (reader, seen) = reader?;
            compared += seen;
            fits(&truth, &Reader::new(reader.to), &reader, false)?;
        }
        Ok(compared)
    })
}
