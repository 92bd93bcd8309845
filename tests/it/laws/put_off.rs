//! A row that cannot be read keeps nobody else waiting.

use brygga::agreement::GateKind;
use brygga::domain::Code;
use brygga::store::{DueAnswer, LegState, Store as _, Tx as _};
use jiff::ToSpan as _;
use uuid::Uuid;

use super::message::report;
use super::report::{PERSONS, plain};
use super::run;
use super::world::{Home, World, af, at, fs, usual};

fn what_cannot_be_opened_is_put_off_and_the_others_that_are_due_are_settled_and_answered<H: Home>() {
    run(async {
        let world = World::<H>::new(usual(GateKind::Waiver)).await;
        let mut numbers = Vec::new();
        for (id, person) in (1_u128..).zip(PERSONS.iter().take(3)) {
            numbers.push(world.take_one(report(id, &plain(person).tree())).await.0);
        }
        // The second one's newest revision is sealed bytes of another message.
        let mut damaged = world.message(numbers[1]).await.message;
        (damaged.envelope.message_id, damaged.revision) = (Uuid::from_u128(4711), Some(9));
        let person = damaged.person.expect("a person");
        let legs = world.legs(numbers[1]).await;
        let mut tx = world.store.begin("test").await.expect("a transaction");
        tx.lock_persons(&[person]).await.expect("locked");
        let number = tx.insert_message(&damaged).await.expect("stored");
        for mut leg in legs {
            leg.id.message = number;
            tx.put_leg(&leg).await.expect("written");
        }
        let over = at("2026-04-01T12:00:00Z");
        let answer = DueAnswer { message: number, person, recipients: vec![af()], due_at: over, illustrative: false };
        tx.keep_due_answer(&answer).await.expect("kept");
        tx.commit().await.expect("committed");
        world.clock.set(over);
        world.sweep().await;
        for whole in [numbers[0], numbers[2]] {
            for recipient in [af(), fs()] {
                let leg = world.leg(whole, &recipient).await;
                assert_eq!((leg.state, leg.code), (LegState::Refused, Some(Code::ConsentHoldExpired)));
            }
        }
        for leg in world.legs(number).await {
            assert_eq!((leg.state, leg.due_at), (LegState::Held, Some(over + 1.hours())));
        }
        for (instant, due) in [(over + 59.minutes(), 0), (over + 1.hours(), 1)] {
            world.clock.set(instant);
            let mut tx = world.store.begin("test").await.expect("a transaction");
            assert_eq!(tx.due(10).await.expect("looked").len(), due);
            assert_eq!(tx.due_answers(10).await.expect("looked").len(), due, "every other answer was given");
        }
    });
}

on_both_engines! {
    what_cannot_be_opened_is_put_off_and_the_others_that_are_due_are_settled_and_answered,
}
