//! Laws 1, 4, 5 and 6: whatever the order of arrival and however it is cut into batches, the outcome is the same.

use std::cell::Cell;

use brygga::feed::Cursor;
use brygga::journey::Arrival;
use brygga::store::{Feeds as _, Store};
use proptest::collection::vec;

use super::script::{held, orders, scripts, states};
use super::world::{Home, World, af, fs, usual};
use super::{hold, run};

async fn world_after<H: Home>(script: &super::script::Script, batches: Vec<Vec<Arrival>>) -> World<H> {
    let world = World::<H>::new(usual(script.gate_of_fs)).await;
    for batch in batches {
        world.take(batch).await;
    }
    world
}

fn the_order_of_arrival_does_not_matter<H: Home>() {
    let (documents, cases) = (Cell::new(0), (scripts(), orders(), orders()));
    hold(H::share(48), &cases, |(script, one, other)| {
        let arrivals = script.arrivals();
        run(async {
            let first = world_after::<H>(&script, one.singles(&arrivals)).await;
            let second = world_after::<H>(&script, other.batches(&arrivals)).await;
            assert_eq!(states(&first, &arrivals).await, states(&second, &arrivals).await, "law 5: messages and legs");
            assert_eq!(first.census().await, second.census().await, "law 5: counts");
            let (first, second) = (held(&first).await, held(&second).await);
            documents.set(documents.get() + first.iter().map(std::collections::BTreeMap::len).sum::<usize>());
            assert_eq!(first, second, "law 5: feeds");
        });
    });
    assert!(documents.get() > H::share(30) / 2, "only {} documents were published", documents.get());
}

fn batches_and_single_messages_give_the_same_feeds<H: Home>() {
    hold(H::share(24), &(scripts(), orders()), |(script, order)| {
        let arrivals = script.arrivals();
        run(async {
            let single = world_after::<H>(&script, order.singles(&arrivals)).await;
            let batched = world_after::<H>(&script, order.batches(&arrivals)).await;
            assert_eq!(states(&single, &arrivals).await, states(&batched, &arrivals).await);
            for recipient in [af(), fs()] {
                assert_eq!(single.read(&recipient).await, batched.read(&recipient).await, "positions and all");
            }
        });
    });
}

fn a_feed_read_in_pages_of_any_size_is_the_feed<H: Home>() {
    hold(H::share(24), &(scripts(), orders(), vec(1_usize..6, 1..6)), |(script, order, limits)| {
        let arrivals = script.arrivals();
        run(async {
            let world = world_after::<H>(&script, order.batches(&arrivals)).await;
            for recipient in [af(), fs()] {
                let mut tx = world.store.begin("test").await.expect("a transaction");
                let live = tx.page(&recipient, Cursor::START.position(), 10_000).await.expect("read");
                let live: Vec<_> = live.into_iter().map(|entry| (entry.position, entry.subject, entry.method)).collect();
                drop(tx);
                let whole = world.read(&recipient).await;
                let read: Vec<_> = whole.iter().map(|event| (event.position, event.subject, event.method)).collect();
                assert_eq!(read, live, "law 4: every live entry and no other");
                assert!(whole.windows(2).all(|pair| pair[0].position < pair[1].position), "law 4: in order");
                let (mut cursor, mut paged) = (Cursor::START, Vec::new());
                for limit in limits.iter().cycle() {
                    let page = world.page(&recipient, cursor, *limit).await;
                    let Some(last) = page.last() else { break };
                    assert!(page.len() <= *limit);
                    cursor = Cursor::at(last.position);
                    paged.extend(page);
                }
                assert_eq!(paged, whole, "law 4: without gap or repeat");
            }
        });
    });
}

on_both_engines! {
    the_order_of_arrival_does_not_matter,
    batches_and_single_messages_give_the_same_feeds,
    a_feed_read_in_pages_of_any_size_is_the_feed,
}
