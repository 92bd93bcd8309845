//! A relay over HTTPS in the configuration: checked with its files, without any effect.

use super::system::System;
use crate::harness::{brygga, root};

fn check(relay: &str) -> (u8, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let text = format!(
        "[contracts]\nfolder = \"{}\"\n[store]\nkind = \"embedded\"\ndata = \"{}\"\n[management]\n\
         listen = \"127.0.0.1:9480\"\n{relay}",
        root().join("contracts").display(),
        folder.path().join("data").display(),
    );
    let path = folder.path().join("brygga.toml");
    std::fs::write(&path, text).expect("written");
    let path = path.to_str().expect("UTF-8").to_owned();
    let told = std::thread::spawn(move || brygga(&["config", "check", "--config", &path])).join().expect("it ends");
    assert!(!folder.path().join("data").exists(), "checking makes nothing");
    told
}

#[tokio::test(flavor = "multi_thread")]
async fn a_systems_files_are_checked_and_nothing_is_asked_of_it() {
    let system = System::start().await;
    let relay = system.table("1863.ame", "/in");
    assert_eq!(check(&relay), (0, "The configuration is good.\n".to_owned()));
    let (code, told) = check(&relay.replace("client.key", "nowhere.key"));
    assert_eq!(code, 1);
    assert!(told.contains("relay[0].client_key_file: ") && told.contains("nowhere.key: it cannot be read"), "{told}");
    system.put("client.key", &system.client(crate::tls::pki::Says::default()).key);
    let (code, told) = check(&relay);
    assert!(code == 1 && told.contains("relay[0].client_key_file: the certificates cannot be used"), "{told}");
    system.put("client.key", "no key");
    let (_, told) = check(&relay);
    assert!(told.contains("client.key: it holds no private key in PEM"), "{told}");
    assert!(system.asked().is_empty());
}
