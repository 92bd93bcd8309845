//! The routes of the feed's API and the layers around them, the same for every listener.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Extension, Router};
use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use tokio::sync::watch;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;

use super::description::Description;
use super::feed;
use super::problem::Problem;
use super::reader::Reader;
use super::receipts;
use super::request;
use super::tls::{Peer, Trust};
use super::waiting::Waiting;
use crate::config::{FeedAbout, FeedLimits};
use crate::domain::RecipientId;
use crate::journey::Journey;
use crate::store::Store;
use crate::telemetry::Numbers;

/// The feed's API: one for a process, whatever listeners it has.
#[derive(Debug, Clone)]
pub struct Api<S> {
    pub(super) journey: Journey,
    pub(super) store: S,
    pub(super) limits: FeedLimits,
    pub(super) waiting: Waiting<S>,
    /// Turns true when the service stops: readers that wait are answered at once.
    pub(super) stopping: watch::Receiver<bool>,
    description: Description,
    numbers: Option<Arc<Numbers>>,
}

impl<S: Store> Api<S> {
    /// An API over a store. `stopping` turns true when the service stops.
    #[must_use]
    pub fn new(journey: Journey, store: S, limits: FeedLimits, about: &FeedAbout, stopping: watch::Receiver<bool>) -> Self {
        let waiting = Waiting::new(store.clone());
        let description = Description::new(about, &limits);
        Self { journey, store, limits, waiting, stopping, description, numbers: None }
    }

    /// The same API, whose answers are counted.
    #[must_use]
    pub fn counted_in(self, numbers: Arc<Numbers>) -> Self {
        Self { numbers: Some(numbers), ..self }
    }

    /// The routes for a listener that serves one recipient's feed to whoever reaches it.
    pub(super) fn open_to(self, recipient: RecipientId) -> Router {
        let router = routes::<S>().layer(Extension(Reader::local(recipient)));
        self.within(router)
    }

    /// The routes for a listener that tells by the client's certificate whose feed is read.
    pub(super) fn guarded_by(self, trust: Trust) -> Router {
        let guard = Guard { trust, rate: Arc::new(rate(&self.limits)) };
        let router = routes::<S>().layer(from_fn_with_state(guard, let_in));
        self.within(router)
    }

    fn within(self, router: Router<Self>) -> Router {
        let numbers = self.numbers.clone();
        router
            .layer(CatchPanicLayer::custom(request::failed))
            .layer(from_fn_with_state(numbers, request::take))
            .with_state(self)
    }
}

fn routes<S: Store>() -> Router<Api<S>> {
    // The feed alone is compressed: nothing in its pages is chosen by whoever could watch their lengths.
    let compressed = CompressionLayer::new().gzip(true).zstd(true);
    // HEAD on the feed would mark entries as served that nobody has got.
    let feed = get(feed::read::<S>).head(|| async { Problem::Method("GET") }).fallback(|| async { Problem::Method("GET") });
    let openapi = async |State(api): State<Api<S>>, headers: HeaderMap| api.description.openapi(&headers);
    let info = async |State(api): State<Api<S>>, headers: HeaderMap| api.description.info(&headers);
    Router::new()
        .route("/v1/feed", feed.layer(compressed))
        .route("/v1/receipts", post(receipts::take::<S>).fallback(|| async { Problem::Method("POST") }))
        .route("/openapi.json", get(openapi).fallback(|| async { Problem::Method("GET,HEAD") }))
        .route("/api-info", get(info).fallback(|| async { Problem::Method("GET,HEAD") }))
        .fallback(|| async { Problem::NotFound })
}

type Rate = DefaultKeyedRateLimiter<RecipientId>;

/// Requests are spread evenly over the minute, after a burst.
fn rate(limits: &FeedLimits) -> Rate {
    let burst = NonZeroU32::new(limits.burst).unwrap_or(NonZeroU32::MIN);
    let each = Duration::from_mins(1).checked_div(limits.rate).unwrap_or(Duration::from_mins(1));
    let quota = Quota::with_period(each).unwrap_or(Quota::per_second(NonZeroU32::MIN));
    RateLimiter::keyed(quota.allow_burst(burst))
}

#[derive(Debug, Clone)]
struct Guard {
    trust: Trust,
    rate: Arc<Rate>,
}

/// Lets a request in whose connection's certificate is good now and whose holder is a client now, not too often.
async fn let_in(State(guard): State<Guard>, mut request: Request, next: Next) -> Result<Response, Problem> {
    // A request without a peer cannot come from the TLS listener.
    let peer = request.extensions().get::<Arc<Peer>>().cloned().ok_or(Problem::Certificate)?;
    let reader = Reader::of_peer(&guard.trust, &peer)?;
    if let Err(until) = guard.rate.check_key(reader.recipient()) {
        let wait = until.wait_time_from(DefaultClock::default().now());
        return Err(Problem::TooMany(wait.as_secs().saturating_add(1)));
    }
    request.extensions_mut().insert(reader);
    Ok(next.run(request).await)
}
