//! Signing in and out over HTTP: sessions, cookies, forms that nobody else can send, delays.

use brygga::account::SessionToken;
use brygga::domain::Role;
use reqwest::Method;

use super::world::{FORM, House, PASSWORD, encoded, header};

/// The session that an answer sets.
fn set_session(house: &House, answer: &reqwest::Response) -> Option<SessionToken> {
    let value = header(answer, "set-cookie").strip_prefix(house.cookie_name())?.strip_prefix('=')?;
    SessionToken::read(value.split(';').next()?)
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_in_makes_a_session_that_did_not_exist_and_ends_the_one_that_was_shown() {
    let house = House::open().await;
    house.account("registrator", Role::Operator, &["all"]).await;
    let planted = house.session("registrator").await;
    let fields = [("name", "registrator"), ("password", PASSWORD)];
    let answer = house.post("/console/sign-in", Some(&planted), &fields).await;
    assert_eq!((answer.status().as_u16(), header(&answer, "location")), (303, "/console/"));
    let token = set_session(&house, &answer).expect("a session");
    assert_ne!(token.text(), planted.text());
    assert!(house.is_in(&token).await && !house.is_in(&planted).await);
    // One that somebody chose is no session before, and none after.
    let chosen = SessionToken::random().expect("random numbers");
    let answer = house.post("/console/sign-in", Some(&chosen), &fields).await;
    let token = set_session(&house, &answer).expect("a session");
    assert!(token.text() != chosen.text() && !house.is_in(&chosen).await);
    let answer = house.post("/console/sign-out", Some(&token), &[]).await;
    assert!(header(&answer, "set-cookie").contains("Max-Age=0") && !house.is_in(&token).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_and_an_unknown_name_get_the_same_page_and_after_some_tries_a_delay() {
    let house = House::open().await;
    house.account("registrator", Role::Operator, &["all"]).await;
    let try_in = async |name: &str, password: &str| {
        let answer = house.post("/console/sign-in", None, &[("name", name), ("password", password)]).await;
        let (status, retry) = (answer.status().as_u16(), header(&answer, "retry-after").to_owned());
        (status, retry, answer.text().await.expect("a page"))
    };
    let wrong = try_in("registrator", "fel lösenord men långt").await;
    assert_eq!(wrong.0, 403);
    assert_eq!(wrong, try_in("nobody", "fel lösenord men långt").await);
    assert!(!wrong.2.contains("fel lösenord"), "what was typed is not shown again");
    // How long a password takes to be looked at, the delay grows past it.
    let mut answers = Vec::new();
    while answers.last().is_none_or(|(status, _)| *status == 403) && answers.len() < 12 {
        let (status, retry, _) = try_in("registrator", "fel lösenord men långt").await;
        answers.push((status, retry));
    }
    let (status, retry) = answers.last().expect("an answer");
    assert!(*status == 429 && retry.parse::<u64>().is_ok_and(|seconds| seconds > 0), "{answers:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cookie_over_tls_is_for_this_host_over_tls_alone_and_no_other_page_sends_it() {
    let house = House::secure().await;
    house.account("registrator", Role::Operator, &["all"]).await;
    let answer = house.post("/console/sign-in", None, &[("name", "registrator"), ("password", PASSWORD)]).await;
    let cookie = header(&answer, "set-cookie").to_owned();
    let (_, flags) = cookie.split_once("; ").expect("flags");
    assert!(cookie.starts_with("__Host-brygga-session="), "{cookie}");
    assert_eq!(flags, "Path=/; HttpOnly; SameSite=Strict; Secure", "no Domain, and gone with the browser");
    assert_eq!(header(&answer, "strict-transport-security"), "max-age=31536000");
    let token = set_session(&house, &answer).expect("a session");
    assert!(house.is_in(&token).await);
    // A cookie of the name that plain connections have is none here.
    let plain = house.client.get(format!("{}/console/account", house.base));
    let answer = plain.header("cookie", format!("brygga-session={}", token.text())).send().await.expect("an answer");
    assert_eq!(answer.status(), 303);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_form_is_taken_from_elsewhere_or_without_the_token_of_its_own_session() {
    let house = House::open().await;
    for name in ["own", "other"] {
        house.account(name, Role::Operator, &["all"]).await;
    }
    let (own, other) = (house.session("own").await, house.session("other").await);
    let path = "/console/sign-out-everywhere";
    let bare =
        || house.client.post(format!("{}{path}", house.base)).header("cookie", house.cookie(&own)).header("content-type", FORM);
    let good = encoded(&[("form", own.form().as_str())]);
    let foreign = format!("http://127.0.0.1.evil.example:{}", house.base.rsplit(':').next().expect("a port"));
    for (what, request) in [
        ("no origin", bare().body(good.clone())),
        ("another origin", bare().header("origin", "https://evil.example").body(good.clone())),
        ("an origin that begins alike", bare().header("origin", foreign).body(good.clone())),
        ("a sandboxed frame", bare().header("origin", "null").body(good.clone())),
        ("another scheme", bare().header("origin", house.base.replace("http", "https")).body(good.clone())),
        (
            "a browser that says so",
            bare().header("origin", &house.base).header("sec-fetch-site", "cross-site").body(good.clone()),
        ),
        ("no token", bare().header("origin", &house.base).body("")),
        ("another session's token", bare().header("origin", &house.base).body(encoded(&[("form", other.form().as_str())]))),
        ("the token twice", bare().header("origin", &house.base).body(format!("{good}&{good}"))),
    ] {
        let answer = request.send().await.expect("an answer");
        assert_eq!(answer.status(), 403, "{what}");
        assert!(house.is_in(&own).await, "{what}: nothing was done");
    }
    let json = house.request(&Method::POST, path, Some(&own)).header("content-type", "application/json").body("{}");
    assert_eq!(json.send().await.expect("an answer").status(), 400);
    // Reading changes nothing, and what changes something cannot be read.
    assert_eq!(house.get(path, Some(&own)).await.status(), 405);
    assert!(house.is_in(&own).await);
    assert_eq!(house.post(path, Some(&own), &[]).await.status(), 303);
    assert!(!house.is_in(&own).await && house.is_in(&other).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_own_password_is_changed_by_who_knows_it_and_everybody_is_signed_out() {
    let house = House::open().await;
    house.account("registrator", Role::Operator, &["all"]).await;
    let (token, elsewhere) = (house.session("registrator").await, house.session("registrator").await);
    let change = async |present: &str, new: &str, again: &str| {
        let fields = [("present", present), ("new", new), ("again", again)];
        house.post("/console/account/password", Some(&token), &fields).await
    };
    assert_eq!(change(PASSWORD, "åtta päron i en skål", "nio päron i en skål").await.status(), 422);
    assert_eq!(change("något helt annat här", "åtta päron i en skål", "åtta päron i en skål").await.status(), 422);
    assert!(house.is_in(&token).await && house.is_in(&elsewhere).await);
    assert_eq!(change(PASSWORD, "åtta päron i en skål", "åtta päron i en skål").await.status(), 303);
    assert!(!house.is_in(&token).await && !house.is_in(&elsewhere).await);
    let sign_in = house.post("/console/sign-in", None, &[("name", "registrator"), ("password", "åtta päron i en skål")]).await;
    assert_eq!(sign_in.status(), 303);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_language_leads_back_to_a_page_of_the_console_and_nowhere_else() {
    let house = House::open().await;
    for (back, to) in [
        ("/console/help", "/console/help"),
        ("https://evil.example/", "/console/"),
        ("//evil.example/", "/console/"),
        ("/console/sign-out", "/console/"),
    ] {
        let answer = house.post("/console/language", None, &[("language", "en"), ("back", back)]).await;
        assert_eq!((answer.status().as_u16(), header(&answer, "location")), (303, to), "{back}");
        assert!(header(&answer, "set-cookie").starts_with("brygga-language=en; "));
    }
    let english = house.request(&Method::GET, "/console/help", None).header("cookie", "brygga-language=en");
    let page = english.send().await.expect("an answer").text().await.expect("a page");
    assert!(page.contains("<html lang=\"en\">") && page.contains("What the alarms mean"), "{page}");
}
