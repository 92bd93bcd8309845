//! Serving: pages of a feed. Handing over an entry of a pushed feed serves it too.
//!
//! A page is one transaction: lock the recipient's delivery row, read a bounded number of entries with what decides whether
//! they may be served, mark the good ones served, withdraw for good those whose gate no longer holds, commit; only then is
//! the first byte written. At the head with nothing to do no lock is taken and nothing is written.

use jiff::Timestamp;

use super::{Attempts, Journey, KeyedTx};
use crate::domain::{Code, Keys, Position, RecipientId, Subject, Syntax, TraceParent};
use crate::faults;
use crate::feed::{Cursor, Event, Method, event_id};
use crate::seal::ContentDigest;
use crate::store::{AuditAct, AuditRow, FeedEntry, Feeds as _, Store, StoreError, Stored, Tx, WithdrawalRow, WithdrawalStep};

/// One entry as it may be shown, after its transaction has committed.
#[derive(Debug)]
pub struct Served {
    /// Its position.
    pub position: Position,
    /// The outgoing contract.
    pub contract: String,
    /// Its subject.
    pub subject: Subject,
    /// When it was published.
    pub published_at: Timestamp,
    /// What it says.
    pub method: Method,
    /// The syntax of the document.
    pub syntax: Syntax,
    /// Whether it rests on an illustration that nobody has signed.
    pub illustrative: bool,
    /// The trace of the message that it was made of.
    pub traceparent: Option<TraceParent>,
    /// The document; empty for a `DELETE`.
    pub document: Vec<u8>,
}

impl Served {
    /// The entry as an event with its id.
    #[must_use]
    pub fn event(&self, keys: &dyn Keys, recipient: &RecipientId, epoch: u32) -> Event<'_> {
        Event {
            id: event_id(keys, recipient, epoch, self.position),
            contract: &self.contract,
            subject: &self.subject,
            time: self.published_at,
            method: self.method,
            syntax: self.syntax,
            illustrative: self.illustrative,
            traceparent: self.traceparent.as_ref(),
            data: &self.document,
        }
    }
}

/// A page of a feed, in order of position.
#[derive(Debug, Default)]
pub struct Page {
    /// The entries.
    pub entries: Vec<Served>,
}

impl Journey {
    /// Reads the page after a cursor.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn page<S: Store>(&self, store: &S, recipient: &RecipientId, after: Cursor, limit: usize) -> Stored<Page> {
        let mut page = Page::default();
        let (mut from, mut attempts) = (after.position(), Attempts::default());
        while page.entries.len() < limit && store.has_after(recipient, from).await? {
            match self.part_of_page(store, recipient, from, limit - page.entries.len()).await {
                Err(StoreError::Contended) if attempts.again() => {}
                part => {
                    let (good, last) = part?;
                    page.entries.extend(good);
                    from = last.unwrap_or(from);
                    attempts = Attempts::default();
                }
            }
        }
        Ok(page)
    }

    /// One transaction of a page: what may be shown of it, and the last place that was looked at.
    async fn part_of_page<S: Store>(
        &self,
        store: &S,
        recipient: &RecipientId,
        from: Position,
        wanted: usize,
    ) -> Stored<(Vec<Served>, Option<Position>)> {
        let mut tx = self.begin(store, "page").await?;
        tx.lock_deliveries(std::slice::from_ref(recipient)).await?;
        let entries = tx.page(recipient, from, i64::try_from(wanted).unwrap_or(i64::MAX)).await?;
        let last = entries.last().map(|last| last.position);
        let good = self.serve(&mut tx, recipient, entries).await?;
        faults::point!("page-marked-before-commit");
        tx.commit().await?;
        faults::point!("page-committed-before-first-byte");
        Ok((good, last))
    }

    /// Marks the good entries served and takes the others out for good.
    pub(super) async fn serve<T: Tx>(
        &self,
        tx: &mut KeyedTx<T>,
        recipient: &RecipientId,
        entries: Vec<FeedEntry>,
    ) -> Stored<Vec<Served>> {
        let now = tx.now();
        // What a relay hands over again was written down when it was handed over first: a system that is away for days would
        // otherwise fill the audit log. A reader who polls a page again is another reading.
        let is_news = !recipient.is_pushed() || entries.iter().any(|entry| !entry.served);
        let in_use = self.set.terms_in_use();
        let mut good = Vec::with_capacity(entries.len());
        let mut shown = Vec::with_capacity(entries.len());
        // What cannot be opened although its key is there was tampered with: a fault, and nothing of the page is shown.
        let documents = tx.open_all(recipient, &entries).await?;
        for (entry, document) in entries.into_iter().zip(documents) {
            let is_out = entry.flagged || entry.until.is_none_or(|until| until <= now);
            // It was decided under terms that another set has changed since: it is decided anew, and never shown before that.
            let is_old = entry.terms.as_deref().is_some_and(|terms| !in_use.contains(&terms));
            // An answer belongs to no report: it has no gate that could shut.
            let has_gate = entry.method == Method::Put && entry.report.is_some();
            let shut = has_gate && (is_out || is_old) && !faults::planted!("no-check-at-serving");
            // Where the key is gone the document is gone for good.
            let Some(document) = document.filter(|_| !shut) else {
                let Some(report) = entry.report else { continue };
                tx.withdraw_entry(recipient, entry.position).await?;
                let step = if entry.served { WithdrawalStep::LapsedAfterServing } else { WithdrawalStep::BeforeServing };
                let (position, subject, recipient) = (entry.position, entry.subject, recipient.clone());
                let code = if is_old && !is_out { Code::JourneyTerms } else { Code::JourneyLapsed };
                let (delete, cause) = (None, None);
                let row = WithdrawalRow { recipient, position, subject, report, code, step, delete, cause };
                tx.note_withdrawal(&row, entry.message).await?;
                tx.make_due(&report).await?;
                continue;
            };
            shown.push((entry.position.0, tx.digest(&entry.sealed, &document)));
            good.push(Served {
                position: entry.position,
                contract: entry.contract,
                subject: entry.subject,
                published_at: entry.published_at,
                method: entry.method,
                syntax: entry.syntax,
                illustrative: entry.illustrative,
                traceparent: entry.traceparent,
                document,
            });
        }
        let positions: Vec<Position> = good.iter().map(|entry| entry.position).collect();
        tx.mark_served(recipient, &positions).await?;
        let of_deletes = good.iter().filter(|entry| entry.method == Method::Delete);
        let deletes: Vec<Position> = of_deletes.map(|entry| entry.position).collect();
        if !deletes.is_empty() {
            tx.note_deletes_served(recipient, &deletes).await?;
        }
        if let (Some(first), Some(last)) = (positions.first(), positions.last())
            && is_news
        {
            let detail = format!("{{\"first\":{},\"last\":{},\"count\":{}}}", first.0, last.0, positions.len());
            let row = AuditRow::of_program(AuditAct::PageServed).to(recipient).with(detail);
            tx.audit(&row.of_content(ContentDigest::of_page(&shown))).await?;
        }
        Ok(good)
    }
}
