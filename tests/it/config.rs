//! The configuration: every fault at once, and the same reading in `config check` as in `serve`.

use std::io;
use std::path::Path;

use brygga::config::{Config, Surroundings};

use crate::harness::{brygga, root};
use crate::tls::pki::Authority;

/// A machine on which every file of a secret is there.
struct EveryFile;

impl Surroundings for EveryFile {
    fn variable(&self, _: &str) -> Option<String> {
        None
    }

    fn file(&self, _: &Path) -> io::Result<String> {
        Ok("c2VjcmV0".to_owned())
    }
}

#[test]
fn the_sample_is_a_good_configuration_and_so_it_is_with_everything_that_it_only_explains() {
    let sample = std::fs::read_to_string(root().join("deploy/brygga.toml")).expect("the sample");
    if let Err(faults) = Config::read(&sample, &EveryFile) {
        panic!("{faults:#?}");
    }
    // What is commented out shows its default; a line that is no key is a sentence.
    let all: String = sample
        .lines()
        .map(|line| {
            let said = line.strip_prefix("# ").unwrap_or(line);
            let is_key = said.split_once(" = ").is_some_and(|(key, _)| key.chars().all(|c| c.is_ascii_lowercase() || c == '_'));
            let is_other = ["san = ", "spki = "].iter().any(|other| said.starts_with(other));
            let is_table = said.starts_with('[') && said.ends_with(']');
            let shown = if (is_key && !is_other) || is_table { said } else { line };
            format!("{shown}\n")
        })
        .collect();
    assert!(all.lines().filter(|line| line.contains(" = ") && !line.starts_with('#')).count() > 45, "{all}");
    match Config::read(&all, &EveryFile) {
        Ok(config) => assert!(config.spool.is_some() && config.amqp.is_some_and(|amqp| amqp.client_certificate.is_some())),
        Err(faults) => panic!("{faults:#?}"),
    }
}

#[test]
fn no_secret_of_a_configuration_is_printed() {
    let sample = std::fs::read_to_string(root().join("deploy/brygga.toml")).expect("the sample");
    let config = Config::read(&sample, &EveryFile).unwrap_or_else(|faults| panic!("{faults:#?}"));
    assert!(!format!("{config:?}").contains("c2VjcmV0"));
}

fn check(text: &str) -> (u8, String) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("brygga.toml");
    std::fs::write(&path, text).expect("written");
    brygga(&["config", "check", "--config", path.to_str().expect("UTF-8")])
}

#[test]
fn config_check_tells_every_fault_with_its_line_and_key() {
    let (code, told) = check("[contracts]\nfolder = \"/nowhere\"\nilustrations = []\n[management]\nlisten = \"somewhere\"\n");
    assert_eq!(code, 1, "{told}");
    for wanted in ["line 3: contracts.ilustrations: there is no such key", "line 5: management.listen: "] {
        assert!(told.contains(wanted), "{wanted} is not in\n{told}");
    }
}

#[test]
fn a_configuration_that_is_not_there_cannot_be_checked() {
    let path = root().join("no-such-file.toml");
    assert_eq!(brygga(&["config", "check", "--config", path.to_str().expect("UTF-8")]).0, 2);
}

/// A configuration of every part whose files lie in a folder.
fn whole(folder: &Path) -> String {
    let at = |name: &str| folder.join(name).display().to_string();
    format!(
        "[contracts]\nfolder = \"{}\"\n[management]\nlisten = \"127.0.0.1:9480\"\n\
         [store]\nkind = \"postgres\"\nurl = \"postgres://b@db.example/b\"\ntls_roots = \"{ca}\"\n\
         [keys]\nservice_key_file = \"{}\"\nwrapping_key_files = [\"{}\"]\nstore = \"postgres\"\n\
         url = \"postgres://k@db.example/k\"\ntls_roots = \"{ca}\"\n\
         [amqp]\nurl = \"amqps://b@mq.example\"\npassword_file = \"{}\"\nca_file = \"{ca}\"\n\
         client_certificate_file = \"{certificate}\"\nclient_key_file = \"{key}\"\n\
         [[relay]]\nrecipient = \"1863.ame\"\nkind = \"https\"\nurl = \"https://ame.example/in\"\nca_file = \"{ca}\"\n\
         client_certificate_file = \"{certificate}\"\nclient_key_file = \"{key}\"\n\
         [feed]\nlisten = \"127.0.0.1:8443\"\ncertificate_file = \"{certificate}\"\nkey_file = \"{key}\"\n\
         client_ca_file = \"{ca}\"\n[[feed.clients]]\nrecipient = \"1863.forsorjningsstod\"\norganisation = \"212000-1942\"\n",
        root().join("contracts").display(),
        at("service.key"),
        at("wrapping.key"),
        at("password"),
        ca = at("ca.pem"),
        certificate = at("own.pem"),
        key = at("own.key"),
    )
}

#[test]
fn config_check_reads_every_file_that_is_named_and_asks_the_contracts_who_takes_part() {
    let folder = tempfile::tempdir().expect("a folder");
    let put = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("written");
    let authority = Authority::new("of this test");
    let own = authority.server(7);
    put("ca.pem", &authority.pem());
    put("own.pem", &own.certificate);
    put("own.key", &own.key);
    put("password", "of-these-tests-alone\n");
    let key = |byte: &str| format!("{}=\n", byte.repeat(42) + "A");
    put("service.key", &key("A"));
    put("wrapping.key", &key("B"));
    put("checkpoint.key", &key("C"));
    let audit = format!(
        "[audit]\ncheckpoints = \"{}\"\nsigning_key_file = \"{}\"\n",
        folder.path().join("checkpoints").display(),
        folder.path().join("checkpoint.key").display()
    );
    let text = whole(folder.path()) + &audit;
    assert_eq!(check(&text), (0, "The configuration is good.\n".to_owned()));

    // A key that does not go with its certificate.
    put("own.key", &authority.server(8).key);
    let (code, told) = check(&text);
    assert_eq!(code, 1, "{told}");
    for key in ["amqp.client_key_file: ", "relay[0].client_key_file: ", "feed"] {
        assert!(told.lines().any(|line| line.starts_with(key)), "{key} is not in\n{told}");
    }

    // Everything at once, each with its key.
    put("ca.pem", "no certificate");
    std::fs::remove_file(folder.path().join("own.pem")).expect("removed");
    put("own.key", "no key");
    put("service.key", "c2hvcnQ=\n");
    put("wrapping.key", "no key\n");
    put("checkpoint.key", "no key\n");
    let strangers = text.replace("\"1863.ame\"", "\"9999.ame\"").replace("1863.forsorjningsstod", "9999.forsorjningsstod");
    let (code, told) = check(&strangers);
    assert_eq!(code, 1, "{told}");
    for key in [
        "store.tls_roots: ",
        "keys.service_key: ",
        "keys.wrapping_key_files: ",
        "keys.tls_roots: ",
        "audit.signing_key_file: ",
        "amqp.ca_file: ",
        "amqp.client_certificate_file: ",
        "amqp.client_key_file: ",
        "relay[0].ca_file: ",
        "relay[0].client_certificate_file: ",
        "relay[0].client_key_file: ",
        "relay[0].recipient: 9999.ame",
        "feed.certificate_file: ",
        "feed.clients[0].recipient: 9999.forsorjningsstod",
    ] {
        assert!(told.lines().any(|line| line.starts_with(key)), "{key} is not in\n{told}");
    }
    assert!(!told.contains("c2hvcnQ"), "no secret is told");
}

#[test]
fn serve_does_not_start_on_what_config_check_finds() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let path = folder.path().join("brygga.toml");
    let text = format!(
        "[contracts]\nfolder = \"{}\"\n[management]\nlisten = \"127.0.0.1:0\"\n[store]\nkind = \"embedded\"\ndata = \"{}\"\n\
         [spool]\nfolder = \"{}\"\n[[relay]]\nrecipient = \"9999.ame\"\nkind = \"spool\"\n",
        root().join("contracts").display(),
        data.display(),
        folder.path().join("spool").display()
    );
    std::fs::write(&path, text).expect("written");
    let (code, told) = brygga(&["serve", "--config", path.to_str().expect("UTF-8")]);
    assert!(code == 2 && told.contains("relay[0].recipient: 9999.ame"), "{told}");
    assert!(!data.exists(), "nothing was touched");
}

#[test]
fn keys_beside_a_data_folder_are_a_fault() {
    let (code, told) = check("[store]\nkind = \"embedded\"\ndata = \"/d\"\n[keys]\nstore = \"embedded\"\n");
    assert!(code == 1 && told.contains("line 4: keys: a data folder has its own keys"), "{told}");
    assert!(!told.contains("keys.store"), "{told}");
}
