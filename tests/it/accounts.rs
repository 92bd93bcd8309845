//! People and rights: who can sign in, how often somebody may try, what ends a session, and what is left in the audit log.

use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use brygga::account::{
    AccountError, AccountName, IDLE_LIMIT, LONGEST_SESSION, Passwords, SessionToken, SignIn, Throttle, Try, add, change,
    change_password, disable, enter, reset, sign_in, sign_out, sign_out_everywhere,
};
use brygga::domain::{Role, Scope};
use brygga::store::sqlite::SqliteStore;
use brygga::store::{Clock, Store as _, Survey as _};
use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::Value;

use crate::harness::{brygga, folder_in_memory};

const RIGHT: &str = "sju äpplen på ett fat";

/// An empty store with an account, and a door.
struct House {
    store: SqliteStore,
    clock: Clock,
    passwords: Passwords,
    throttle: Throttle,
    /// When everything is tried: how long a password takes to be looked at is no part of what is tested.
    begun: Instant,
}

fn noon() -> Timestamp {
    "2026-03-02T12:00:00Z".parse().expect("a time")
}

fn name() -> AccountName {
    "registrator".parse().expect("a name")
}

fn secret(text: &str) -> SecretString {
    SecretString::from(text)
}

impl House {
    async fn open() -> Self {
        let clock = Clock::at(noon());
        let store = SqliteStore::in_memory(clock.clone()).await.expect("a store");
        let house =
            Self { store, clock, passwords: Passwords::default(), throttle: Throttle::default(), begun: Instant::now() };
        let new = (name(), Role::Operator, Scope::Everything);
        add(&house.store, &house.passwords, "the test", new, &secret(RIGHT)).await.expect("added");
        house
    }

    async fn try_in(&self, typed: &str, password: &str, former: Option<&SessionToken>) -> SignIn {
        let (password, from) = (secret(password), IpAddr::from(Ipv4Addr::LOCALHOST));
        let one = Try { name: typed, password: &password, from, at: self.begun, former };
        sign_in(&self.store, &self.passwords, &self.throttle, one).await.expect("the store is there")
    }

    async fn token(&self, password: &str) -> SessionToken {
        match self.try_in("registrator", password, None).await {
            SignIn::Open(_, token) => token,
            other => panic!("not signed in: {other:?}"),
        }
    }

    async fn is_in(&self, token: &SessionToken) -> bool {
        enter(&self.store, token).await.expect("the store is there").is_some()
    }

    fn pass(&self, time: Duration) {
        self.clock.set(self.clock.now().checked_add(time).expect("a time"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_right_password_of_an_account_that_is_not_disabled_opens_a_session() {
    let house = House::open().await;
    assert!(matches!(house.try_in("registrator", "fel lösenord men långt", None).await, SignIn::Refused));
    assert!(matches!(house.try_in("nobody", RIGHT, None).await, SignIn::Refused));
    let first = house.token(RIGHT).await;
    assert!(house.is_in(&first).await);
    // Whoever brings a session gets another, and the one that was brought ends: nobody else can have chosen it.
    let SignIn::Open(account, second) = house.try_in(" Registrator ", RIGHT, Some(&first)).await else { panic!("signed in") };
    assert_eq!(account.name, name());
    assert!(second.text() != first.text() && house.is_in(&second).await && !house.is_in(&first).await);
    let third = house.token(RIGHT).await;
    disable(&house.store, "the test", &name()).await.expect("disabled");
    assert!(!house.is_in(&second).await && !house.is_in(&third).await);
    assert!(matches!(house.try_in("registrator", RIGHT, None).await, SignIn::Refused));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_ends_by_itself_by_signing_out_and_whenever_something_of_its_account_changes() {
    let house = House::open().await;
    let token = house.token(RIGHT).await;
    house.pass(IDLE_LIMIT.saturating_sub(Duration::from_secs(1)));
    assert!(house.is_in(&token).await, "it was used within the limit, and that is kept in mind");
    house.pass(IDLE_LIMIT.saturating_sub(Duration::from_secs(1)));
    assert!(house.is_in(&token).await);
    house.pass(IDLE_LIMIT);
    assert!(!house.is_in(&token).await, "nobody used it");
    let token = house.token(RIGHT).await;
    for _ in 0..LONGEST_SESSION.as_secs() / 1500 {
        assert!(house.is_in(&token).await);
        house.pass(Duration::from_mins(25));
    }
    assert!(!house.is_in(&token).await, "however much it is used");
    let (one, two) = (house.token(RIGHT).await, house.token(RIGHT).await);
    let entered = enter(&house.store, &one).await.expect("the store is there").expect("signed in");
    sign_out(&house.store, &entered.session).await.expect("signed out");
    assert!(!house.is_in(&one).await && house.is_in(&two).await);
    let one = house.token(RIGHT).await;
    sign_out_everywhere(&house.store, &name()).await.expect("signed out");
    assert!(!house.is_in(&one).await && !house.is_in(&two).await);
    let one = house.token(RIGHT).await;
    change(&house.store, "the test", &name(), Some(Role::Viewer), None).await.expect("changed");
    assert!(!house.is_in(&one).await);
    let one = house.token(RIGHT).await;
    reset(&house.store, &house.passwords, "the test", &name(), &secret("åtta päron i en skål")).await.expect("reset");
    assert!(!house.is_in(&one).await);
    assert!(matches!(house.try_in("registrator", RIGHT, None).await, SignIn::Refused));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_changes_the_own_password_shows_the_present_one() {
    let house = House::open().await;
    let token = house.token(RIGHT).await;
    let account = enter(&house.store, &token).await.expect("the store is there").expect("signed in").account;
    let change = async |present: &str, new: &str| {
        change_password(&house.store, &house.passwords, &account, &secret(present), &secret(new)).await
    };
    assert!(matches!(change("något helt annat här", "åtta päron i en skål").await, Err(AccountError::Wrong)));
    assert!(matches!(change(RIGHT, "kort").await, Err(AccountError::Password(_))));
    assert!(house.is_in(&token).await, "nothing has changed");
    change(RIGHT, "åtta päron i en skål").await.expect("changed");
    assert!(!house.is_in(&token).await);
    house.token("åtta päron i en skål").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_tries_too_often_waits_and_the_password_is_not_even_looked_at() {
    let house = House::open().await;
    for _ in 0..3 {
        assert!(matches!(house.try_in("registrator", "fel lösenord men långt", None).await, SignIn::Refused));
    }
    assert!(matches!(house.try_in("registrator", RIGHT, None).await, SignIn::Wait(_)));
    let (password, elsewhere) = (secret(RIGHT), IpAddr::from([192, 0, 2, 7]));
    let one = Try { name: "registrator", password: &password, from: elsewhere, at: house.begun, former: None };
    let answer = sign_in(&house.store, &house.passwords, &house.throttle, one).await.expect("the store is there");
    assert!(matches!(answer, SignIn::Open(..)), "its person elsewhere is not kept out");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_act_has_its_row_in_the_audit_log_and_none_holds_a_password() {
    let house = House::open().await;
    let token = house.token(RIGHT).await;
    let entered = enter(&house.store, &token).await.expect("the store is there").expect("signed in");
    sign_out(&house.store, &entered.session).await.expect("signed out");
    reset(&house.store, &house.passwords, "the test", &name(), &secret("åtta päron i en skål")).await.expect("reset");
    disable(&house.store, "the test", &name()).await.expect("disabled");
    let links = house.store.begin("test").await.expect("a transaction").audit_links(0, 100).await.expect("read");
    let rows: Vec<_> = links.iter().flat_map(|link| &link.rows).collect();
    let told: Vec<(String, String)> = rows.iter().map(|(_, row)| (row.actor.clone(), row.detail.clone())).collect();
    let wanted = [
        ("the test", "\"account added\",\"account\":\"registrator\",\"role\":\"operator\",\"scope\":[\"all\"]"),
        ("registrator", "signed in"),
        ("registrator", "signed out"),
        ("the test", "\"account reset\""),
        ("the test", "\"account disabled\""),
    ];
    assert_eq!(told.len(), wanted.len(), "{told:?}");
    for ((actor, detail), (by, what)) in told.iter().zip(wanted) {
        assert!(actor == by && detail.contains(what), "{actor}: {detail}");
        assert!(!detail.contains("argon2") && !detail.contains("äpplen"), "{detail}");
    }
    assert!(rows.iter().all(|(_, row)| row.act == "access"));
}

#[test]
fn the_command_line_makes_an_account_shows_its_password_once_and_says_what_is_wrong() {
    let folder = folder_in_memory();
    let data = folder.path().display().to_string();
    assert_eq!(brygga(&["demo", "--once", "--json", "--data", &data]).0, 0);
    let user = |args: &[&str]| {
        let all = [&["user", args[0], "--data", &data, "--json"], &args[1..]].concat();
        let (code, said) = brygga(&all);
        (code, serde_json::from_str::<Value>(&said).unwrap_or(Value::String(said)))
    };
    let (code, added) = user(&["add", "--role", "operator", "--scope", "1863", "registrator"]);
    assert_eq!(code, 0, "{added}");
    assert_eq!(added["password"].as_str().map(str::len), Some(29));
    let (code, again) = user(&["add", "--role", "viewer", "--scope", "all", "registrator"]);
    assert!(code == 2 && again.to_string().contains("already"), "{again}");
    for bad in [
        ["--role", "root", "--scope", "all", "a"],
        ["--role", "viewer", "--scope", "everything", "a"],
        ["--role", "viewer", "--scope", "all", "Å"],
    ] {
        assert_eq!(user(&[&["add"], bad.as_slice()].concat()).0, 2, "{bad:?}");
    }
    assert_eq!(user(&["change", "--scope", "all", "registrator"]).1["scope"], serde_json::json!(["all"]));
    assert!(user(&["disable", "registrator"]).1["disabledAt"].is_string());
    assert_eq!(user(&["disable", "nobody"]).0, 2);
    let (_, listed) = user(&["list"]);
    let account = &listed["accounts"][0];
    assert_eq!((&account["role"], account["disabledAt"].is_string()), (&"operator".into(), true));
    assert!(!listed.to_string().contains("argon2") && account.get("password").is_none(), "{listed}");
    let (code, reset) = user(&["reset", "registrator"]);
    assert!(code == 0 && reset["disabledAt"].is_null() && reset["password"] != added["password"], "{reset}");
}

#[test]
fn a_password_can_come_on_standard_input_and_is_then_not_shown() {
    let folder = folder_in_memory();
    let data = folder.path().display().to_string();
    assert_eq!(brygga(&["demo", "--once", "--json", "--data", &data]).0, 0);
    let add = |password: &str, name: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_brygga"));
        command.args(["user", "add", "--data", &data, "--role", "viewer", "--scope", "all", "--password-stdin", name]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
        child.stdin.take().expect("its input").write_all(password.as_bytes()).expect("written");
        let output = child.wait_with_output().expect("it ends");
        let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        (output.status.code(), said)
    };
    let (code, said) = add(&format!("{RIGHT}\n"), "a");
    assert!(code == Some(0) && !said.contains("äpplen") && !said.contains("Password"), "{said}");
    let (code, said) = add("kort\n", "b");
    assert!(code == Some(2) && said.contains("at least 15") && !said.contains("kort"), "{said}");
}
