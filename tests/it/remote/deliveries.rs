//! One delivery: what is posted, and what comes of each answer.

use std::time::{Duration, Instant};

use brygga::domain::{RecipientId, Subject, Syntax};
use brygga::feed::Method;
use brygga::journey::{Courier as _, Delivery, Parcel};
use uuid::Uuid;

use super::system::{Reply, System, courier as courier_to};

pub(super) fn parcel(event_id: &str, method: Method) -> Parcel {
    Parcel {
        recipient: RecipientId::from_stored("1863.ame".to_owned()),
        event_id: event_id.to_owned(),
        subject: Subject::from_slice(&[7; 16]).expect("16 bytes"),
        contract: "accepted.v1".to_owned(),
        method,
        syntax: Syntax::Json,
        illustrative: method == Method::Put,
        correlation_id: Some(Uuid::from_u128(17)),
        document: if method == Method::Put { b"{\"a\":1}".to_vec() } else { Vec::new() },
    }
}

fn why(delivery: &Delivery) -> &str {
    match delivery {
        Delivery::Later { why, .. } => why,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_document_is_posted_as_it_is_with_its_event_as_headers() {
    let system = System::start().await;
    let courier = system.courier();
    assert_eq!(courier.deliver(&parcel("event-1", Method::Put)).await, Delivery::Arrived);
    system.next([Reply::plain(204)]);
    assert_eq!(courier.deliver(&parcel("event-2", Method::Delete)).await, Delivery::Arrived);
    let asked = system.asked();
    let [put, delete] = asked.as_slice() else { panic!("{asked:#?}") };
    assert_eq!((put.method.as_str(), put.path.as_str(), put.body.as_slice()), ("POST", "/in", b"{\"a\":1}".as_slice()));
    let said = |asked: &super::system::Asked| {
        let mut headers = asked.headers.clone();
        headers.retain(|(name, _)| name != "host");
        headers.sort();
        headers.into_iter().map(|(name, value)| format!("{name}: {value}")).collect::<Vec<_>>()
    };
    let subject = format!("ce-subject: {}", "07".repeat(16));
    let correlation = "ce-correlationid: 00000000-0000-0000-0000-000000000011";
    assert_eq!(
        said(put),
        [
            "accept: */*",
            correlation,
            "ce-id: event-1",
            "ce-illustrative: true",
            "ce-source: urn:brygga",
            "ce-specversion: 1.0",
            subject.as_str(),
            "ce-type: accepted.v1",
            "content-length: 7",
            "content-type: application/json",
            "idempotency-key: \"event-1\"",
            "user-agent: brygga",
        ]
    );
    assert!(delete.body.is_empty());
    assert_eq!(
        said(delete),
        [
            "accept: */*",
            correlation,
            "ce-id: event-2",
            "ce-method: DELETE",
            "ce-source: urn:brygga",
            "ce-specversion: 1.0",
            subject.as_str(),
            "ce-type: accepted.v1",
            "content-length: 0",
            "idempotency-key: \"event-2\"",
            "user-agent: brygga",
        ]
    );
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_waits() {
    let system = System::start().await;
    let elsewhere = System::start().await;
    let place = format!("https://localhost:{}/in", elsewhere.port);
    for status in [301, 302, 303, 307, 308] {
        system.next([Reply::Status(status, vec![("location", place.clone())])]);
        let delivery = system.courier().deliver(&parcel("event-1", Method::Put)).await;
        assert!(why(&delivery).contains(&format!("answered {status}")), "{delivery:?}");
    }
    assert_eq!((system.asked().len(), elsewhere.asked().len()), (5, 0));
}

#[tokio::test]
async fn what_is_not_answered_in_time_waits_and_comes_again_with_the_same_key() {
    let system = System::start().await;
    let mut settings = system.settings();
    settings.timeout = Duration::from_millis(500);
    let courier = courier_to(settings);
    system.next([Reply::Silence]);
    let begun = Instant::now();
    let delivery = courier.deliver(&parcel("event-1", Method::Put)).await;
    assert_eq!(why(&delivery), "the system did not answer in time");
    assert!(begun.elapsed() >= Duration::from_millis(400));
    // A patient courier: a slow machine is no part of what is shown.
    assert_eq!(system.courier().deliver(&parcel("event-1", Method::Put)).await, Delivery::Arrived);
    let keys: Vec<String> = system.asked().iter().map(|asked| asked.key().to_owned()).collect();
    assert_eq!(keys, ["\"event-1\"", "\"event-1\""]);
}

#[tokio::test]
async fn a_system_that_is_away_or_has_trouble_waits_and_a_wrong_document_is_refused() {
    let system = System::start().await;
    let courier = system.courier();
    for (reply, wanted) in [
        (Reply::plain(503), Delivery::later("the system answered 503")),
        (Reply::plain(408), Delivery::later("the system answered 408")),
        (
            Reply::Status(429, vec![("retry-after", "7".to_owned())]),
            Delivery::Later { why: "the system answered 429".to_owned(), after: Some(Duration::from_secs(7)) },
        ),
        (Reply::plain(400), Delivery::Refused("status 400".to_owned())),
        (Reply::plain(422), Delivery::Refused("status 422".to_owned())),
        (Reply::plain(202), Delivery::Arrived),
    ] {
        system.next([reply]);
        assert_eq!(courier.deliver(&parcel("event-1", Method::Put)).await, wanted);
    }
    let mut settings = system.settings();
    let nobody = crate::servers::keeper::free_port();
    settings.address = format!("https://localhost:{nobody}/in").parse().expect("an address");
    let delivery = courier_to(settings).deliver(&parcel("event-1", Method::Put)).await;
    assert!(why(&delivery).starts_with("the system cannot be reached: "), "{delivery:?}");
}

#[tokio::test]
async fn a_long_answer_is_not_read_to_its_end() {
    let system = System::start().await;
    let courier = system.courier();
    let mut large = parcel("event-1", Method::Put);
    // The system answers with what it was sent.
    large.document = vec![b' '; 1_900_000];
    let begun = Instant::now();
    assert_eq!(courier.deliver(&large).await, Delivery::Arrived);
    assert!(begun.elapsed() < Duration::from_secs(20));
    assert_eq!(courier.deliver(&parcel("event-2", Method::Put)).await, Delivery::Arrived);
}
