//! The feed over mutual TLS: an accept loop of our own.
//!
//! Accept, then a task for each connection, and only in the task the handshake: one that is slow holds up nobody else. The
//! certificate is read once; whether it is good, and whose it is, is asked again at every request ([`Trust`]).

mod list;
mod material;
mod pages;
mod peer;
mod shut;
mod trust;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tower::ServiceExt as _;

pub use material::TrustFault;
pub use pages::{PagesBound, Shown};
pub(super) use peer::Peer;
pub use trust::Trust;

use super::api::Api;
use crate::config::FeedConnections;
use crate::store::Store;
use crate::telemetry::{AcceptFailed, Event as _, HandshakeFailed};

/// How long connections may take to end when the service stops; waiting readers are answered at once.
const LAST_ANSWERS: Duration = Duration::from_secs(10);

/// How long nothing is accepted after a connection could not be.
const AFTER_FAULT: Duration = Duration::from_millis(200);

/// The most bytes of a request's head, and the most headers.
const MOST_HEAD: u32 = 16 * 1024;
const MOST_HEADERS: usize = 64;

/// Requests at once on one connection of HTTP/2.
const MOST_STREAMS: u32 = 64;

/// How often a connection of HTTP/2 is asked whether it is still there.
const STILL_THERE: Duration = Duration::from_secs(20);

/// Connections that may wait in the system's queue.
const MOST_WAITING: u32 = 1024;

/// An address that is taken, so that nobody else has it, and on which connections are refused as yet: whoever cannot be
/// answered is better told so than left to wait.
#[derive(Debug)]
pub struct TlsPlace {
    socket: TcpSocket,
}

impl TlsPlace {
    /// Takes an address; port 0 takes a free one.
    ///
    /// # Errors
    /// Where the address cannot be had.
    pub fn take(address: SocketAddr) -> io::Result<Self> {
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        // Ended connections of a service before this one keep the address from nobody.
        #[cfg(unix)]
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        Ok(Self { socket })
    }

    /// The address that was taken.
    ///
    /// # Errors
    /// Where the system does not tell.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Takes connections from now on.
    ///
    /// # Errors
    /// Where the system refuses.
    pub fn listen(self) -> io::Result<TlsBound> {
        self.socket.listen(MOST_WAITING).map(|listener| TlsBound { listener })
    }
}

/// A listener for mutual TLS, bound and not yet serving.
#[derive(Debug)]
pub struct TlsBound {
    listener: TcpListener,
}

impl TlsBound {
    /// The address that was bound.
    ///
    /// # Errors
    /// Where the system does not tell.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves each client its feed until told to stop; what is being answered is answered, within bounds.
    pub async fn serve<S: Store>(
        self,
        api: Api<S>,
        trust: Trust,
        bounds: FeedConnections,
        mut stopping: watch::Receiver<bool>,
    ) {
        let router = api.guarded_by(trust.clone());
        let places = Arc::new(Semaphore::new(usize::try_from(bounds.max).unwrap_or(Semaphore::MAX_PERMITS)));
        let mut connections = JoinSet::new();
        while !*stopping.borrow() {
            let accepted = tokio::select! {
                accepted = self.accept(&places) => accepted,
                // Told to stop, or nobody is left who could tell.
                _ = stopping.changed() => break,
            };
            while connections.try_join_next().is_some() {}
            let (stream, place) = match accepted {
                Ok(accepted) => accepted,
                Err(fault) => {
                    AcceptFailed { cause: &fault }.emit();
                    tokio::time::sleep(AFTER_FAULT).await;
                    continue;
                }
            };
            let (trust, stopping, router) = (trust.clone(), stopping.clone(), router.clone());
            let acceptor = TlsAcceptor::from(trust.server());
            let handshake = shake(stream, acceptor, bounds.handshake_timeout, stopping.clone());
            connections.spawn(async move {
                if let Some((stream, peer)) = handshake.await {
                    answer(stream, peer, router, bounds, trust, stopping).await;
                }
                drop(place);
            });
        }
        drop(self.listener);
        while connections.join_next().await.is_some() {}
    }

    /// Waits for a place first, so that more connections than there are places wait in the system's own queue.
    async fn accept(&self, places: &Arc<Semaphore>) -> io::Result<(TcpStream, OwnedSemaphorePermit)> {
        let place = Arc::clone(places).acquire_owned().await.map_err(io::Error::other)?;
        let (stream, _) = self.listener.accept().await?;
        // A page is written at once; where this cannot be set, it is only slower.
        drop(stream.set_nodelay(true));
        Ok((stream, place))
    }
}

/// Does the handshake within its time. `None` where there is nobody to answer.
async fn shake(
    stream: TcpStream,
    acceptor: TlsAcceptor,
    within: Duration,
    mut stopping: watch::Receiver<bool>,
) -> Option<(TlsStream<TcpStream>, Arc<Peer>)> {
    let shaken = tokio::select! {
        shaken = tokio::time::timeout(within, acceptor.accept(stream)) => shaken,
        _ = stopping.changed() => return None,
    };
    let refuse = |why: &str| {
        HandshakeFailed { why }.emit();
        None
    };
    let stream = match shaken {
        Ok(Ok(stream)) => stream,
        Ok(Err(fault)) => return refuse(&fault.to_string()),
        Err(_) => return refuse("it was not done in time"),
    };
    let peer = stream.get_ref().1.peer_certificates().and_then(Peer::read);
    match peer {
        Some(peer) => Some((stream, Arc::new(peer))),
        None => refuse("the certificate cannot be read"),
    }
}

/// Answers the requests of one connection until either end has had enough, or the service stops: what is being answered then
/// is answered, within bounds.
async fn answer(
    stream: TlsStream<TcpStream>,
    peer: Arc<Peer>,
    router: Router,
    bounds: FeedConnections,
    trust: Trust,
    mut stopping: watch::Receiver<bool>,
) {
    let known = Arc::clone(&peer);
    let is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(Arc::clone(&peer));
        router.clone().oneshot(request)
    });
    let connection = http_builder(is_http2, bounds.header_timeout).serve_connection(TokioIo::new(stream), service).into_owned();
    let graceful = GracefulShutdown::new();
    let connection = graceful.watch(connection);
    tokio::pin!(connection);
    tokio::select! {
        // How a connection ends is the other end's affair.
        _ = &mut connection => return,
        () = async { drop(stopping.wait_for(|stop| *stop).await) } => {}
        () = until_unknown(&trust, &known, bounds.header_timeout) => {}
    }
    drop(tokio::time::timeout(LAST_ANSWERS, async { tokio::join!(graceful.shutdown(), connection) }).await);
}

/// How HTTP is spoken, within bounds. What was agreed in the handshake decides which, so that no connection waits without
/// time-out to be told apart.
fn http_builder(is_http2: bool, header_timeout: Duration) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder = if is_http2 { builder.http2_only() } else { builder.http1_only() };
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(header_timeout)
        .max_buf_size(usize::try_from(MOST_HEAD).unwrap_or(usize::MAX))
        .max_headers(MOST_HEADERS);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(MOST_HEAD)
        .max_concurrent_streams(MOST_STREAMS)
        .keep_alive_interval(STILL_THERE)
        .keep_alive_timeout(STILL_THERE);
    builder
}

/// Waits until a connection's holder is none of the clients. With HTTP/1.1 its first refusal ends the connection; one of
/// HTTP/2 would go on for as long as it answers pings, and take a place that a client may need.
async fn until_unknown(trust: &Trust, peer: &Peer, each: Duration) {
    loop {
        tokio::time::sleep(each).await;
        if !trust.knows(peer) {
            return;
        }
    }
}
