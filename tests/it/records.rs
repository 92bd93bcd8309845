//! The records of processing and the draft of an impact assessment: everything that decides is in them, in documents that a
//! parser accepts, and no text becomes markup.

use std::collections::HashSet;

use brygga::agreement::Illustrations;
use brygga::app::embedded;
use brygga::domain::Category;
use brygga::journey::ContractSet;
use brygga::page;
use brygga::records::Records;
use quick_xml::Reader;
use quick_xml::events::Event;

use crate::harness::{brygga, root, set};

fn made(set: &ContractSet) -> Records {
    Records::of(set, None, jiff::civil::date(2026, 11, 25))
}

/// What a reader sees, where the document is well-formed; and the tags that occur.
fn read(html: &str) -> (String, HashSet<String>) {
    let body = html.strip_prefix("<!DOCTYPE html>").expect("a document of HTML");
    let mut reader = Reader::from_str(body);
    reader.config_mut().check_end_names = true;
    let (mut text, mut tags) = (String::new(), HashSet::new());
    loop {
        match reader.read_event().unwrap_or_else(|error| panic!("not well-formed at {}: {error}", reader.error_position())) {
            Event::Start(tag) | Event::Empty(tag) => {
                tags.insert(tag.name().as_ref().to_owned());
            }
            Event::Text(part) => text.push_str(&part),
            Event::GeneralRef(reference) => {
                let shown = reference.resolve_char_ref().expect("a reference");
                text.push(shown.unwrap_or_else(|| panic!("a named reference: {reference:?}")));
            }
            Event::Eof => return (text, tags),
            _ => {}
        }
    }
}

#[test]
fn every_agreement_purpose_ground_recipient_and_category_is_in_the_records() {
    let set = set();
    let records = made(&set);
    let regime = |name: &str| {
        let found = records.agreements.iter().find(|one| one.name == name).expect("an agreement");
        found
            .recipients
            .iter()
            .all(|one| one.law.iter().any(|row| row.contains("[osl-26-1]")))
            .then(|| found.recipients[0].law[0].clone())
    };
    assert!(regime("hallefors-2015").is_some_and(|row| row.ends_with("[pul-1998]")), "the law of its own days");
    assert!(regime("osby-2026").is_some_and(|row| row.ends_with("[gdpr-2018]")));
    let documents = [page::records(&records).expect("a page"), page::assessment(&records).expect("a page")];
    for html in documents {
        let (text, _) = read(&html);
        assert!(html.contains("<html lang=\"sv\">") && html.contains("scope=\"col\"") && html.matches("<h1>").count() == 1);
        for terms in set.register.terms() {
            for wanted in [&terms.agreement, &terms.purpose, &terms.legal_ground, &terms.namnd] {
                assert!(text.contains(wanted.as_str()), "{wanted} is missing");
            }
            assert!(
                records.agreements.iter().any(|one| one.name == terms.agreement && !one.grounds.is_empty()),
                "{}",
                terms.agreement
            );
            for recipient in &terms.recipients {
                assert!(text.contains(&recipient.gate.rule), "{}", recipient.gate.rule);
            }
        }
        for wanted in ["undertecknad", "illustration, inte undertecknad", "Arbetsförmedlingen", "försörjningsstöd"] {
            assert!(text.contains(wanted), "{wanted} is missing");
        }
        for category in &records.categories {
            assert!(text.contains(category.name) && text.contains(category.words), "{}", category.code);
        }
        for one in records.measures.iter().chain(&records.retention) {
            assert!(text.contains(&one.name) && text.contains(&one.words), "{}", one.name);
        }
    }
    let known: HashSet<&str> = records.categories.iter().map(|category| category.code).collect();
    let report = set.catalogue.contract(&"activity-report.v1".parse().expect("a name")).expect("the contract");
    for leaf in report.outline().leaves() {
        assert!(known.contains(leaf.category.as_str()), "{}", leaf.path);
    }
}

#[test]
fn the_table_has_a_row_for_every_agreement_recipient_and_category_with_equal_columns() {
    let set = set();
    let rows = csv(&made(&set).csv());
    let legs: usize = set.register.terms().iter().map(|terms| terms.recipients.len()).sum();
    assert_eq!(rows.len(), 1 + legs * Category::ALL.len());
    assert!(rows.iter().all(|row| row.len() == rows[0].len() && row.iter().all(|field| !field.is_empty())));
    let names: HashSet<&str> = rows[1..].iter().map(|row| row[0].as_str()).collect();
    for terms in set.register.terms() {
        assert!(names.contains(terms.agreement.as_str()), "{}", terms.agreement);
    }
}

#[test]
fn no_text_of_an_agreement_becomes_markup_or_a_column() {
    let mut files = embedded::contracts_from(&root().join("contracts")).expect("the contracts");
    let path = "agreements/osby-2026.toml";
    let text = files.get(path).expect("an agreement");
    let at = text.find("\npurpose = ").expect("a purpose") + 1;
    let end = at + text[at..].find('\n').expect("a line");
    let planted = "<script>alert('x')</script> & \"a\", b\r\n</td>";
    let changed = format!("{}purpose = {}{}", &text[..at], toml::Value::from(planted), &text[end..]);
    files.insert(path, changed);
    let set = ContractSet::load(&files, Illustrations::All).unwrap_or_else(|flaws| panic!("{flaws:#?}"));
    let records = made(&set);
    for html in [page::records(&records).expect("a page"), page::assessment(&records).expect("a page")] {
        let (text, tags) = read(&html);
        assert!(!tags.contains("script") && text.contains("<script>alert('x')</script> & \"a\", b"), "{tags:?}");
    }
    let rows = csv(&records.csv());
    assert!(rows.iter().all(|row| row.len() == rows[0].len()));
    assert!(rows.iter().any(|row| row.iter().any(|field| field == planted)), "it reads back as it was");
}

#[test]
fn the_command_writes_the_documents_and_says_what_the_configuration_does() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = folder.path().join("brygga.toml");
    let text = format!(
        "[contracts]\nfolder = \"{}\"\nillustrations = [\"osby-2026\"]\n[store]\nkind = \"embedded\"\ndata = \"{}\"\n[management]\n\
         listen = \"127.0.0.1:9480\"\n[spool]\nfolder = \"/srv/spool\"\n[[relay]]\nrecipient = \"1273.ame\"\nkind = \"spool\"\n",
        root().join("contracts").display(),
        folder.path().join("data").display(),
    );
    std::fs::write(&config, text).expect("written");
    let out = folder.path().join("records");
    let (config, to) = (config.to_str().expect("UTF-8"), out.to_str().expect("UTF-8"));
    let (code, told) = brygga(&["records", "--config", config, "--out", to, "--json"]);
    assert_eq!(code, 0, "{told}");
    let told: serde_json::Value = serde_json::from_str(&told).expect("JSON");
    assert_eq!(told["files"].as_array().map(Vec::len), Some(3));
    let records = told["records"]["agreements"].as_array().expect("agreements");
    let used: Vec<_> = records.iter().filter(|one| one["isUsed"] == true).map(|one| one["name"].as_str()).collect();
    assert_eq!(used, [Some("hallefors-2015"), Some("osby-2026")]);
    let html = std::fs::read_to_string(out.join("artikel-30.html")).expect("the records");
    let (text, _) = read(&html);
    for wanted in ["Till systemet 1273.ame", "Illustrationer i bruk", "I en datamapp på den egna maskinen"] {
        assert!(text.contains(wanted), "{wanted} is missing");
    }
    assert!(!folder.path().join("data").exists(), "nothing else is made");
    let (code, told) = brygga(&["records"]);
    assert!(code == 0 && told.contains("hallefors-2015") && told.contains("illustrative"), "{told}");
}

/// Reads RFC 4180 by itself.
fn csv(text: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut field, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '"' if quoted && rest.peek() == Some(&'"') => {
                rest.next();
                field.push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(std::mem::take(&mut field)),
            '\r' if !quoted && rest.peek() == Some(&'\n') => {
                rest.next();
                row.push(std::mem::take(&mut field));
                rows.push(std::mem::take(&mut row));
            }
            c => field.push(c),
        }
    }
    assert!(field.is_empty() && row.is_empty() && !quoted, "it ends with a whole line");
    rows
}
