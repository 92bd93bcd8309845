//! Certificates of both sides: demanded, checked, and read again when their files change.

use std::time::{Duration, Instant};

use brygga::feed::Method;
use brygga::journey::{Courier as _, Delivery};
use brygga::telemetry::{Health, PartState};
use rcgen::ExtendedKeyUsagePurpose;

use super::deliveries::parcel;
use super::system::{System, courier as courier_to, courier_of};
use crate::tls::pki::{Authority, Says};

async fn why(system: &System) -> String {
    match system.courier().deliver(&parcel("event-1", Method::Put)).await {
        Delivery::Later { why, .. } => why,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_certificate_that_the_system_does_not_take_waits() {
    let system = System::start().await;
    for identity in [
        Authority::new("somebody else").issue(Says::default()),
        system.client(Says { years: (2020, 2021), ..Says::default() }),
        system.client(Says { usage: ExtendedKeyUsagePurpose::ServerAuth, ..Says::default() }),
    ] {
        system.show(&identity);
        let why = why(&system).await;
        assert!(why.contains("the connection to the system broke") || why.contains("cannot be reached"), "{why}");
    }
    assert!(system.asked().is_empty(), "the system demands a certificate of its own authority");
    system.show(&system.client(Says::default()));
    assert_eq!(system.courier().deliver(&parcel("event-1", Method::Put)).await, Delivery::Arrived);
}

#[tokio::test]
async fn a_system_of_another_authority_or_name_is_not_trusted_with_anything() {
    let system = System::start().await;
    system.put("ca.pem", &Authority::new("somebody else").pem());
    let said = why(&system).await;
    assert!(said.contains("cannot be reached") && said.contains("UnknownIssuer"), "{said}");
    system.put("ca.pem", &system.server_ca.pem());
    let mut settings = system.settings();
    settings.address = format!("https://127.0.0.1:{}/in", system.port).parse().expect("an address");
    let delivery = courier_to(settings).deliver(&parcel("event-1", Method::Put)).await;
    assert!(matches!(&delivery, Delivery::Later { why, .. } if why.contains("not valid for name")), "{delivery:?}");
    assert!(system.asked().is_empty());
}

#[tokio::test]
async fn new_files_are_used_without_a_restart_and_bad_ones_never_replace_good_ones() {
    let system = System::start().await;
    let health = Health::default();
    let courier = courier_of(system.settings(), &health);
    let state = || health.view().pop().expect("a part").state;
    let deliver = async || courier.deliver(&parcel("event-1", Method::Put)).await;
    assert_eq!(deliver().await, Delivery::Arrived);
    // Half of a change, or no certificate at all: what was good stays in use.
    system.put("client.key", &system.client(Says::default()).key);
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    assert_eq!(deliver().await, Delivery::Arrived);
    assert!(matches!(state(), PartState::Down(why) if why.contains("cannot be used")));
    system.put("ca.pem", "nothing of use");
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    assert_eq!(deliver().await, Delivery::Arrived);
    assert!(matches!(state(), PartState::Down(why) if why.contains("ca.pem: it holds no certificate in PEM")));
    // A good set that the system does not take: it is in use, so it waits.
    system.put("ca.pem", &system.server_ca.pem());
    system.show(&Authority::new("somebody else").issue(Says::default()));
    let deadline = Instant::now() + Duration::from_secs(30);
    while deliver().await == Delivery::Arrived {
        assert!(Instant::now() < deadline, "new files are not used");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    system.show(&system.client(Says::default()));
    while deliver().await != Delivery::Arrived {
        assert!(Instant::now() < deadline, "new files are not used");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(state(), PartState::Up);
}
