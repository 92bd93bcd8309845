//! Floor 4: the operators' console: pages for people, at `/console/`. It ends in a [`Router`]; who listens, and whether over TLS,
//! is for [`http`](crate::http) and the wiring.
//!
//! # What holds for every page
//! - One table names every route with the right that it asks for ([`routes::ROUTES`]), and one function asks for it: no page can
//!   be reached past it.
//! - Nothing is changed by reading. What changes something is a form that names its own session, sent from this very origin.
//! - A page loads nothing but this console's own stylesheet, runs no script, and cannot be shown inside another.
//! - Pages are made by askama, which escapes whatever it is given.

mod answer;
mod cookies;
mod form;
mod gate;
mod link;
mod overview;
mod pages;
pub mod routes;
mod signing;
mod style;
mod text;
mod view;

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::Response;
use axum::routing::{MethodFilter, on};
use tower_http::catch_panic::CatchPanicLayer;

pub use link::SignInLink;
pub use routes::LINK;
pub use text::{EN, SV, Texts};

use self::overview::Snapshots;
use crate::account::{Passwords, Throttle};
use crate::store::Store;
use crate::telemetry::Health;

/// The console over one store.
#[derive(Debug, Clone)]
pub struct Console<S> {
    store: S,
    health: Health,
    passwords: Passwords,
    throttle: Throttle,
    snapshots: Arc<Snapshots>,
    /// Whether it is reached over TLS: then cookies are for TLS alone.
    is_secure: bool,
    link: SignInLink,
}

impl<S: Store> Console<S> {
    /// The console of a store and of the parts of a service. `is_secure` says whether it is reached over TLS.
    #[must_use]
    pub fn new(store: S, health: Health, is_secure: bool) -> Self {
        let (passwords, throttle, snapshots) = (Passwords::default(), Throttle::default(), Arc::default());
        Self { store, health, passwords, throttle, snapshots, is_secure, link: SignInLink::default() }
    }

    /// The same console, which whoever has a link can enter once without a password.
    #[must_use]
    pub fn with_link(self, link: SignInLink) -> Self {
        Self { link, ..self }
    }

    /// Every route of the table, with what holds for all.
    pub fn router(self) -> Router {
        let mut router = Router::new();
        for route in &routes::ROUTES {
            let method = if route.changes { MethodFilter::POST } else { MethodFilter::GET };
            let handler = async move |State(console): State<Self>, request: Request| {
                // In a task of its own: a transaction must not be cut in two when the browser goes away.
                tokio::spawn(gate::take(console, route, request)).await.unwrap_or_else(|_| answer::failed())
            };
            router = router.route(route.path, on(method, handler));
        }
        let is_secure = self.is_secure;
        router
            .fallback(async |request: Request| answer::missing(&request))
            .method_not_allowed_fallback(async |request: Request| answer::method(&request))
            .layer(DefaultBodyLimit::disable())
            .layer(CatchPanicLayer::custom(failed))
            .layer(from_fn(answer::bound))
            .layer(from_fn_with_state(is_secure, answer::harden))
            .with_state(self)
    }
}

/// What a panic is answered with; its words stay inside.
fn failed(_: Box<dyn std::any::Any + Send>) -> Response {
    answer::failed()
}
