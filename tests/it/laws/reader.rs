//! A reader who polls whenever it likes ends with what one holds who reads everything at the end; and whatever dates,
//! revocations and corrections do in between, it is left with nothing that was taken back or replaced.

use std::collections::{BTreeMap, BTreeSet};

use brygga::domain::{Position, RecipientId, Subject};
use brygga::feed::{Cursor, Method};
use brygga::journey::Arrival;
use brygga::store::{Feeds as _, LegState, MessageState, Store, Tx};
use jiff::ToSpan;
use proptest::collection::vec;
use proptest::prelude::*;

use super::script::{held, orders, scripts, states};
use super::world::{Held, Home, World, af, fold, fs, start, usual};
use super::{hold, run};

struct Reader {
    recipient: RecipientId,
    cursor: Cursor,
    held: Held,
    positions: BTreeMap<Subject, Position>,
}

impl Reader {
    const fn new(recipient: RecipientId) -> Self {
        Self { recipient, cursor: Cursor::START, held: Held::new(), positions: BTreeMap::new() }
    }

    async fn poll(&mut self, world: &World<impl Home>, limit: usize) -> bool {
        let page = world.page(&self.recipient, self.cursor, limit).await;
        fold(&mut self.held, &page);
        for event in &page {
            match event.method {
                Method::Put => self.positions.insert(event.subject, event.position),
                Method::Delete => self.positions.remove(&event.subject),
            };
            self.cursor = Cursor::at(event.position);
        }
        !page.is_empty()
    }

    /// What one report has left with the reader must be what its leg says: nothing, or the newest documents.
    async fn check(&self, world: &World<impl Home>, arrival: &Arrival) {
        let mut tx = world.store.begin("test").await.expect("a transaction");
        let number = tx.receipts(&arrival.login, arrival.message_id).await.expect("read")[0].number;
        let message = tx.message(number).await.expect("read").expect("the message is there").message;
        let Some(report) = message.report.filter(|_| arrival.contract.name() == "activity-report") else { return };
        let highest = tx.revisions(&report).await.expect("read").pop().map(|stored| stored.number);
        let leg = tx.legs(number).await.expect("read").into_iter().find(|leg| leg.id.recipient == self.recipient);
        let entries = tx.entries(&report, &self.recipient).await.expect("read");
        let subjects: BTreeSet<Subject> = entries.iter().map(|entry| entry.subject).collect();
        let kept: Vec<_> = subjects.iter().filter_map(|subject| Some((subject, *self.positions.get(subject)?))).collect();
        if message.state == MessageState::Diverted {
            assert_eq!(kept, [], "the person is protected");
        }
        let Some(leg) = leg.filter(|_| highest == Some(number)) else { return };
        if leg.state != LegState::Published {
            assert_eq!(kept, [], "{leg:?}");
        }
        for (subject, position) in kept {
            let documents = entries.iter().filter(|entry| entry.subject == *subject && entry.method == Method::Put);
            assert_eq!(documents.map(|entry| entry.position).max(), Some(position), "{leg:?}: {entries:?}");
        }
    }
}

fn polling_in_between_changes_nothing_of_what_is_held_in_the_end<H: Home>() {
    hold(H::share(48), &(scripts(), orders(), vec((0_usize..4, any::<bool>()), 48)), |(script, order, polls)| {
        let arrivals = script.arrivals();
        run(async {
            let quiet = World::<H>::new(usual(script.gate_of_fs)).await;
            let world = World::<H>::new(usual(script.gate_of_fs)).await;
            let mut readers = [af(), fs()].map(Reader::new);
            for (batch, (limit, which)) in order.singles(&arrivals).into_iter().zip(polls.iter().cycle()) {
                world.take(batch.clone()).await;
                quiet.take(batch).await;
                if *limit > 0 {
                    readers[usize::from(*which)].poll(&world, *limit).await;
                }
            }
            world.sweep().await;
            for reader in &mut readers {
                while reader.poll(&world, 3).await {}
            }
            let polled: Vec<Held> = readers.into_iter().map(|reader| reader.held).collect();
            assert_eq!(polled, held(&world).await, "the reader along its cursor holds what one from the start holds");
            assert_eq!(polled, held(&quiet).await, "and what it would hold had nobody polled before");
            let (polled, quiet) = (states(&world, &arrivals).await, states(&quiet, &arrivals).await);
            for (id, view) in &quiet {
                let mut seen = polled[id].clone();
                // A cancellation that found something to take back is published instead of superseded.
                for (recipient, leg) in &mut seen.legs {
                    let before = view.legs[recipient];
                    if leg.0 == LegState::Published && before.0 == LegState::Superseded {
                        *leg = before;
                    }
                }
                assert_eq!(seen, *view);
            }
        });
    });
}

fn nobody_is_left_with_what_was_taken_back_or_replaced<H: Home>() {
    let steps = vec((0_usize..4, any::<bool>(), prop_oneof![4 => Just(0_i32), 1 => 1_i32..9], any::<bool>()), 48);
    hold(H::share(64), &(scripts(), orders(), steps), |(script, order, steps)| {
        let arrivals = script.arrivals();
        run(async {
            let world = World::<H>::new(usual(script.gate_of_fs)).await;
            let mut readers = [af(), fs()].map(Reader::new);
            let mut now = start();
            for (batch, (limit, which, days, sweeps)) in order.batches(&arrivals).into_iter().zip(steps.iter().cycle()) {
                now += (24 * days).hours();
                world.clock.set(now);
                world.take(batch).await;
                if *sweeps {
                    world.sweep().await;
                }
                if *limit > 0 {
                    readers[usize::from(*which)].poll(&world, *limit).await;
                }
                world.census().await;
            }
            for reader in &mut readers {
                world.sweep().await;
                while reader.poll(&world, 3).await {
                    world.sweep().await;
                }
                for arrival in &arrivals {
                    reader.check(&world, arrival).await;
                }
                let again = world.read(&reader.recipient).await;
                assert!(
                    again
                        .iter()
                        .filter(|event| event.method == Method::Put)
                        .all(|event| { reader.positions.get(&event.subject) == Some(&event.position) })
                );
            }
        });
    });
}

on_both_engines! {
    polling_in_between_changes_nothing_of_what_is_held_in_the_end,
    nobody_is_left_with_what_was_taken_back_or_replaced,
}
