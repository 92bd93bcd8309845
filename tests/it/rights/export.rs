//! What a participant is told, and what is told after a breach, on a data folder by the command line.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use brygga::app::{Scenario, ScenarioMessage};
use serde_json::Value;

use super::people::{FIRST, consent, counts, noon, of_second, read, report};
use crate::harness::{Desk, brygga};

fn at_noon(messages: Vec<ScenarioMessage>) -> Scenario {
    Scenario { title: "made here".to_owned(), instant: noon(), messages }
}

fn export(folder: &Path, args: &[&str]) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_brygga"));
    command.args(["subject", "export", "--operator", "ada", "--reason", "begäran 2026-18", "--data"]).arg(folder).args(args);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
    child.stdin.take().expect("a pipe").write_all(format!("{FIRST}\n").as_bytes()).expect("written");
    let output = child.wait_with_output().expect("it ends");
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    (output.status.code().expect("a code"), said)
}

#[test]
fn a_protected_participant_is_shown_to_the_privacy_role_alone_and_named_to_nobody_after_a_breach() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let mut flagged = report("AR-3");
    let text = String::from_utf8(flagged.bytes).expect("UTF-8");
    flagged.bytes = text.replace("\"participant\":{", "\"participant\":{\"protectedIdentity\":true,").into();
    let desk = runtime.block_on(async {
        let desk = Desk::open(&at_noon(Vec::new())).await;
        desk.run(&at_noon(vec![consent("H-0102"), report("AR-1")])).await;
        assert_eq!(counts(&read(&desk.journey, &desk.store).await), (2, 0));
        desk.run(&at_noon(vec![flagged])).await;
        desk
    });
    assert_eq!(export(desk.path(), &["--json"]), (1, "{}\n".to_owned()));
    let (code, said) = export(desk.path(), &["--json", "--with-protected"]);
    let whole: Value = serde_json::from_str(&said).expect("one object");
    assert_eq!((code, whole["messages"].as_array().map(Vec::len)), (0, Some(3)), "{said}");
    let data = desk.path().display().to_string();
    let args = ["breach", "export", "--from", "2026-03-16T00:00:00Z", "--to", "2026-03-17T00:00:00Z", "--reason", "tillbud"];
    let (code, csv) = brygga(&[&args[..], &["--with-identities", "--data", &data]].concat());
    assert_eq!((code, csv.lines().count()), (0, 3), "{csv}");
    assert!(!csv.contains("2392"), "{csv}");
}

#[test]
fn a_participant_is_told_everything_and_a_breach_is_told_without_persons_unless_asked() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let mut marked = report("AR-1");
    marked.bytes = String::from_utf8(marked.bytes).expect("UTF-8").replace("Ringde på", "Ringde <b>på").into();
    let desk = runtime.block_on(async {
        let desk = Desk::open(&at_noon(Vec::new())).await;
        let messages = vec![consent("H-0102"), marked, of_second(consent("H-0103")), of_second(report("AR-2"))];
        desk.run(&at_noon(messages)).await;
        assert_eq!(counts(&read(&desk.journey, &desk.store).await), (4, 0));
        desk
    });
    let (code, said) = export(desk.path(), &["--json"]);
    assert_eq!(code, 0, "{said}");
    let whole: Value = serde_json::from_str(&said).expect("one object");
    assert_eq!(whole["personNumber"], "199907232392");
    let messages = whole["messages"].as_array().expect("messages");
    assert_eq!(messages.len(), 2, "the consent and the report");
    let told = &messages[1];
    assert!(told["content"]["fields"].as_array().expect("fields").iter().any(|field| field[1] == "Testdotter"), "{told}");
    let to_af: Vec<&Value> =
        told["sent"].as_array().expect("sent").iter().filter(|sent| sent["recipient"] == "arbetsformedlingen").collect();
    assert_eq!(to_af.len(), 2);
    assert!(to_af.iter().all(|sent| sent["servedAt"].is_string() && sent["document"].is_string()), "{to_af:?}");
    let leg = told["legs"].as_array().expect("legs").iter().find(|leg| leg["recipient"] == "arbetsformedlingen");
    let leg = leg.expect("a leg to Arbetsförmedlingen");
    assert!(leg["gate"].is_string() && leg["legalGround"].is_string(), "{leg}");
    assert_eq!(leg["consents"].as_array().map(Vec::len), Some(1), "{leg}");
    assert!(!said.contains("Provsson"), "nothing of anybody else");
    let (_, again) = export(desk.path(), &["--json"]);
    assert!(again.contains("begäran 2026-18"), "who has looked is told: {again}");
    let out = desk.path().join("utdrag");
    let (code, said) = export(desk.path(), &["--out", &out.display().to_string()]);
    assert_eq!(code, 0, "{said}");
    let page = std::fs::read_to_string(out.join("registerutdrag.html")).expect("the page");
    assert!(page.contains("lang=\"sv\"") && page.contains("<caption>") && page.contains("scope=\"col\""));
    assert!(page.contains("Testdotter") && !page.contains("<b>på"), "a value never becomes markup");

    let data = desk.path().display().to_string();
    let breach = |args: &[&str]| {
        let fixed: &[&str] =
            &["breach", "export", "--from", "2026-03-16T00:00:00Z", "--to", "2026-03-17T00:00:00Z", "--reason", "tillbud"];
        brygga(&[fixed, &["--data", &data], args].concat())
    };
    let (code, csv) = breach(&[]);
    assert_eq!(code, 0, "{csv}");
    assert_eq!(csv.lines().count(), 5, "a head, and two kinds of documents of two participants: {csv}");
    assert!(csv.contains("absence-reason") && !csv.contains("2392"), "{csv}");
    let (_, named) = breach(&["--with-identities", "--json"]);
    let named: Value = serde_json::from_str(&named).expect("one object");
    assert_eq!((&named["persons"], &named["documents"]), (&2.into(), &4.into()), "{named}");
    assert!(named["disclosed"].as_array().expect("rows").iter().all(|row| row["personNumber"].is_string()), "{named}");
    let (code, none) = breach(&["--recipient", "nobody"]);
    assert_eq!((code, none.lines().count()), (1, 1));
}
