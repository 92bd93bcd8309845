//! What the participant's rights ask of a store.

use brygga::domain::{Position, RecipientId};
use brygga::store::{Feeds as _, Rights as _, Tx as _};
use jiff::{SignedDuration, Timestamp};

use super::super::engine::{Engine, on_both_engines};
use super::Hall;
use crate::store::desk::{PERSONS, af, noon};

async fn what_was_served_within_a_span_is_told_by_recipient_and_nothing_else_is<E: Engine>() {
    let hall = Hall::<E>::open().await;
    let (served, unserved) = (hall.made(PERSONS[0], 1), hall.made(PERSONS[1], 2));
    let stored = hall.publish(&served).await;
    hall.publish(&unserved).await;
    let mut tx = hall.begin().await;
    tx.lock_deliveries(&[af()]).await.expect("locked");
    tx.mark_served(&af(), &[Position(1)]).await.expect("marked");
    tx.commit().await.expect("committed");
    let at = |seconds: i64| noon().checked_add(SignedDuration::from_secs(seconds)).expect("a time");
    let between = async |from: Timestamp, to: Timestamp, recipient: Option<RecipientId>| {
        hall.begin().await.served_between(from, to, recipient.as_ref()).await.expect("read")
    };
    let found = between(noon(), at(1), None).await;
    assert_eq!(found.len(), 1, "an entry that nobody has fetched was not disclosed: {found:?}");
    assert_eq!((found[0].message, Some(found[0].person)), (stored.number, served.new.person));
    assert_eq!((&found[0].recipient, found[0].served_at), (&af(), noon()));
    assert_eq!(between(noon(), at(1), Some(af())).await, found);
    assert_eq!(between(noon(), at(1), Some(RecipientId::from_stored("nobody".to_owned()))).await, []);
    assert_eq!(between(at(-1), noon(), None).await, [], "the end is not of the span");
    assert_eq!(between(at(1), at(2), None).await, []);
}

on_both_engines! {
    what_was_served_within_a_span_is_told_by_recipient_and_nothing_else_is,
}
