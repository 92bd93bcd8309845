//! Pages: well-formed in both languages, without anything that runs or is loaded from elsewhere; text stays text.

use brygga::console::routes::{Page, ROUTES};
use brygga::console::{EN, SV, Texts};
use brygga::domain::Role;
use quick_xml::Reader;
use quick_xml::events::Event;
use reqwest::Method;

use super::world::House;

/// Holds a page to what every page keeps.
fn hold(page: &str, texts: &Texts) {
    let body = page.strip_prefix("<!DOCTYPE html>").expect("a document of HTML");
    let mut reader = Reader::from_str(body);
    reader.config_mut().check_end_names = true;
    let (mut tags, mut open, mut labels, mut fields) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    loop {
        let event = reader.read_event().unwrap_or_else(|error| panic!("not well-formed: {error}\n{page}"));
        let (Event::Start(tag) | Event::Empty(tag)) = event else {
            if matches!(event, Event::Eof) {
                break;
            }
            continue;
        };
        let name = tag.name();
        let name: &str = name.as_ref();
        tags.push(name.to_owned());
        let attributes: Vec<(String, String)> = tag
            .attributes()
            .map(|attribute| attribute.expect("an attribute"))
            .map(|attribute| (attribute.key.as_ref().to_owned(), attribute.value.clone().into_owned()))
            .collect();
        let value = |wanted: &str| attributes.iter().find(|(key, _)| key == wanted).map(|(_, value)| value.clone());
        for (key, value) in &attributes {
            assert!(!key.starts_with("on") && key != "style", "{name} {key}");
            let is_place = matches!(key.as_str(), "href" | "src" | "action");
            assert!(!is_place || value.starts_with("/console/") || value.starts_with('#'), "{name} leads to {value}");
        }
        open.extend(value("id"));
        labels.extend(value("for").filter(|_| name == "label"));
        if name == "input" && value("type").as_deref() != Some("hidden") && value("aria-hidden").is_none() {
            fields.push(value("id").expect("a field has an id"));
        }
    }
    for never in ["script", "style", "iframe", "object", "embed", "base", "img"] {
        assert!(!tags.iter().any(|tag| tag == never), "{never}");
    }
    for once in ["html", "title", "main", "h1", "header", "footer"] {
        let count = tags.iter().filter(|tag| *tag == once).count();
        assert!(count == 1 || (once == "title" && count == 2), "{once} stands {count} times\n{page}");
    }
    assert!(page.contains(&format!("<html lang=\"{}\">", texts.lang)) && page.contains(texts.nav_accessibility));
    assert_eq!(labels, fields, "every field has its label, in the same order");
    let unique: std::collections::HashSet<_> = open.iter().collect();
    assert_eq!(unique.len(), open.len(), "an id stands twice: {open:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_is_well_formed_in_both_languages_and_runs_and_loads_nothing() {
    let house = House::open().await;
    house.account("keeper", Role::Admin, &["all"]).await;
    house.account("bounded", Role::Viewer, &["1863"]).await;
    house.health.part("store", true).down("the database does not answer");
    let pages = ROUTES.iter().filter(|route| !route.changes && route.page != Page::Style);
    let paths: Vec<&str> = pages.map(|route| route.path).chain(["/console/nothing"]).collect();
    for who in ["keeper", "bounded"] {
        let token = house.session(who).await;
        for (texts, path) in [&SV, &EN].into_iter().flat_map(|texts| paths.iter().map(move |path| (texts, path))) {
            for cookie in [house.cookie(&token), "nobody=1".to_owned()] {
                let cookie = format!("{cookie}; brygga-language={}", texts.lang);
                let answer = house.request(&Method::GET, path, None).header("cookie", cookie).send().await.expect("an answer");
                if answer.status() != 303 {
                    hold(&answer.text().await.expect("a page"), texts);
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn markup_in_a_stored_text_is_shown_as_text() {
    let house = House::open().await;
    let evil = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>";
    house.account("keeper", Role::Admin, &[&format!("1863:{evil}")]).await;
    house.health.part(evil, true).down(evil);
    let token = house.session("keeper").await;
    for path in ["/console/account", "/console/people", "/console/"] {
        let page = house.get(path, Some(&token)).await.text().await.expect("a page");
        hold(&page, &SV);
        assert!(page.contains("&#60;script&#62;alert(1)"), "{path}: {page}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_overview_shows_alarms_with_what_helps_and_numbers_as_a_picture_and_as_a_table() {
    let house = House::open().await;
    house.account("looker", Role::Viewer, &["all"]).await;
    let token = house.session("looker").await;
    let page = house.get("/console/", Some(&token)).await.text().await.expect("a page");
    assert!(page.contains(SV.all_well) && page.contains("<svg") && page.contains(SV.numbers), "{page}");
    assert!(page.contains("2026-03-02 13:00 +01:00"), "the store's clock, in Swedish time with the offset");
    let counts = |page: &str, what: &str| page.contains(&format!(">{what}<"));
    assert!(!counts(&page, SV.diverted) && !counts(&page, SV.received), "what came, less what is shown, is what is kept apart");
    house.account("guardian", Role::Privacy, &["all"]).await;
    let apart = house.session("guardian").await;
    let apart = house.get("/console/", Some(&apart)).await.text().await.expect("a page");
    assert!(counts(&apart, SV.diverted) && counts(&apart, SV.received), "that is for privacy alone");
    house.health.part("amqp.in", true).down("the broker does not answer");
    let page = house.get("/console/", Some(&token)).await.text().await.expect("a page");
    assert!(page.contains("amqp.in") && page.contains("the broker does not answer"), "{page}");
    assert!(page.contains("href=\"/console/help#part\""), "{page}");
    let help = house.get("/console/help", None).await.text().await.expect("a page");
    for anchor in ["part", "letter", "refused", "waits", "due", "sums"] {
        assert!(help.contains(&format!("<h2 id=\"{anchor}\">")), "{anchor}");
    }
}
