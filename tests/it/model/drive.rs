//! Takes the steps of a case with the program and with the model, and compares after each of them.

use std::collections::BTreeSet;
use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use brygga::feed::Cursor;
use brygga::journey::{Arrival, Journey};
use brygga::store::{Store as _, Survey as _};
use jiff::ToSpan as _;

use super::documents::To;
use super::forms::{Book, Message};
use super::place::{Place, start};
use super::reader::{Event, Reader, Subjects, recipient};
use super::truth::{BOTH, Flaw, Has, Truth};

/// One step of a case.
#[derive(Debug, Clone)]
pub(super) enum Step {
    /// Messages arrive in one batch.
    Take(Vec<Message>),
    /// Messages arrive again under ids that came before.
    Again(usize),
    /// A reader goes on: how many pages of how many entries.
    Poll { reader: usize, pages: usize, limit: usize },
    /// Somebody starts from the beginning.
    Fresh(bool),
    /// The clock goes on by so many hours.
    Clock(i64),
    /// What is due is done.
    Sweep,
    /// A batch is broken off after so many of its steps, the process begins anew, and the sender sends all again.
    CrashTaking(Vec<Message>, usize),
    /// A page is broken off after so many of its steps, and the process begins anew.
    CrashReading(bool, usize),
    /// The process begins anew.
    Restart,
}

/// A case.
#[derive(Clone)]
pub(super) struct Case {
    pub(super) book: Book,
    pub(super) steps: Vec<Step>,
}

/// The steps, each on a line, and what those of its messages say that come.
impl std::fmt::Debug for Case {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "försörjningsstöd needs a waiver: {}", self.book.fs_needs_waiver)?;
        let mut come = BTreeSet::new();
        for step in &self.steps {
            writeln!(f, "{step:?}")?;
            if let Step::Take(messages) | Step::CrashTaking(messages, _) = step {
                come.extend(messages.iter().copied());
            }
        }
        for message in come {
            match message {
                Message::Report { person, report, revision } => {
                    writeln!(f, "{message:?}: {:?}", self.book.report(person, report, revision))?;
                }
                Message::Consent { person, consent, revision } => {
                    writeln!(f, "{message:?}: {:?}", self.book.consent(person, consent, revision))?;
                }
                Message::Flag { .. } | Message::FlaggedReport { .. } => {}
            }
        }
        Ok(())
    }
}

/// The program on its way through a case.
struct Run<'a, P: Place> {
    place: &'a P,
    store: P::Store,
    journey: Journey,
    book: &'a Book,
    truth: Truth,
    /// Messages and their ids.
    sent: Vec<(Message, u128)>,
    readers: Vec<Reader>,
    subjects: Subjects,
    /// Whether the clock has moved and what is due has not been done since.
    is_stale: bool,
    /// Whether a page broke off, so that a reader can be told of what it has not seen.
    has_broken_off: bool,
}

/// Takes a case to its end, or to where the program and the model differ.
pub(super) async fn drive<P: Place>(case: &Case, flaw: Flaw) -> Result<(), String> {
    let place = P::open().await;
    let (store, journey) = (place.process().await, place.journey(case.book.fs_needs_waiver).await);
    let truth = Truth::new(&case.book, flaw, start());
    let readers = [To::Af, To::Af, To::Fs].map(Reader::new).to_vec();
    let (sent, subjects) = (Vec::new(), Subjects::new());
    let (is_stale, has_broken_off) = (false, false);
    let mut run =
        Run { place: &place, store, journey, book: &case.book, truth, sent, readers, subjects, is_stale, has_broken_off };
    for (index, step) in case.steps.iter().enumerate() {
        let at = |words: String| format!("after step {index}, {step:?}: {words}");
        run.take_step(step).await.map_err(at)?;
        run.compare_on_a_copy().await.map_err(at)?;
    }
    run.finish().await.map_err(|words| format!("at the end: {words}"))
}

/// Drives a future for so many of its steps; `None` where it has not ended by then, and is dropped.
async fn cut<F: Future>(future: F, steps: usize) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut left = steps;
    poll_fn(move |context| match future.as_mut().poll(context) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending if left == 0 => Poll::Ready(None),
        Poll::Pending => {
            left -= 1;
            Poll::Pending
        }
    })
    .await
}

/// What was shown must be permitted at this moment, and nothing is taken back that nobody was shown.
fn may_be_seen(truth: &Truth, to: To, events: &[Event], has_broken_off: bool) -> Result<(), String> {
    for event in events {
        match (&event.name, &event.fields) {
            (Some(name), Some(fields)) => {
                let permitted = truth.permitted(to, name).ok_or_else(|| format!("{name:?} is shown and may not be"))?;
                if !fields.iter().all(|(path, value)| permitted.get(path) == Some(value)) {
                    return Err(format!("{name:?} shows more than may be seen: {fields:?}, not {permitted:?}"));
                }
            }
            (None, _) if !has_broken_off => return Err("a DELETE of what nobody was ever shown".to_owned()),
            _ => {}
        }
    }
    Ok(())
}

/// What a reader holds who has read on to the head; before that page it held what `before` held.
pub(super) fn fits(truth: &Truth, before: &Reader, reader: &Reader, is_stale: bool) -> Result<(), String> {
    let truth = truth.has(reader.to);
    for (name, has) in &truth {
        let (held, had) = (reader.held.get(name), before.held.get(name));
        let fits = match has {
            Has::Exactly(fields) => held == Some(fields) || (is_stale && held == had),
            Has::Nothing => held.is_none(),
            Has::Before { or_nothing } => held == had || (*or_nothing && held.is_none()),
        };
        if !fits {
            return Err(format!("{:?} reading on holds {held:?} of {name:?} after {had:?}, but {has:?}", reader.to));
        }
    }
    match reader.held.keys().find(|name| !truth.contains_key(*name)) {
        Some(name) => Err(format!("{:?} holds {name:?}, which nobody ever published", reader.to)),
        None => Ok(()),
    }
}

impl<P: Place> Run<'_, P> {
    async fn take_step(&mut self, step: &Step) -> Result<(), String> {
        match step {
            Step::Take(messages) => {
                let arrivals = self.arrivals(messages);
                self.take(arrivals, messages).await?;
            }
            Step::Again(index) if !self.sent.is_empty() => {
                let (message, id) = self.sent[index % self.sent.len()];
                let arrival = self.book.arrival(message, id, self.truth.now);
                self.journey.take(&self.store, vec![arrival]).await.map_err(|fault| fault.to_string())?;
            }
            Step::Poll { reader: which, pages, limit } => {
                let mut reader = self.readers[*which].clone();
                for _ in 0..*pages {
                    let before = reader.clone();
                    let events = reader.page(&self.journey, &self.store, *limit, &mut self.subjects).await?;
                    self.see(reader.to, &events)?;
                    if reader.is_at_head {
                        self.check_reader(&before, &reader)?;
                    }
                }
                self.readers[*which] = reader;
            }
            Step::Fresh(to_af) => {
                let mut reader = Reader::new(if *to_af { To::Af } else { To::Fs });
                let events = reader.page(&self.journey, &self.store, 1000, &mut self.subjects).await?;
                self.see(reader.to, &events)?;
                self.check_fresh(&reader)?;
            }
            Step::Clock(hours) => {
                self.truth.now += hours.hours();
                self.place.clock().set(self.truth.now);
                self.is_stale = true;
            }
            Step::Sweep => self.sweep().await?,
            Step::CrashTaking(messages, steps) => {
                let arrivals = self.arrivals(messages);
                drop(cut(self.journey.take(&self.store, arrivals.clone()), *steps).await);
                self.restart().await;
                self.take(arrivals, messages).await?;
            }
            Step::CrashReading(to_af, steps) => {
                let to = if *to_af { To::Af } else { To::Fs };
                drop(cut(self.journey.page(&self.store, &recipient(to), Cursor::START, 3), *steps).await);
                self.has_broken_off = true;
                self.truth.broke_off(to);
                self.restart().await;
            }
            Step::Restart => self.restart().await,
            Step::Again(_) => {}
        }
        Ok(())
    }

    fn arrivals(&mut self, messages: &[Message]) -> Vec<Arrival> {
        let first = self.sent.len() as u128 + 1;
        self.sent.extend(messages.iter().copied().zip(first..));
        messages.iter().zip(first..).map(|(message, id)| self.book.arrival(*message, id, self.truth.now)).collect()
    }

    async fn take(&mut self, arrivals: Vec<Arrival>, messages: &[Message]) -> Result<(), String> {
        self.journey.take(&self.store, arrivals).await.map_err(|fault| fault.to_string())?;
        for message in messages {
            self.truth.record(*message);
        }
        Ok(())
    }

    async fn restart(&mut self) {
        self.store = self.place.process().await;
        self.journey = self.place.journey(self.book.fs_needs_waiver).await;
    }

    async fn sweep(&mut self) -> Result<(), String> {
        for _ in 0..60 {
            if self.journey.sweep(&self.store).await.map_err(|fault| fault.to_string())? == 0 {
                self.truth.sweep();
                self.is_stale = false;
                return Ok(());
            }
        }
        Err("the sweep finds the same work due for ever".to_owned())
    }

    fn see(&mut self, to: To, events: &[Event]) -> Result<(), String> {
        may_be_seen(&self.truth, to, events, self.has_broken_off)?;
        let documents = events.iter().filter(|event| event.fields.is_some());
        documents.flat_map(|event| &event.name).for_each(|name| self.truth.shown(to, name));
        Ok(())
    }

    /// What somebody holds who has read everything from the beginning.
    fn check_fresh(&self, reader: &Reader) -> Result<(), String> {
        let standing = self.truth.standing(reader.to);
        if !self.is_stale && reader.held != standing {
            return Err(format!("{:?} from the beginning: {:?}, but {standing:?} stands", reader.to, reader.held));
        }
        Ok(())
    }

    fn check_reader(&self, before: &Reader, reader: &Reader) -> Result<(), String> {
        fits(&self.truth, before, reader, self.is_stale)
    }

    /// What everybody would see now, without anybody having looked.
    async fn compare_on_a_copy(&mut self) -> Result<(), String> {
        let Some(store) = self.place.copy().await else { return Ok(()) };
        for before in &self.readers {
            let mut reader = before.clone();
            reader.page(&self.journey, &store, 1000, &mut self.subjects).await?;
            self.check_reader(before, &reader)?;
        }
        for to in BOTH {
            let mut reader = Reader::new(to);
            let events = reader.page(&self.journey, &store, 1000, &mut self.subjects).await?;
            may_be_seen(&self.truth, to, &events, self.has_broken_off)?;
            self.check_fresh(&reader)?;
        }
        Ok(())
    }

    /// In the end what is due is done, and everybody reads on.
    async fn finish(&mut self) -> Result<(), String> {
        self.sweep().await?;
        for before in self.readers.clone() {
            let mut reader = before.clone();
            let events = reader.page(&self.journey, &self.store, 1000, &mut self.subjects).await?;
            self.see(reader.to, &events)?;
            self.check_reader(&before, &reader)?;
        }
        for to in BOTH {
            let mut reader = Reader::new(to);
            reader.page(&self.journey, &self.store, 1000, &mut self.subjects).await?;
            self.check_fresh(&reader)?;
        }
        let mut tx = self.store.begin("test").await.map_err(|fault| fault.to_string())?;
        let census = tx.census().await.map_err(|fault| fault.to_string())?;
        if census.adds_up() { Ok(()) } else { Err(format!("law 6: {census:?}")) }
    }
}
