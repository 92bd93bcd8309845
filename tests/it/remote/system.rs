//! One of the municipality's systems: an HTTPS server that demands a certificate, keeps what it is asked, and answers as it is
//! told.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, Response, Uri};
use brygga::config::Https;
use brygga::domain::RecipientId;
use brygga::remote::HttpsCourier;
use brygga::telemetry::Health;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use crate::tls::pki::{Authority, Identity, Says};

/// One request, as it came.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
    pub(super) at: Instant,
}

impl Asked {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// What a repetition is known by.
    pub(super) fn key(&self) -> &str {
        self.header("idempotency-key").expect("a key")
    }
}

/// What is answered.
#[derive(Debug, Clone)]
pub(super) enum Reply {
    /// A status, header lines, and the request's own body again.
    Status(u16, Vec<(&'static str, String)>),
    /// Nothing, as long as the connection lasts.
    Silence,
}

impl Reply {
    pub(super) fn plain(status: u16) -> Self {
        Self::Status(status, Vec::new())
    }
}

#[derive(Clone, Default)]
struct Book {
    asked: Arc<Mutex<Vec<Asked>>>,
    replies: Arc<Mutex<VecDeque<Reply>>>,
}

/// A running system, and the certificates of both sides in files.
pub(super) struct System {
    folder: TempDir,
    pub(super) port: u16,
    pub(super) server_ca: Authority,
    pub(super) client_ca: Authority,
    book: Book,
    serving: JoinHandle<()>,
}

impl Drop for System {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl System {
    pub(super) async fn start() -> Self {
        let (server_ca, client_ca) = (Authority::new("systems"), Authority::new("clients of systems"));
        let tls = tls(&server_ca.server(1), &client_ca);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let book = Book::default();
        let router = Router::new().fallback(answer).with_state(book.clone());
        let serving = tokio::spawn(serve(listener, TlsAcceptor::from(Arc::new(tls)), router));
        let folder = tempfile::tempdir().expect("a folder");
        let system = Self { folder, port, server_ca, client_ca, book, serving };
        system.put("ca.pem", &system.server_ca.pem());
        system.show(&system.client(Says::default()));
        system
    }

    /// A certificate for Brygga from the authority that the system trusts.
    pub(super) fn client(&self, says: Says<'_>) -> Identity {
        self.client_ca.issue(says)
    }

    /// Puts what Brygga shows into its files.
    pub(super) fn show(&self, identity: &Identity) {
        self.put("client.key", &identity.key);
        self.put("client.pem", &identity.certificate);
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file whole or not at all.
    pub(super) fn put(&self, name: &str, text: &str) {
        let temporary = self.path("temporary");
        std::fs::write(&temporary, text).expect("written");
        std::fs::rename(temporary, self.path(name)).expect("renamed");
    }

    /// How a relay reaches it.
    pub(super) fn settings(&self) -> Https {
        Https {
            address: format!("https://localhost:{}/in", self.port).parse().expect("an address"),
            ca_file: self.path("ca.pem"),
            certificate_file: self.path("client.pem"),
            key_file: self.path("client.key"),
            connect_timeout: Duration::from_secs(10),
            timeout: Duration::from_secs(20),
        }
    }

    /// The table of a relay's configuration.
    pub(super) fn table(&self, recipient: &str, path: &str) -> String {
        let folder = self.folder.path().display();
        format!(
            "[[relay]]\nrecipient = \"{recipient}\"\nkind = \"https\"\nurl = \"https://localhost:{}{path}\"\n\
             ca_file = \"{folder}/ca.pem\"\nclient_certificate_file = \"{folder}/client.pem\"\n\
             client_key_file = \"{folder}/client.key\"\n\n",
            self.port
        )
    }

    pub(super) fn courier(&self) -> HttpsCourier {
        courier(self.settings())
    }

    /// What is answered next; after that everything is taken.
    pub(super) fn next(&self, replies: impl IntoIterator<Item = Reply>) {
        self.book.replies.lock().expect("a lock").extend(replies);
    }

    /// What it was asked so far.
    pub(super) fn asked(&self) -> Vec<Asked> {
        self.book.asked.lock().expect("a lock").clone()
    }
}

/// A courier for the system that the settings name.
pub(super) fn courier(settings: Https) -> HttpsCourier {
    courier_of(settings, &Health::default())
}

/// A courier whose health is looked at.
pub(super) fn courier_of(settings: Https, health: &Health) -> HttpsCourier {
    let (recipient, part) = (RecipientId::from_stored("1863.ame".to_owned()), health.part("files", false));
    HttpsCourier::new(recipient, settings, part).expect("certificates")
}

fn tls(identity: &Identity, clients: &Authority) -> ServerConfig {
    let mut trusted = RootCertStore::empty();
    trusted.add(CertificateDer::from_pem_slice(clients.pem().as_bytes()).expect("PEM")).expect("an authority");
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier =
        WebPkiClientVerifier::builder_with_provider(Arc::new(trusted), Arc::clone(&provider)).build().expect("a verifier");
    let chain = vec![CertificateDer::from_pem_slice(identity.certificate.as_bytes()).expect("PEM")];
    let key = PrivateKeyDer::from_pem_slice(identity.key.as_bytes()).expect("PEM");
    ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_client_cert_verifier(verifier)
        .with_single_cert(chain, key)
        .expect("an identity")
}

async fn serve(listener: TcpListener, acceptor: TlsAcceptor, router: Router) {
    loop {
        let Ok((tcp, _)) = listener.accept().await else { return };
        let (acceptor, router) = (acceptor.clone(), router.clone());
        tokio::spawn(async move {
            let Ok(stream) = acceptor.accept(tcp).await else { return };
            let service = TowerToHyperService::new(router);
            drop(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await);
        });
    }
}

async fn answer(State(book): State<Book>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response<Body> {
    let headers = headers.iter().map(|(name, value)| (name.to_string(), value.to_str().expect("ASCII").to_owned())).collect();
    let asked = Asked { method: method.to_string(), path: uri.to_string(), headers, body: body.to_vec(), at: Instant::now() };
    book.asked.lock().expect("a lock").push(asked);
    let reply = book.replies.lock().expect("a lock").pop_front().unwrap_or(Reply::plain(200));
    match reply {
        Reply::Silence => std::future::pending().await,
        Reply::Status(status, lines) => {
            let mut answer = Response::builder().status(status);
            for (name, value) in lines {
                answer = answer.header(name, value);
            }
            let body = if status == 204 { Body::empty() } else { Body::from(body) };
            answer.body(body).expect("an answer")
        }
    }
}
