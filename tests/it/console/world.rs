//! A console that is served, people with accounts, and a browser that keeps cookies by hand.

use std::sync::Arc;

use brygga::account::{Passwords, SessionToken, add, open_for, read_scope};
use brygga::config::ConsoleTls;
use brygga::console::Console;
use brygga::domain::Role;
use brygga::http::{PagesBound, Shown, TlsPlace};
use brygga::store::sqlite::SqliteStore;
use brygga::store::{Accounts as _, Clock, Store as _, Tx as _};
use brygga::telemetry::Health;
use jiff::Timestamp;
use reqwest::{Client, Method, RequestBuilder, Response};
use secrecy::SecretString;
use tokio::sync::{OnceCell, watch};

use crate::tls::pki::Authority;

/// The password of every account here.
pub(super) const PASSWORD: &str = "sju äpplen på ett fat";

/// A console on loopback.
pub(super) struct House {
    pub(super) store: SqliteStore,
    pub(super) health: Health,
    /// `http://127.0.0.1:PORT` or `https://localhost:PORT`.
    pub(super) base: String,
    is_secure: bool,
    pub(super) client: Client,
    _stop: watch::Sender<bool>,
    _files: Option<tempfile::TempDir>,
}

pub(super) fn noon() -> Timestamp {
    "2026-03-02T12:00:00Z".parse().expect("a time")
}

impl House {
    /// A console without TLS over an empty store.
    pub(super) async fn open() -> Self {
        Self::serve(None).await
    }

    /// The same over TLS.
    pub(super) async fn secure() -> Self {
        Self::serve(Some(Authority::new("servers"))).await
    }

    async fn serve(authority: Option<Authority>) -> Self {
        let store = SqliteStore::in_memory(Clock::at(noon())).await.expect("a store");
        let health = Health::default();
        let mut client = Client::builder().redirect(reqwest::redirect::Policy::none());
        let (mut shown, mut files) = (None, None);
        if let Some(authority) = &authority {
            let folder = tempfile::tempdir().expect("a folder");
            let own = authority.server(7);
            let path = |name: &str| folder.path().join(name);
            std::fs::write(path("own.pem"), &own.certificate).expect("written");
            std::fs::write(path("own.key"), &own.key).expect("written");
            let named = ConsoleTls { certificate_file: path("own.pem"), key_file: path("own.key") };
            shown = Some(Shown::open(&named, &health).expect("a good certificate"));
            files = Some(folder);
            let root = reqwest::Certificate::from_pem(authority.pem().as_bytes()).expect("a certificate");
            client = client.tls_certs_only([root]);
        }
        let is_secure = shown.is_some();
        let place = TlsPlace::take("127.0.0.1:0".parse().expect("an address")).expect("a free port");
        let bound = PagesBound::listen(place).expect("it listens");
        let port = bound.address().expect("an address").port();
        let (stop, stopping) = watch::channel(false);
        let router = Console::new(store.clone(), health.clone(), is_secure).router();
        tokio::spawn(bound.serve(router, shown, stopping));
        let base = if is_secure { format!("https://localhost:{port}") } else { format!("http://127.0.0.1:{port}") };
        Self { store, health, base, is_secure, client: client.build().expect("a client"), _stop: stop, _files: files }
    }

    /// Makes an account whose password is [`PASSWORD`]. Hashing it once is enough for all tests.
    pub(super) async fn account(&self, name: &str, role: Role, scope: &[&str]) {
        static HASHED: OnceCell<Arc<brygga::account::Account>> = OnceCell::const_new();
        let scope = read_scope(scope.iter().copied()).expect("a scope");
        let first = HASHED.get_or_init(|| async {
            let store = SqliteStore::in_memory(Clock::at(noon())).await.expect("a store");
            let new = ("first".parse().expect("a name"), Role::Viewer, brygga::domain::Scope::Everything);
            let made = add(&store, &Passwords::default(), "the test", new, &SecretString::from(PASSWORD)).await;
            Arc::new(made.expect("added"))
        });
        let mut account = (**first.await).clone();
        (account.name, account.role, account.scope) = (name.parse().expect("a name"), role, scope);
        let mut tx = self.store.begin("test").await.expect("a transaction");
        assert!(tx.add_account(&account).await.expect("stored"));
        tx.commit().await.expect("committed");
    }

    /// A session of an account, as signing in would have made it.
    pub(super) async fn session(&self, name: &str) -> SessionToken {
        open_for(&self.store, &name.parse().expect("a name")).await.expect("a session")
    }

    pub(super) const fn cookie_name(&self) -> &'static str {
        if self.is_secure { "__Host-brygga-session" } else { "brygga-session" }
    }

    pub(super) fn cookie(&self, token: &SessionToken) -> String {
        format!("{}={}", self.cookie_name(), token.text())
    }

    /// A request as a browser sends it from a page of the console itself.
    pub(super) fn request(&self, method: &Method, path: &str, token: Option<&SessionToken>) -> RequestBuilder {
        let mut request = self.client.request(method.clone(), format!("{}{path}", self.base));
        if let Some(token) = token {
            request = request.header("cookie", self.cookie(token));
        }
        if *method == Method::POST { request.header("origin", &self.base) } else { request }
    }

    pub(super) async fn get(&self, path: &str, token: Option<&SessionToken>) -> Response {
        self.request(&Method::GET, path, token).send().await.expect("an answer")
    }

    /// Sends a form with what every form of the session carries.
    pub(super) async fn post(&self, path: &str, token: Option<&SessionToken>, fields: &[(&str, &str)]) -> Response {
        let form = token.map(|token| token.form().as_str().to_owned()).unwrap_or_default();
        let body = encoded(&[fields, &[("form", form.as_str())]].concat());
        self.request(&Method::POST, path, token).header("content-type", FORM).body(body).send().await.expect("an answer")
    }

    pub(super) async fn is_in(&self, token: &SessionToken) -> bool {
        self.get("/console/account", Some(token)).await.status() == 200
    }
}

/// The media type of a form.
pub(super) const FORM: &str = "application/x-www-form-urlencoded";

/// A form's body: every byte but the plainest in hexadecimal.
pub(super) fn encoded(fields: &[(&str, &str)]) -> String {
    let part = |text: &str| {
        let byte = |byte: u8| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") };
        text.bytes().map(byte).collect::<String>()
    };
    fields.iter().map(|(name, value)| format!("{}={}", part(name), part(value))).collect::<Vec<_>>().join("&")
}

/// A header of an answer, empty where it is not there.
pub(super) fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers().get(name).map_or("", |value| value.to_str().expect("text"))
}
