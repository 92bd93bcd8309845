//! Events about one or two participants, none in conflict with another, to be taken in any order.

use std::collections::BTreeMap;

use brygga::agreement::GateKind;
use brygga::domain::{Category, Code, Party, RecipientId, Syntax};
use brygga::journey::Arrival;
use brygga::store::{LegState, MessageState, Store, Tx};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use serde_json::json;
use uuid::Uuid;

use super::message::{CONSENTABLE, Waiver, arrival, flag, report};
use super::report::{PERSONS, Report, reports};
use super::world::{Held, Home, World, af, fold, fs};

/// What happens around one participant.
#[derive(Debug, Clone)]
struct Participant {
    contents: Vec<Report>,
    /// Which of the messages of [`Participant::reports`] come.
    come: Vec<bool>,
    to_af: Option<(usize, usize)>,
    /// What the second revision of the waiver to Arbetsförmedlingen revokes, and whether a third revokes all.
    revoked: (Option<usize>, bool),
    to_fs: Option<(usize, bool)>,
    again: (Option<usize>, bool),
    flagged: (bool, bool),
}

/// A whole script, with some of its messages coming more than once.
#[derive(Debug, Clone)]
pub(super) struct Script {
    pub(super) gate_of_fs: GateKind,
    participants: Vec<Participant>,
    redelivered: Vec<usize>,
}

/// An order of arrival: messages are sorted by these keys and cut into batches after those with a cut.
#[derive(Clone)]
pub(super) struct Order {
    keys: Vec<u8>,
    cuts: Vec<bool>,
}

impl std::fmt::Debug for Order {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let cuts: Vec<usize> = self.cuts.iter().enumerate().filter(|(_, cut)| **cut).map(|(place, _)| place).collect();
        write!(f, "Order({:?}, {cuts:?})", self.keys)
    }
}

prop_compose! {
    fn participants()(
        contents in vec(reports(), 4),
        come in (vec(any::<bool>(), 6), vec(prop::bool::weighted(0.25), 5)).prop_map(|(often, seldom)| [often, seldom].concat()),
        to_af in option::weighted(0.85, (0_usize..4, prop_oneof![4 => Just(0_usize), 1 => Just(1), 1 => Just(2), 2 => Just(3)])),
        revoked in (option::weighted(0.4, 0_usize..3), prop::bool::weighted(0.25)),
        to_fs in option::weighted(0.8, (0_usize..4, prop::bool::weighted(0.3))),
        again in (option::weighted(0.3, 0_usize..4), prop::bool::weighted(0.3)),
        flagged in (prop::bool::weighted(0.12), prop::bool::weighted(0.08)),
    ) -> Participant {
        Participant { contents, come, to_af, revoked, to_fs, again, flagged }
    }
}

prop_compose! {
    pub(super) fn scripts()(
        gate_of_fs in prop::sample::select(vec![GateKind::Waiver, GateKind::NoSecrecyBoundary]),
        participants in prop_oneof![3 => vec(participants(), 1), 1 => vec(participants(), 2)],
        redelivered in vec(any::<usize>(), 0..4),
    ) -> Script {
        Script { gate_of_fs, participants, redelivered }
    }
}

prop_compose! {
    pub(super) fn orders()(keys in vec(any::<u8>(), 48), cuts in vec(any::<bool>(), 48)) -> Order {
        Order { keys, cuts }
    }
}

fn categories(choice: usize) -> Vec<Category> {
    let without = |hidden: Category| CONSENTABLE.into_iter().filter(|category| *category != hidden).collect();
    match choice {
        0 => CONSENTABLE.to_vec(),
        1 => without(Category::AbsenceReason),
        2 => without(Category::Attendance),
        _ => vec![Category::Report],
    }
}

fn dated(mut waiver: Waiver, period: usize) -> Waiver {
    let periods = [
        ("2026-01-01", "2026-12-31"),
        ("2026-03-20", "2026-12-31"),
        ("2026-01-01", "2026-02-25"),
        ("2026-01-01", "2026-03-12"),
    ];
    (waiver.from, waiver.to) = periods[period];
    waiver
}

impl Participant {
    fn consents(&self, person: &'static str) -> Vec<Waiver> {
        let mut all = Vec::new();
        if let Some((choice, period)) = self.to_af {
            let waiver = dated(Waiver::new(person, "AF-1", Party::Arbetsformedlingen, &categories(choice)), period);
            let ended = [vec![Category::AbsenceReason], vec![Category::Attendance, Category::FreeText], categories(0)];
            all.extend(self.revoked.0.map(|ended_by| waiver.revoking(2, &ended[ended_by])));
            all.extend(self.revoked.1.then(|| waiver.revoking(3, &[])));
            all.push(waiver);
        }
        if let Some((period, revoked)) = self.to_fs {
            let waiver = dated(Waiver::new(person, "FS-1", Party::Forsorjningsstod, &CONSENTABLE), period);
            all.extend(revoked.then(|| waiver.revoking(2, &[])));
            all.push(waiver);
        }
        let (to_af, to_fs) = self.again;
        all.extend(to_af.map(|choice| Waiver::new(person, "AF-2", Party::Arbetsformedlingen, &categories(choice))));
        all.extend(to_fs.then(|| Waiver::new(person, "FS-2", Party::Forsorjningsstod, &CONSENTABLE)));
        all
    }

    fn reports(&self, person: &'static str) -> Vec<String> {
        let tree = |index: usize, revision: i64, kind: &'static str| {
            self.contents[index].about(person).revision(revision, kind).tree()
        };
        let mut cancelled = tree(0, 4, "cancellation");
        cancelled.as_object_mut().expect("an object").remove("days");
        cancelled.as_object_mut().expect("an object").remove("absences");
        let mut other = tree(3, 1, "original");
        other["reportId"] = json!("R-other");
        let mut not_ended = tree(2, 1, "original");
        not_ended["reportId"] = json!("R-not-ended");
        not_ended["period"]["to"] = json!("2026-03-31");
        let (mut no_activity, mut unreadable, mut unknown) =
            (tree(0, 7, "correction"), tree(0, 7, "correction"), tree(0, 8, "correction"));
        no_activity["placement"]["activity"] = json!("Något annat");
        unreadable["participant"]["personNumber"] = json!("19961004239X");
        unknown["diagnos"] = json!("F32");
        let mut cut = tree(0, 7, "correction").to_string();
        cut.truncate(40);
        let written = [
            tree(0, 1, "original").to_string(),
            tree(1, 2, "correction").to_string(),
            tree(2, 3, "correction").to_string(),
            other.to_string(),
            not_ended.to_string(),
            no_activity.to_string(),
            cancelled.to_string(),
            tree(3, 5, "correction").to_string(),
            unreadable.to_string(),
            unknown.to_string(),
            cut,
        ];
        written.into_iter().zip(&self.come).filter(|(_, comes)| **comes).map(|(text, _)| text).collect()
    }

    fn arrivals(&self, person: &'static str, first_id: u128) -> Vec<Arrival> {
        let mut all: Vec<Arrival> =
            self.consents(person).iter().zip(first_id..).map(|(waiver, id)| waiver.arrival(id)).collect();
        let reports = self.reports(person).into_iter().zip(first_id + 20..);
        all.extend(reports.map(|(text, id)| arrival(id, "activity-report.v1", Syntax::Json, text)));
        if self.flagged.0 {
            all.push(flag(first_id + 40, person));
        }
        if self.flagged.1 {
            let mut tree = self.contents[1].about(person).tree();
            tree["reportId"] = json!("R-flagged");
            tree["participant"]["protectedIdentity"] = json!(true);
            tree["placement"]["activity"] = json!("Något annat");
            all.push(report(first_id + 41, &tree));
        }
        all
    }
}

impl Script {
    /// All messages, redeliveries at the end.
    pub(super) fn arrivals(&self) -> Vec<Arrival> {
        let of = |(index, participant): (usize, &Participant)| {
            participant.arrivals(PERSONS[index], 100 * (u128::try_from(index).expect("small") + 1))
        };
        let mut all: Vec<Arrival> = self.participants.iter().enumerate().flat_map(of).collect();
        let again: Vec<Arrival> =
            self.redelivered.iter().filter_map(|index| all.get(index % all.len().max(1)).cloned()).collect();
        all.extend(again);
        all
    }
}

impl Order {
    /// The messages in this order, in batches.
    pub(super) fn batches(&self, arrivals: &[Arrival]) -> Vec<Vec<Arrival>> {
        let mut keyed: Vec<(u8, usize)> = (0..arrivals.len()).map(|index| (self.keys[index % 48], index)).collect();
        keyed.sort_unstable();
        let mut batches = vec![Vec::new()];
        for (place, (_, index)) in keyed.into_iter().enumerate() {
            batches.last_mut().expect("a batch").push(arrivals[index].clone());
            if self.cuts[place % 48] {
                batches.push(Vec::new());
            }
        }
        batches
    }

    /// The messages in this order, one by one.
    pub(super) fn singles(&self, arrivals: &[Arrival]) -> Vec<Vec<Arrival>> {
        self.batches(arrivals).into_iter().flatten().map(|arrival| vec![arrival]).collect()
    }
}

/// A message's state now, by its own id; of a diverted one nothing more may be known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct View {
    pub(super) state: MessageState,
    pub(super) violations: Vec<(Code, String)>,
    pub(super) legs: BTreeMap<RecipientId, (LegState, Option<Code>)>,
}

/// The state of every message and leg; law 1 and law 6 are checked on the way.
pub(super) async fn states(world: &World<impl Home>, arrivals: &[Arrival]) -> BTreeMap<Uuid, View> {
    let mut views = BTreeMap::new();
    for arrival in arrivals {
        let mut tx = world.store.begin("test").await.expect("a transaction");
        let receipts = tx.receipts(&arrival.login, arrival.message_id).await.expect("read");
        drop(tx);
        let [receipt] = receipts.as_slice() else { panic!("law 1: {} rows for one message", receipts.len()) };
        let message = world.message(receipt.number).await.message;
        let legs = world.legs(receipt.number).await.into_iter().map(|leg| (leg.id.recipient, (leg.state, leg.code))).collect();
        let violations = if message.state == MessageState::Diverted { Vec::new() } else { message.violations };
        views.insert(arrival.message_id, View { state: message.state, violations, legs });
    }
    let census = world.census().await;
    assert_eq!(usize::try_from(census.received), Ok(arrivals.len()), "law 1: each delivery is counted once");
    let legs: usize = views.values().map(|view| view.legs.len()).sum();
    assert_eq!(usize::try_from(census.fan_out), Ok(legs), "law 6: each recipient of a journey has its leg");
    views
}

/// What the readers of both feeds hold who read all at the end.
pub(super) async fn held(world: &World<impl Home>) -> Vec<Held> {
    let mut all = Vec::new();
    for recipient in [af(), fs()] {
        let mut held = Held::new();
        fold(&mut held, &world.read(&recipient).await);
        all.push(held);
    }
    all
}
