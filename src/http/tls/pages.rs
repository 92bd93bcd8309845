//! Pages over TLS for people, who show no certificate: the console's listener, and the certificate that it shows, read again
//! when its files change.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use hyper_util::server::graceful::GracefulShutdown;
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::version::{TLS12, TLS13};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt as _;

use super::material::{certificates, key};
use super::{AFTER_FAULT, LAST_ANSWERS, TlsPlace, TrustFault, http_builder};
use crate::config::ConsoleTls;
use crate::telemetry::{AcceptFailed, Event as _, HandshakeFailed, Health, Part};

/// How long a handshake, and a request's head, may take.
const PATIENCE: Duration = Duration::from_secs(15);

/// The most connections at once: operators are few.
const MOST: usize = 256;

/// How often the files are looked at.
const LOOK: Duration = Duration::from_secs(5);

/// The certificate that is shown now.
#[derive(Clone)]
pub struct Shown(Arc<Inner>);

struct Inner {
    files: ConsoleTls,
    current: RwLock<Arc<ServerConfig>>,
    part: Part,
}

impl std::fmt::Debug for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Shown").field(&self.0.files).finish()
    }
}

impl Shown {
    /// Whether a configuration's files can be loaded; nothing is kept.
    ///
    /// # Errors
    /// Every fault, with the key that names the file.
    pub fn check(files: &ConsoleTls) -> Result<(), Vec<(&'static str, TrustFault)>> {
        load(files).map(drop)
    }

    /// Loads what a configuration names.
    ///
    /// # Errors
    /// Every fault, with the key that names the file. Only a running service keeps what it had.
    pub fn open(files: &ConsoleTls, health: &Health) -> Result<Self, Vec<(&'static str, TrustFault)>> {
        let current = RwLock::new(Arc::new(load(files)?));
        let part = health.part("console.tls", false);
        part.up();
        Ok(Self(Arc::new(Inner { files: files.clone(), current, part })))
    }

    /// Loads again whenever a file has changed, until told to stop. What cannot be loaded changes nothing.
    pub async fn watch(self, mut stopping: watch::Receiver<bool>) {
        let mut seen = stand(&self.0.files);
        while !*stopping.borrow() {
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                _ = stopping.changed() => return,
            }
            let shown = self.clone();
            let before = seen;
            // Files may lie on something slow.
            let looked = tokio::task::spawn_blocking(move || shown.look(before)).await;
            seen = looked.unwrap_or(before);
        }
    }

    fn look(&self, before: Stand) -> Stand {
        let now = stand(&self.0.files);
        if now == before {
            return now;
        }
        match load(&self.0.files) {
            Ok(server) => {
                *self.0.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(server);
                self.0.part.up();
            }
            Err(faults) => {
                let words: Vec<String> = faults.iter().map(|(_, fault)| fault.to_string()).collect();
                self.0.part.down(format!(
                    "what is in use is kept, since what was to replace it cannot be loaded: {}",
                    words.join("; ")
                ));
            }
        }
        now
    }

    fn server(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.0.current.read().unwrap_or_else(PoisonError::into_inner))
    }
}

type Stand = [Option<(SystemTime, u64)>; 2];

fn stand(files: &ConsoleTls) -> Stand {
    let of = |path: &PathBuf| {
        let found = std::fs::metadata(path).ok()?;
        Some((found.modified().ok()?, found.len()))
    };
    [of(&files.certificate_file), of(&files.key_file)]
}

fn load(files: &ConsoleTls) -> Result<ServerConfig, Vec<(&'static str, TrustFault)>> {
    let mut faults = Vec::new();
    let chain = certificates(&files.certificate_file).map_err(|fault| faults.push(("certificate_file", fault))).ok();
    let found = key(&files.key_file).map_err(|fault| faults.push(("key_file", fault))).ok();
    let (Some(chain), Some(found)) = (chain, found) else { return Err(faults) };
    let wrong = |path: &Path, words: String| vec![("key_file", TrustFault::Content { path: path.to_owned(), words })];
    let mut server = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(&[&TLS13, &TLS12])
        .map_err(|error| wrong(&files.certificate_file, error.to_string()))?
        .with_no_client_auth()
        .with_single_cert(chain, found)
        .map_err(|error| wrong(&files.key_file, format!("it does not fit the certificate: {error}")))?;
    server.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(server)
}

/// A listener for pages, bound and not yet serving.
#[derive(Debug)]
pub struct PagesBound {
    listener: TcpListener,
}

impl PagesBound {
    /// Takes connections at a place from now on.
    ///
    /// # Errors
    /// Where the system refuses.
    pub fn listen(place: TlsPlace) -> io::Result<Self> {
        place.listen().map(|bound| Self { listener: bound.listener })
    }

    /// The address that was bound.
    ///
    /// # Errors
    /// Where the system does not tell.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves pages until told to stop, over TLS where there is a certificate; what is being answered is answered, within bounds.
    /// Each request carries from where it comes ([`ConnectInfo`]).
    pub async fn serve(self, router: Router, shown: Option<Shown>, mut stopping: watch::Receiver<bool>) {
        let places = Arc::new(Semaphore::new(MOST));
        let mut connections = JoinSet::new();
        while !*stopping.borrow() {
            let accepted = tokio::select! {
                accepted = accept(&self.listener, &places) => accepted,
                _ = stopping.changed() => break,
            };
            while connections.try_join_next().is_some() {}
            let (stream, from, place) = match accepted {
                Ok(accepted) => accepted,
                Err(fault) => {
                    AcceptFailed { cause: &fault }.emit();
                    tokio::time::sleep(AFTER_FAULT).await;
                    continue;
                }
            };
            let (router, stopping) = (router.clone(), stopping.clone());
            let acceptor = shown.as_ref().map(|shown| TlsAcceptor::from(shown.server()));
            connections.spawn(async move {
                connected(stream, from, acceptor, router, stopping).await;
                drop(place);
            });
        }
        drop(self.listener);
        while connections.join_next().await.is_some() {}
    }
}

type Accepted = (TcpStream, SocketAddr, tokio::sync::OwnedSemaphorePermit);

async fn accept(listener: &TcpListener, places: &Arc<Semaphore>) -> io::Result<Accepted> {
    let place = Arc::clone(places).acquire_owned().await.map_err(io::Error::other)?;
    let (stream, from) = listener.accept().await?;
    // A page is written at once; where this cannot be set, it is only slower.
    drop(stream.set_nodelay(true));
    Ok((stream, from, place))
}

async fn connected(
    stream: TcpStream,
    from: SocketAddr,
    acceptor: Option<TlsAcceptor>,
    router: Router,
    mut stopping: watch::Receiver<bool>,
) {
    let Some(acceptor) = acceptor else { return answer(stream, false, from, router, stopping).await };
    let shaken = tokio::select! {
        shaken = tokio::time::timeout(PATIENCE, acceptor.accept(stream)) => shaken,
        _ = stopping.changed() => return,
    };
    match shaken {
        Ok(Ok(stream)) => {
            let is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
            answer(stream, is_http2, from, router, stopping).await;
        }
        Ok(Err(fault)) => HandshakeFailed { why: &fault.to_string() }.emit(),
        Err(_) => HandshakeFailed { why: "it was not done in time" }.emit(),
    }
}

/// Answers the requests of one connection until either end has had enough, or the service stops.
async fn answer<T>(stream: T, is_http2: bool, from: SocketAddr, router: Router, mut stopping: watch::Receiver<bool>)
where
    T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(from));
        router.clone().oneshot(request)
    });
    let connection = http_builder(is_http2, PATIENCE).serve_connection(TokioIo::new(stream), service).into_owned();
    let graceful = GracefulShutdown::new();
    let connection = graceful.watch(connection);
    tokio::pin!(connection);
    tokio::select! {
        // How a connection ends is the other end's affair.
        _ = &mut connection => return,
        () = async { drop(stopping.wait_for(|stop| *stop).await) } => {}
    }
    drop(tokio::time::timeout(LAST_ANSWERS, async { tokio::join!(graceful.shutdown(), connection) }).await);
}
