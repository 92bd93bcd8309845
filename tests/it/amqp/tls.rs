//! TLS to the broker: the certificates that vouch for it are the configuration's, and no others.

use super::world::{World, noon};
use crate::servers::rabbit::Rabbit;
use crate::tls::pki::{Authority, Identity, Says};

#[tokio::test(flavor = "multi_thread")]
async fn the_broker_is_believed_only_by_the_configured_certificates() {
    let rabbit = Rabbit::shared().await;
    let mut world = World::open(rabbit, &noon()).await;
    world.config.broker = format!("amqps://brygga@localhost:{}/{}", rabbit.tls_port(), world.vhost).parse().expect("a URL");
    world.config.ca_file = Some(rabbit.ca_file());
    world.start_up().await;
    world.stop().await;
    let folder = tempfile::tempdir().expect("a folder");
    let other = folder.path().join("other.pem");
    let key = rcgen::KeyPair::generate().expect("a key");
    let foreign = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).expect("parameters");
    std::fs::write(&other, foreign.self_signed(&key).expect("a certificate").pem()).expect("a file");
    world.config.ca_file = Some(other);
    world.start();
    world.down("certificate").await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_asks_for_a_certificate_is_shown_it_and_a_wrong_one_is_told_until_it_is_mended() {
    let rabbit = Rabbit::asking_for_certificates().await;
    let mut world = World::open(&rabbit, &noon()).await;
    world.config.broker = format!("amqps://brygga@localhost:{}/{}", rabbit.tls_port(), world.vhost).parse().expect("a URL");
    world.config.ca_file = Some(rabbit.ca_file());
    world.start();
    world.down("CertificateRequired").await;
    world.stop().await;

    let folder = tempfile::tempdir().expect("a folder");
    let (certificate, key) = (folder.path().join("client.pem"), folder.path().join("client.key"));
    let put = |identity: &Identity| {
        std::fs::write(&certificate, &identity.certificate).expect("written");
        std::fs::write(&key, &identity.key).expect("written");
    };
    put(&Authority::new("another").issue(Says::default()));
    world.config.client_certificate = Some((certificate.clone(), key.clone()));
    world.start();
    world.down("alert").await;
    // A key that does not fit is told as what it is, too.
    let (known, known_key) = rabbit.client();
    std::fs::copy(known, &certificate).expect("copied");
    world.down("the certificates for the broker cannot be used").await;
    std::fs::copy(known_key, &key).expect("copied");
    world.up().await;
    world.stop().await;
}
