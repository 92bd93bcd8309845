//! A small world: the repository's contracts with one agreement more, a store in memory, and a clock moved by hand.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use brygga::agreement::{GateKind, Illustrations};
use brygga::domain::{Category, Files, MessageNumber, Party, Position, RecipientId, Subject};
use brygga::feed::{Cursor, Method};
use brygga::journey::{Arrival, ContractSet, Journey, Outcome};
use brygga::seal::{ServiceKeys, Vault};
use brygga::store::sqlite::SqliteStore;
use brygga::store::{Census, Clock, LegRow, MessageState, Store, StoredMessage, Survey as _, Tx};
use jiff::Timestamp;

use super::report::{ACTIVITY, MAX_ABSENCES, REASONS, reason_word};

/// The disclosing nämnd of every report here. No other agreement of the kommun names it.
pub(super) const NAMND: &str = "Nämnden ZQX-sender-namnd-Q";
/// The agreement's name.
pub(super) const AGREEMENT: &str = "prov-2026";
/// The kommun's organisation number.
pub(super) const ORGANISATION: &str = "2120001942";

/// The instant at which the world begins.
pub(super) fn start() -> Timestamp {
    at("2026-03-02T12:00:00Z")
}

pub(super) fn at(text: &str) -> Timestamp {
    text.parse().expect("an instant")
}

pub(super) fn af() -> RecipientId {
    RecipientId::arbetsformedlingen()
}

pub(super) fn fs() -> RecipientId {
    RecipientId::from_stored("1863.forsorjningsstod".to_owned())
}

/// What an agreement says of one recipient.
#[derive(Debug, Clone)]
pub(super) struct Recipient {
    pub(super) party: Party,
    pub(super) gate: GateKind,
    pub(super) documents: Vec<String>,
    pub(super) always: Vec<Category>,
    pub(super) with_consent: Vec<Category>,
    pub(super) never: Vec<Category>,
}

/// An agreement to be written as a file of the set.
#[derive(Debug, Clone)]
pub(super) struct Agreement {
    pub(super) signed: bool,
    pub(super) recipients: Vec<Recipient>,
}

impl Agreement {
    /// A waiver for everybody, and what some of the tests want to see change: times and reasons only with consent.
    pub(super) fn usual(gate_of_fs: GateKind) -> Self {
        use Category::{Absence, AbsenceReason, Attendance, FreeText, Identity, Placement, Report};
        let af = Recipient {
            party: Party::Arbetsformedlingen,
            gate: GateKind::Waiver,
            documents: vec!["af.deltaganderapport.v1".to_owned(), "af.avvikelserapport.v1".to_owned()],
            always: vec![Report, Identity, Placement, Absence],
            with_consent: vec![Attendance, AbsenceReason, FreeText],
            never: vec![Category::Plan],
        };
        let fs = Recipient {
            party: Party::Forsorjningsstod,
            gate: gate_of_fs,
            documents: vec!["fs.narvarosammanfattning.v1".to_owned()],
            always: vec![Report, Identity, Attendance],
            with_consent: Vec::new(),
            never: Vec::new(),
        };
        Self { signed: true, recipients: vec![af, fs] }
    }

    /// The agreement's file.
    pub(super) fn toml(&self) -> String {
        let status = if self.signed { "status = \"signed\"\nsigned = \"2025-12-01\"" } else { "status = \"illustrative\"" };
        let mut text = format!(
            "name = \"{AGREEMENT}\"\ntitle = \"Prov\"\n{status}\nkommun = \"1863\"\ncounterpart = \"202100-2114\"\n\
             namnd = \"{NAMND}\"\n[[terms]]\nversion = 1\nfrom = \"2026-01-01\"\nto = \"2026-06-30\"\n\
             late_reporting_days = 31\nhold_days = 30\npurpose = \"Prov\"\nlegal_ground = \"GDPR art. 6.1 e\"\n\
             [terms.activities]\n\"{ACTIVITY}\" = \"arbetstraning\"\n[terms.reasons]\n"
        );
        for index in 0..MAX_ABSENCES {
            for code in REASONS {
                writeln!(text, "\"{}\" = \"{code}\"", reason_word(index, code)).expect("written");
            }
        }
        for recipient in &self.recipients {
            let (party, kind) = (recipient.party.as_str(), recipient.gate.as_str());
            write!(
                text,
                "[[terms.recipients]]\nparty = \"{party}\"\ndocuments = {:?}\n\
                 gate = {{ kind = \"{kind}\", rule = \"Prov\", reason = \"Prov\", assessment = \"Prov\" }}\n\
                 [terms.recipients.matrix]\n",
                recipient.documents
            )
            .expect("written");
            let rights =
                [("always", &recipient.always), ("with-consent", &recipient.with_consent), ("never", &recipient.never)];
            for (right, categories) in rights {
                for category in categories {
                    writeln!(text, "{category} = \"{right}\"").expect("written");
                }
            }
        }
        text
    }

    /// The repository's set with this agreement added.
    pub(super) fn set(&self) -> ContractSet {
        let mut files = repository().clone();
        files.insert(format!("agreements/{AGREEMENT}.toml"), self.toml());
        ContractSet::load(&files, Illustrations::All).expect("the set loads")
    }
}

/// Sets that need loading only once, by the gate to försörjningsstöd.
pub(super) fn usual(gate_of_fs: GateKind) -> Arc<ContractSet> {
    static OPEN: OnceLock<Arc<ContractSet>> = OnceLock::new();
    static WAIVER: OnceLock<Arc<ContractSet>> = OnceLock::new();
    let cell = if gate_of_fs == GateKind::Waiver { &WAIVER } else { &OPEN };
    Arc::clone(cell.get_or_init(|| Arc::new(Agreement::usual(gate_of_fs).set())))
}

/// The files of the repository's contracts.
pub(super) fn repository() -> &'static Files {
    fn collect(root: &Path, folder: &Path, files: &mut Files) {
        for entry in std::fs::read_dir(folder).expect("the folder can be read") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                collect(root, &path, files);
            } else if let Ok(text) = std::fs::read_to_string(&path) {
                let name = path.strip_prefix(root).expect("below the root").to_string_lossy().replace('\\', "/");
                files.insert(name, text);
            }
        }
    }
    static FILES: OnceLock<Files> = OnceLock::new();
    FILES.get_or_init(|| {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("contracts");
        let mut files = Files::default();
        collect(&root, &root, &mut files);
        files
    })
}

/// An event as its reader gets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Event {
    pub(super) position: Position,
    pub(super) subject: Subject,
    pub(super) contract: String,
    pub(super) method: Method,
    pub(super) illustrative: bool,
    pub(super) document: String,
}

/// What a reader holds who lets the last event of a subject win: contract, mark and document.
pub(super) type Held = BTreeMap<Subject, (String, bool, String)>;

/// Folds events into what their reader holds.
pub(super) fn fold(held: &mut Held, events: &[Event]) {
    for event in events {
        match event.method {
            Method::Put => held.insert(event.subject, (event.contract.clone(), event.illustrative, event.document.clone())),
            Method::Delete => held.remove(&event.subject),
        };
    }
}

/// An empty store, and a clock moved by hand that stands at the beginning.
pub(super) trait Home: Sized {
    /// Its store.
    type Store: Store;

    /// Opens an empty store.
    async fn open() -> Self;

    /// The store.
    fn store(&self) -> &Self::Store;

    /// Its clock.
    fn clock(&self) -> &Clock;

    /// How many of so many cases are tried here.
    fn share(cases: usize) -> usize;
}

/// SQLite in memory.
pub(super) struct Memory {
    store: SqliteStore,
    clock: Clock,
}

impl Home for Memory {
    type Store = SqliteStore;

    async fn open() -> Self {
        let clock = Clock::at(start());
        Self { store: SqliteStore::in_memory(clock.clone()).await.expect("a store"), clock }
    }

    fn store(&self) -> &SqliteStore {
        &self.store
    }

    fn clock(&self) -> &Clock {
        &self.clock
    }

    fn share(cases: usize) -> usize {
        cases
    }
}

/// A service in miniature.
pub(super) struct World<H: Home> {
    pub(super) journey: Journey,
    pub(super) store: H::Store,
    pub(super) clock: Clock,
    _home: H,
}

impl<H: Home> World<H> {
    pub(super) async fn new(set: Arc<ContractSet>) -> Self {
        let home = H::open().await;
        Self {
            journey: Journey::new(set, Arc::new(ServiceKeys::derive(&[7; 32])), Vault::ephemeral().expect("random numbers")),
            store: home.store().clone(),
            clock: home.clock().clone(),
            _home: home,
        }
    }

    pub(super) async fn take(&self, arrivals: Vec<Arrival>) -> Vec<Outcome> {
        self.journey.take(&self.store, arrivals).await.expect("taken")
    }

    /// Takes one message and says what became of it.
    pub(super) async fn take_one(&self, arrival: Arrival) -> (MessageNumber, MessageState) {
        match self.take(vec![arrival]).await.first() {
            Some(Outcome::Stored(number, state)) => (*number, *state),
            other => panic!("not stored: {other:?}"),
        }
    }

    /// One page after a cursor.
    pub(super) async fn page(&self, recipient: &RecipientId, after: Cursor, limit: usize) -> Vec<Event> {
        let page = self.journey.page(&self.store, recipient, after, limit).await.expect("a page");
        let event = |served: brygga::journey::Served| Event {
            position: served.position,
            subject: served.subject,
            contract: served.contract,
            method: served.method,
            illustrative: served.illustrative,
            document: String::from_utf8(served.document).expect("text"),
        };
        page.entries.into_iter().map(event).collect()
    }

    /// Everything from the start, in one page.
    pub(super) async fn read(&self, recipient: &RecipientId) -> Vec<Event> {
        self.page(recipient, Cursor::START, 10_000).await
    }

    /// Sweeps until nothing is due.
    pub(super) async fn sweep(&self) {
        for _ in 0..50 {
            if self.journey.sweep(&self.store).await.expect("swept") == 0 {
                return;
            }
        }
        panic!("the sweep finds the same work due for ever");
    }

    pub(super) async fn message(&self, number: MessageNumber) -> StoredMessage {
        let mut tx = self.store.begin("test").await.expect("a transaction");
        tx.message(number).await.expect("read").expect("the message is there")
    }

    pub(super) async fn legs(&self, number: MessageNumber) -> Vec<LegRow> {
        let mut tx = self.store.begin("test").await.expect("a transaction");
        tx.legs(number).await.expect("read")
    }

    pub(super) async fn leg(&self, number: MessageNumber, recipient: &RecipientId) -> LegRow {
        self.legs(number).await.into_iter().find(|leg| leg.id.recipient == *recipient).expect("a leg")
    }

    pub(super) async fn census(&self) -> Census {
        let mut tx = self.store.begin("test").await.expect("a transaction");
        let census = tx.census().await.expect("counted");
        assert!(census.adds_up(), "law 6: {census:?}");
        tx.commit().await.expect("committed");
        brygga::audit::verify(&self.store, []).await.expect("read").expect("law 7: the chain holds");
        census
    }
}
