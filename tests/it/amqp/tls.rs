//! TLS to the broker: the certificates that vouch for it are the configuration's, and no others.

use super::world::{World, noon};
use crate::servers::rabbit::Rabbit;

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
