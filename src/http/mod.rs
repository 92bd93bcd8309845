//! Floor 4: HTTP. One listener serves one recipient's feed; who the recipient is never comes from the URL.

mod feed;
pub mod management;
mod problem;

use std::future::Future;
use std::io;

use tokio::net::TcpListener;

pub use feed::{FeedOf, router};

use crate::config::LoopbackAddr;
use crate::store::Store;

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
