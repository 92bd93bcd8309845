//! What a store tells of one message: everything under its sender's id, and all that ever stood in feeds of its report.

use brygga::domain::{Login, Position};
use brygga::feed::Method;
use brygga::store::{EntryState, Feeds as _, Telling as _, Tx as _};
use uuid::Uuid;

use super::super::engine::{Engine, on_both_engines};
use super::{Hall, message, put};
use crate::store::desk::{PERSONS, af, noon};

async fn every_message_under_an_id_is_found_whoever_sent_it<E: Engine>() {
    let hall = Hall::<E>::open().await;
    let mut tx = hall.begin().await;
    let mut numbers = Vec::new();
    for (login, id) in [("lund-ame", 1_u128), ("hallefors-ame", 1), ("hallefors-ame", 2), ("osby-fs", 1)] {
        let mut new = message(id);
        new.envelope.login = Login::try_from(login.to_owned()).expect("a login");
        let number = tx.insert_message(&new).await.expect("stored");
        if id == 1 {
            numbers.push(number);
        }
    }
    let own = tx.messages_with_id(Uuid::from_u128(1)).await.expect("read");
    assert_eq!(own.iter().map(|stored| stored.number).collect::<Vec<_>>(), numbers, "a transaction reads what it has written");
    tx.commit().await.expect("committed");
    let mut tx = hall.begin().await;
    let found = tx.messages_with_id(Uuid::from_u128(1)).await.expect("read");
    assert_eq!(found.iter().map(|stored| stored.number).collect::<Vec<_>>(), numbers);
    assert!(tx.messages_with_id(Uuid::from_u128(3)).await.expect("read").is_empty());
}

async fn what_has_happened_to_each_entry_of_a_report_is_told<E: Engine>() {
    let hall = Hall::<E>::open().await;
    let made = hall.made(PERSONS[0], 1);
    let report = made.new.report.expect("a report");
    hall.publish(&hall.made(PERSONS[1], 2)).await;
    let mut tx = hall.keyed().await;
    let stored = put(&mut tx, &made).await;
    tx.commit().await.expect("committed");
    let mut tx = hall.keyed().await;
    tx.lock_deliveries(&[af()]).await.expect("locked");
    let entries = tx.entries(&report, &af()).await.expect("read");
    let first = entries[0].position;
    tx.mark_served(&af(), &[first]).await.expect("marked");
    tx.publish_delete(&af(), &entries[0].subject, &stored).await.expect("published");
    tx.commit().await.expect("committed");
    let mut tx = hall.begin().await;
    let told = tx.told_entries(&report).await.expect("read");
    assert_eq!(told.len(), entries.len() + 1);
    assert!(told.windows(2).all(|pair| pair[0].position < pair[1].position));
    let (served, delete) = (&told[0], told.last().expect("a DELETE"));
    assert_eq!((served.position, served.state, served.served_at), (first, EntryState::Replaced, Some(noon())));
    assert_eq!((served.published_at, served.message, served.method), (noon(), stored.number, Method::Put));
    assert_eq!((delete.method, delete.state, delete.served_at), (Method::Delete, EntryState::Live, None));
    assert_eq!((delete.subject, delete.until), (served.subject, None));
    assert!(served.position > Position(0) && served.until == Some(made.until));
    assert!(served.confirmed_at.is_none() && served.refused_at.is_none());
}

on_both_engines! {
    every_message_under_an_id_is_found_whoever_sent_it,
    what_has_happened_to_each_entry_of_a_report_is_told,
}
