//! `law.toml` is data: its faults are told all at once with their lines, and a row more changes what is decided.

use brygga::agreement::Illustrations;
use brygga::app::embedded;
use brygga::domain::{Files, Leaf, LeafKind, Party, Sensitivity};
use brygga::journey::ContractSet;
use jiff::civil::date;

use crate::harness::{root, set};

fn files() -> Files {
    embedded::contracts_from(&root().join("contracts")).expect("the contracts can be read")
}

fn with_law(change: impl Fn(&str) -> String) -> Result<ContractSet, Vec<String>> {
    let mut files = files();
    let text = change(files.get("law.toml").expect("law.toml"));
    files.insert("law.toml", text);
    let told = |flaws: Vec<brygga::domain::Flaw>| flaws.iter().map(ToString::to_string).collect();
    ContractSet::load(&files, Illustrations::All).map_err(told)
}

#[test]
fn every_fault_of_the_law_is_told_at_once_with_its_line() {
    let flaws = with_law(|text| {
        text.replace("id = \"osl-12-2\"", "id = \"osl-10-1\"")
            .replace("from = \"2022-12-01\"", "from = \"2022-13-01\"")
            .replace("given_before = \"2018-05-25\"", "given_before = \"25 maj 2018\"")
            .replace("consents = [\"gdpr-consent\"]", "consents = [\"secrecy-waiver\"]")
            .replace("from = \"2018-05-25\"\n\n# Rules", "from = \"2018-05-26\"\n\n# Rules")
    })
    .expect_err("five faults");
    assert_eq!(flaws.len(), 5, "{flaws:#?}");
    for (flaw, words) in
        flaws.iter().zip(["day after the one before", "stands twice", "YYYY-MM-DD", "waiver is none", "YYYY-MM-DD"])
    {
        assert!(flaw.starts_with("law.toml:") && flaw.contains(words), "{flaw}");
    }
}

#[test]
fn an_agreement_that_outlives_its_legal_ground_does_not_load() {
    let mut files = files();
    let name = "agreements/hallefors-2015.toml";
    let text = files.get(name).expect("the agreement").replace("to = \"2017-12-31\"", "to = \"2018-12-31\"");
    files.insert(name, text);
    let flaws = ContractSet::load(&files, Illustrations::All).expect_err("PuL was repealed");
    assert_eq!(flaws.len(), 1, "{flaws:#?}");
    assert!(flaws[0].words.contains("2018-05-25") && flaws[0].file == name && flaws[0].line > 1, "{}", flaws[0]);
}

#[test]
fn an_agreement_whose_legal_ground_the_law_does_not_know_does_not_load() {
    let name = "agreements/hallefors-2026.toml";
    let known = "GDPR art. 6.1 e; SoLPuL (2001:454) 6 §; OSL 26:1 with 10:1 and 12:2";
    for (cited, unknown) in [
        ("SoLPuL (2001:454) 6 §", Some("SoLPuL (2001:454) 6 §")),
        ("GDPR art 6.1 e", Some("GDPR art 6.1 e")),
        // A consent that would never be asked for.
        ("GDPR art. 6.1 e; GDPR art. 9.2.a", Some("GDPR art. 9.2.a")),
        ("GDPR art. 6.1 e; GDPR art. 9.2 a; OSL 26:1", None),
    ] {
        let mut files = files();
        let text = files.get(name).expect("the agreement").replace(known, cited);
        files.insert(name, text);
        match (ContractSet::load(&files, Illustrations::All), unknown) {
            (Ok(_), None) => {}
            (Err(flaws), Some(unknown)) => {
                assert_eq!(flaws.len(), 1, "{flaws:#?}");
                assert!(flaws[0].words.contains(&format!("`{unknown}`")) && flaws[0].line > 1, "{}", flaws[0]);
            }
            (result, _) => panic!("{cited}: {:?}", result.map(drop)),
        }
    }
}

#[test]
fn a_field_of_a_sensitive_category_cannot_be_annotated_as_ordinary() {
    let mut files = files();
    let name = "messages/activity-report/v1/schema.json";
    let text = files.get(name).expect("the contract");
    let weaker = text.replacen(
        "\"x-category\": \"absence-reason\", \"x-sensitivity\": \"sensitive\"",
        "\"x-category\": \"absence-reason\", \"x-sensitivity\": \"ordinary\"",
        1,
    );
    assert_ne!(weaker, text);
    files.insert(name, weaker);
    let flaws = ContractSet::load(&files, Illustrations::All).expect_err("a reason can be a diagnosis");
    assert!(flaws.iter().any(|flaw| flaw.words.contains("absences[].reason") && flaw.words.contains("pul-13")), "{flaws:#?}");
}

#[test]
fn on_each_day_one_regime_applies_and_what_changes_is_known() {
    let set = set();
    let regime = |year, month, day| set.law.regime(date(year, month, day)).map(|row| row.id.clone());
    assert_eq!(regime(1998, 10, 23), None);
    assert_eq!(regime(2018, 5, 24).as_deref(), Some("pul-1998"));
    assert_eq!(regime(2018, 5, 25).as_deref(), Some("gdpr-2018"));
    assert_eq!(set.law.changes_after(date(2018, 5, 24)), Some(date(2018, 5, 25)));
    assert_eq!(set.law.changes_after(date(2018, 5, 25)), Some(date(2022, 12, 1)));
    assert_eq!(set.law.bans(date(2018, 5, 24)).count(), 0);
    assert_eq!(set.law.bans(date(2018, 5, 25)).map(|row| row.id.as_str()).collect::<Vec<_>>(), ["dsl-3-3"]);
    let ids: std::collections::BTreeSet<&str> = set.law.rows().map(|row| row.id.as_str()).collect();
    assert_eq!(ids.len(), set.law.rows().count(), "an id names one row");
}

#[test]
fn the_sensitive_fields_are_those_that_the_law_names() {
    use brygga::domain::Category::{AbsenceReason, FreeText, Identity};
    let set = set();
    let leaf = |category, sensitivity| Leaf { path: "x".into(), kind: LeafKind::Boolean, category, sensitivity };
    let today = date(2026, 3, 2);
    let rows = |leaf: &Leaf| set.law.sensitive(leaf, today).map(|row| row.id.clone()).collect::<Vec<_>>();
    assert_eq!(rows(&leaf(AbsenceReason, Sensitivity::Sensitive)), ["gdpr-9"]);
    assert_eq!(rows(&leaf(FreeText, Sensitivity::Ordinary)), ["gdpr-9"]);
    assert!(rows(&leaf(Identity, Sensitivity::ExtraProtected)).is_empty());
}

#[test]
fn a_rule_goes_with_the_gates_and_parties_that_its_row_names() {
    use brygga::agreement::GateKind::{NoSecrecyBoundary, StatutoryDuty, Waiver};
    let set = set();
    let rows =
        |gate, party, year| -> Vec<String> { set.law.rules(gate, party, date(year, 6, 1)).map(|row| row.id.clone()).collect() };
    let has = |rows: &[String], id: &str| rows.iter().any(|known| known == id);
    let (af, fs) = (Party::Arbetsformedlingen, Party::Forsorjningsstod);
    assert!(has(&rows(Waiver, af, 2026), "osl-10-1") && !has(&rows(StatutoryDuty, af, 2026), "osl-10-1"));
    assert!(has(&rows(StatutoryDuty, af, 2026), "osl-10-28") && has(&rows(NoSecrecyBoundary, fs, 2026), "osl-8-2"));
    assert!(has(&rows(Waiver, af, 2016), "osl-28-11-2009") && has(&rows(Waiver, af, 2026), "osl-28-11-2022"));
    assert!(!has(&rows(NoSecrecyBoundary, fs, 2026), "osl-28-11-2022"));
}

#[test]
fn a_change_of_the_law_is_a_row_more() {
    let row = "\n[[rule]]\nid = \"osl-10-15-a\"\nact = \"OSL (2009:400)\"\nrule = \"10:15 a\"\nwords = \"x\"\nfrom = \"2025-12-01\"\n";
    let set = with_law(|text| format!("{text}{row}")).expect("it loads");
    let rows = |day| set.law.rules(brygga::agreement::GateKind::Waiver, Party::Arbetsformedlingen, day).count();
    assert_eq!(rows(date(2025, 12, 1)), rows(date(2025, 11, 30)) + 1);
    assert_ne!(set.digest(), crate::harness::set().digest(), "it is another set");
}
