//! What every answer carries, and what no request may be.

use brygga::console::routes::ROUTES;
use brygga::domain::Role;
use reqwest::Method;

use super::world::{FORM, House, header};

const EXPECTED: [(&str, &str); 8] = [
    (
        "content-security-policy",
        "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    ),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "same-origin"),
    ("cache-control", "no-store"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("permissions-policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
];

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_carries_the_same_headers_whatever_it_is() {
    let house = House::open().await;
    house.account("keeper", Role::Admin, &["all"]).await;
    let token = house.session("keeper").await;
    let mut answers = Vec::new();
    for route in ROUTES.iter().filter(|route| !route.changes) {
        answers.push((route.path, house.get(route.path, Some(&token)).await));
        answers.push((route.path, house.get(route.path, None).await));
    }
    for path in ["/", "/console", "/console/nothing", "/console/..%2f", "/v1/feed", "/metrics"] {
        answers.push((path, house.get(path, None).await));
    }
    answers.push(("a method", house.request(&Method::DELETE, "/console/", None).send().await.expect("an answer")));
    answers.push((
        "a form from nowhere",
        house.client.post(format!("{}/console/sign-in", house.base)).send().await.expect("sent"),
    ));
    answers.push(("a form", house.post("/console/language", None, &[("language", "sv")]).await));
    for (what, answer) in &answers {
        for (name, value) in EXPECTED {
            assert_eq!(header(answer, name), value, "{name} of {what} ({})", answer.status());
        }
        assert_eq!(header(answer, "strict-transport-security"), "", "not without TLS");
        assert_eq!(header(answer, "server"), "");
        assert!(answer.status() == 303 || header(answer, "content-type").ends_with("charset=utf-8"), "{what}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_out_of_bounds_is_refused_and_nothing_of_it_is_shown() {
    let house = House::open().await;
    let large = house.request(&Method::POST, "/console/sign-in", None).header("content-type", FORM);
    let large = large.body(format!("name={}", "x".repeat(20_000))).send().await.expect("an answer");
    assert_eq!(large.status(), 400);
    let long = house.get(&format!("/console/help?x={}", "y".repeat(3_000)), None).await;
    assert_eq!(long.status(), 414);
    let body = house.request(&Method::GET, "/console/help", None).body("surplus").send().await.expect("an answer");
    assert_eq!(body.status(), 400);
    let broken = house.get("/console/help?x=%ff", None).await;
    assert_eq!(broken.status(), 400);
    let missing = house.get("/console/%3Cscript%3Ealert(1)%3C/script%3E", None).await;
    assert_eq!(missing.status(), 404);
    assert!(!missing.text().await.expect("a page").contains("script"));
}
