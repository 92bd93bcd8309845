//! Floor 4: HTTP. Who the recipient of a feed is comes from the listener or from the client's certificate, never from the
//! URL: [`Bound`] serves one recipient on loopback, [`TlsBound`] serves each client its own over mutual TLS.

mod accept;
mod api;
mod description;
mod feed;
pub mod management;
mod problem;
mod reader;
mod receipts;
mod request;
mod tls;
mod waiting;

use std::future::Future;
use std::io;

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::watch;

pub use api::Api;
pub use tls::{PagesBound, Shown, TlsBound, TlsPlace, Trust, TrustFault};

use crate::config::{FeedAbout, FeedLimits, LoopbackAddr};
use crate::domain::RecipientId;
use crate::journey::Journey;
use crate::store::Store;

/// One recipient's feed, to be served on loopback.
#[derive(Debug, Clone)]
pub struct FeedOf<S> {
    /// The way.
    pub journey: Journey,
    /// The store.
    pub store: S,
    /// Whose feed; decided by the listener, never by the request.
    pub recipient: RecipientId,
    /// Turns true when the service stops: readers that wait are answered at once.
    pub stopping: watch::Receiver<bool>,
}

/// The routes of one feed.
pub fn router<S: Store>(feed: FeedOf<S>) -> Router {
    let api = Api::new(feed.journey, feed.store, FeedLimits::default(), &FeedAbout::default(), feed.stopping);
    api.open_to(feed.recipient)
}

/// A listener on loopback, bound and not yet serving.
#[derive(Debug)]
pub struct Bound {
    listener: TcpListener,
}

impl Bound {
    /// Binds an address; port 0 takes a free one.
    ///
    /// # Errors
    /// Where the address cannot be had.
    pub async fn bind(address: LoopbackAddr) -> io::Result<Self> {
        TcpListener::bind(address.get()).await.map(|listener| Self { listener })
    }

    /// The address that was bound.
    ///
    /// # Errors
    /// Where the system does not tell.
    pub fn address(&self) -> io::Result<std::net::SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves one recipient's feed until told to stop; what is being answered is answered.
    ///
    /// # Errors
    /// Where the listener fails.
    pub async fn serve<S: Store>(self, feed: FeedOf<S>, stop: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
        axum::serve(self.listener, router(feed)).with_graceful_shutdown(stop).await
    }
}
