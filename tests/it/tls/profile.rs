//! What the API says of itself holds: its description against live answers, and DIGG's profile rule by rule.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use brygga::store::Clock;
use brygga::store::postgres::PostgresStore;
use serde_json::{Value, json};

use super::server::{Files, Served, Setting};
use crate::harness::root;
use crate::servers::postgres::Server;

const PAGE: &str = "docs/digg-profile.md";
const STATES: [&str; 3] = ["met", "not applicable", "departed from"];

fn text(name: &str) -> String {
    std::fs::read_to_string(root().join(name)).expect("a document")
}

fn api() -> Value {
    serde_json::from_str(&text("docs/openapi.json")).expect("JSON")
}

/// The rules of the page: kind and state by name.
fn rules() -> BTreeMap<String, (String, String)> {
    let page = text(PAGE);
    let mut rules = BTreeMap::new();
    for line in page.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| Rule")) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        assert_eq!(cells.len(), 4, "{line}");
        assert!(!cells[3].is_empty(), "{line} gives no reason");
        let before = rules.insert(cells[0].to_owned(), (cells[1].to_owned(), cells[2].to_owned()));
        assert!(before.is_none(), "{} stands twice", cells[0]);
    }
    rules
}

fn operations(api: &Value) -> Vec<(&String, &String, &Value)> {
    let paths = api["paths"].as_object().expect("paths");
    paths
        .iter()
        .flat_map(|(path, item)| item.as_object().expect("methods").iter().map(move |(method, op)| (path, method, op)))
        .collect()
}

/// A part of the description, or what it refers to.
fn resolved<'a>(api: &'a Value, part: &'a Value) -> &'a Value {
    match part["$ref"].as_str() {
        Some(place) => api.pointer(place.trim_start_matches('#')).unwrap_or_else(|| panic!("{place} is not there")),
        None => part,
    }
}

fn responses(api: &Value) -> Vec<(u16, &Value)> {
    let of = |op: &'_ Value| op["responses"].as_object().expect("responses").clone();
    operations(api)
        .into_iter()
        .flat_map(|(path, method, op)| of(op).keys().cloned().map(move |status| (path, method, status)).collect::<Vec<_>>())
        .map(|(path, method, status)| {
            let part = &api["paths"][path][method]["responses"][&status];
            (status.parse().expect("a status"), resolved(api, part))
        })
        .collect()
}

fn parameters(api: &Value) -> Vec<&Value> {
    let all = api["components"]["parameters"].as_object().expect("parameters");
    all.values().collect()
}

fn full(value: &Value) -> bool {
    value.as_str().is_some_and(|text| !text.trim().is_empty())
}

type Check = fn(&Value) -> bool;

/// Each met SKALL rule that the description can show, with how DIGG's own tool reads it.
const CHECKS: [(&str, Check); 19] = [
    ("DOK.03", |api| {
        let info = &api["info"];
        ["version", "title", "description"].iter().all(|name| full(&info[name]))
            && ["name", "url", "email"].iter().all(|name| full(&info["contact"][name]))
            && ["name", "url"].iter().all(|name| full(&info["license"][name]))
    }),
    ("DOK.08", |api| ["availability", "responseTime", "support"].iter().all(|name| full(&api["info"]["x-sla"][name]))),
    ("DOK.09", |api| api["info"]["x-limitations"].as_array().is_some_and(|list| !list.is_empty())),
    ("DOK.11", |api| full(&api["info"]["description"])),
    ("DOK.15", |api| {
        let contents = responses(api).into_iter().flat_map(|(_, response)| response["content"].as_object().expect("contents"));
        contents.into_iter().all(|(_, content)| content["examples"].as_object().is_some_and(|all| !all.is_empty()))
            && parameters(api).iter().all(|parameter| !parameter["example"].is_null())
    }),
    ("DOK.19", |api| operations(api).iter().all(|(_, _, op)| full(&op["description"]) && full(&op["summary"]))),
    ("DOK.20", |api| responses(api).iter().all(|(_, response)| full(&response["description"]))),
    ("DOT.04", |api| {
        let schemas = &api["components"]["schemas"];
        schemas["Event"]["properties"]["time"]["format"] == "date-time"
            && schemas["ApiInfo"]["properties"]["apiReleased"]["format"] == "date"
    }),
    ("UFN.02", |api| {
        let servers = api["servers"].as_array().expect("servers");
        let host = |server: &Value| server["url"].as_str().and_then(|url| url.strip_prefix("https://")).map(str::to_owned);
        servers.iter().all(|server| host(server).is_some_and(|host| !host.contains(':')))
    }),
    ("UFN.07", |api| {
        let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "/-.~".contains(c);
        operations(api).iter().all(|(path, ..)| path.chars().all(good))
    }),
    ("UFN.08", |api| operations(api).iter().all(|(path, ..)| !path.contains(['_', '+', ',']))),
    ("UFN.09", |api| operations(api).iter().all(|(path, ..)| !path.contains([' ', '_']))),
    ("MOG.01", |api| {
        operations(api).iter().all(|(_, method, _)| ["get", "post", "put", "patch", "delete"].contains(&method.as_str()))
    }),
    ("ARQ.05", |api| {
        let headers = parameters(api).into_iter().filter(|parameter| parameter["in"] == "header");
        headers.into_iter().all(|header| header["schema"]["format"] == "uuid")
    }),
    ("FEL.01", |api| {
        let properties = &api["components"]["schemas"]["Problem"]["properties"];
        ["type", "title", "status", "detail", "instance"].iter().all(|name| !properties[name].is_null())
    }),
    ("FEL.02", |api| {
        let errors = responses(api).into_iter().filter(|(status, _)| *status >= 400);
        errors.into_iter().all(|(_, response)| !response["content"]["application/problem+json"].is_null())
    }),
    ("FOR.02", |api| operations(api).iter().all(|(_, method, op)| *method != "get" || op["requestBody"].is_null())),
    ("VER.06", |api| !api["paths"]["/api-info"]["get"].is_null()),
    ("SAK.09", |api| {
        let schemes = api["components"]["securitySchemes"].as_object().expect("schemes");
        schemes.values().all(|scheme| scheme["type"] == "mutualTLS")
    }),
];

/// Met SKALL rules that are shown elsewhere: by live answers below, or by other tests of this folder.
const SHOWN_LIVE: [&str; 4] = ["DOT.01", "FNS.01", "FNS.03", "SAK.01"];

#[test]
fn every_rule_of_the_page_has_one_of_three_states_and_those_of_which_nothing_is_claimed_have_none() {
    let rules = rules();
    assert!(rules.len() > 50, "the tables were read");
    for (rule, (kind, state)) in &rules {
        assert!(STATES.contains(&state.as_str()), "{rule} is {state}");
        assert!(["SKALL", "SKALL INTE", "BÖR", "BÖR INTE", "KAN"].contains(&kind.as_str()), "{rule} is a {kind}");
    }
    let page = text(PAGE);
    let (_, rest) = page.split_once("## Rules of which nothing is claimed").expect("the last part");
    let (named, _) = rest.split_once("The members").expect("the list");
    let open: Vec<&str> = named
        .split([',', '\n', '.', ':', ' '])
        .filter(|word| word.len() == 3 && word.chars().all(|c| c.is_ascii_uppercase()))
        .collect();
    assert_eq!(open.len(), 99, "the list was read");
    for rule in rules.keys() {
        assert!(!named.contains(rule.as_str()), "{rule} is claimed and not claimed");
    }
}

#[test]
fn each_met_skall_rule_is_checked() {
    let api = api();
    let met: BTreeSet<String> = rules()
        .into_iter()
        .filter(|(_, (kind, state))| kind.starts_with("SKALL") && state == "met")
        .map(|(rule, _)| rule)
        .collect();
    let checked: BTreeSet<String> = CHECKS.iter().map(|(rule, _)| *rule).chain(SHOWN_LIVE).map(str::to_owned).collect();
    assert_eq!(met, checked);
    for (rule, check) in CHECKS {
        assert!(check(&api), "{rule}");
        assert!(!check(&broken(&api)), "the check of {rule} cannot fail");
    }
    for parameter in parameters(&api).iter().filter(|parameter| parameter["in"] == "query") {
        let name = parameter["name"].as_str().expect("a name");
        assert!(
            name.starts_with(|c: char| c.is_ascii_lowercase()) && name.chars().all(char::is_alphanumeric),
            "{name} is camelCase"
        );
    }
}

/// A description that breaks every rule that is checked.
fn broken(api: &Value) -> Value {
    let mut api = api.clone();
    api["info"] = json!({});
    api["servers"] = json!([{ "url": "http://example.se:80" }]);
    api["components"]["securitySchemes"] = json!({ "basic": { "type": "http", "scheme": "basic" } });
    api["components"]["parameters"] = json!({ "data": { "in": "header", "schema": { "type": "object" } } });
    api["components"]["schemas"]["Problem"]["properties"] = json!({});
    api["components"]["schemas"]["Event"]["properties"]["time"] = json!({});
    let bad = json!({ "get": { "requestBody": {}, "responses": { "400": { "content": { "text/html": {} } } } }, "read": { "responses": {} } });
    api["paths"] = json!({ "/Feed _": bad });
    api
}

/// A validator of one schema of the description.
fn schema(api: &Value, name: &str) -> jsonschema::Validator {
    let whole = json!({ "$ref": format!("#/components/schemas/{name}"), "components": api["components"] });
    jsonschema::draft202012::new(&whole).expect("a schema")
}

#[tokio::test(flavor = "multi_thread")]
async fn live_answers_are_those_that_the_description_describes() {
    let files = Files::new();
    let af = files.af();
    let stranger = files.client_ca.issue(super::pki::Says::default());
    let served =
        Served::with(files, Setting { take: true, keys: "rate_per_minute = 1\nburst = 24", ..Setting::default() }).await;
    let mut wire = served.connect(&af).await.expect("a connection");
    let api = wire.get("/openapi.json").await.expect("an answer").json();
    let (page, problem, info) = (schema(&api, "Page"), schema(&api, "Problem"), schema(&api, "ApiInfo"));
    let results = schema(&api, "Results");
    let json = |body: &str| format!("content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    let receipts = json(r#"{"receipts":[{"eventId":"forged","kind":"received","at":"2026-03-16T08:00:00Z"}]}"#);
    let no_receipts = json("{}");
    let long = format!("/v1/feed?lastEventId={}", "x".repeat(2100));
    let body = "content-length: 1\r\n\r\nx";
    let mut seen = BTreeSet::new();
    for (who, method, target, lines) in [
        (&af, "GET", "/v1/feed?limit=500", ""),
        (&af, "GET", "/v1/feed?limit=2", "accept: application/json\r\n"),
        (&af, "GET", "/api-info", ""),
        (&af, "GET", "/openapi.json", ""),
        (&af, "GET", "/v1/feed?limit=0", ""),
        (&af, "GET", "/v1/feed?page=1", ""),
        (&stranger, "GET", "/v1/feed", ""),
        (&af, "POST", "/v1/feed", "content-length: 0\r\n"),
        (&af, "GET", "/v1/feed", "accept: text/html\r\n"),
        (&af, "GET", "/v1/feed?lastEventId=forged", ""),
        (&af, "GET", "/v1/feed", body),
        (&af, "GET", &long, ""),
        (&af, "POST", "/v1/receipts", receipts.as_str()),
        (&af, "POST", "/v1/receipts", no_receipts.as_str()),
        (&af, "POST", "/v1/receipts", "content-length: 0\r\n"),
        (&af, "POST", "/v1/receipts", "content-type: application/json\r\ncontent-length: 300000\r\n"),
    ] {
        let mut wire = served.connect(who).await.expect("a connection");
        let answer = wire.ask(method, target, lines).await.expect("an answer");
        check(&api, &answer, target, [&page, &problem, &info, &results], &mut seen);
    }
    let mut wire = served.connect(&af).await.expect("a connection");
    let mut tries = 0..40;
    let last = loop {
        let answer = wire.get("/v1/feed?limit=1").await.expect("an answer");
        if answer.status == 429 || tries.next().is_none() {
            break answer;
        }
    };
    check(&api, &last, "/v1/feed", [&page, &problem, &info, &results], &mut seen);
    let away = away().await;
    assert_eq!((away.status, away.problem(), away.header("retry-after")), (503, "away".to_owned(), Some("5")));
    check(&api, &away, "/v1/feed", [&page, &problem, &info, &results], &mut seen);
    // One cannot be provoked from outside: a failure of the program.
    seen.insert(500);
    let described: BTreeSet<u16> = responses(&api).iter().map(|(status, _)| *status).collect();
    assert_eq!(seen, described, "what is described is given, and the other way round");
}

/// What a reader gets while the feed's PostgreSQL answers nothing.
async fn away() -> super::wire::Answer {
    let postgres = Server::own().await;
    let mut settings = postgres.database().await;
    (settings.statement_timeout, settings.lock_timeout) = (Duration::from_millis(800), Duration::from_millis(600));
    (settings.answer_timeout, settings.acquire_timeout) = (Duration::from_secs(1), Duration::from_secs(2));
    let store = PostgresStore::open(&settings, Clock::System).await.expect("the store opens");
    let files = Files::new();
    let af = files.af();
    let served = Served::over(files, Setting::default(), |_| store.feed()).await;
    let mut wire = served.connect(&af).await.expect("a connection");
    assert_eq!(wire.get("/v1/feed").await.expect("an answer").status, 200);
    postgres.pause();
    let answer = wire.get("/v1/feed").await.expect("an answer");
    postgres.go_on();
    answer
}

fn check(
    api: &Value,
    answer: &super::wire::Answer,
    target: &str,
    [page, problem, info, results]: [&jsonschema::Validator; 4],
    seen: &mut BTreeSet<u16>,
) {
    let path = target.split('?').next().expect("a path");
    let described = resolved(
        api,
        &api["paths"][path][if path == "/v1/receipts" { "post" } else { "get" }]["responses"][answer.status.to_string()],
    );
    let media = answer.header("content-type").expect("a media type");
    assert!(described["content"].get(media).is_some(), "{target} gives {} as {media}, which is not described", answer.status);
    for header in described["headers"].as_object().expect("headers").keys() {
        assert!(answer.header(header).is_some(), "{target} lacks {header}");
    }
    let json = answer.json();
    match (answer.status, path) {
        (200, "/v1/feed") => {
            let times = json.as_array().expect("a page").iter().map(|event| event["time"].as_str().expect("a time"));
            assert!(times.clone().count() > 0 && times.into_iter().all(|time| time.ends_with('Z')), "in UTC");
            assert!(page.is_valid(&json));
        }
        (200, "/api-info") => assert!(info.is_valid(&json)),
        (200, "/v1/receipts") => assert!(results.is_valid(&json)),
        (200, _) => assert_eq!(json["openapi"], "3.1.0"),
        _ => {
            assert!(problem.is_valid(&json));
            let kinds = text("docs/feed.md");
            assert!(kinds.contains(&format!("`{}`", answer.problem())), "docs/feed.md does not know {}", answer.problem());
        }
    }
    seen.insert(answer.status);
}
