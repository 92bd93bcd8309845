//! The feed over mutual TLS, against real handshakes: who is let in, what is loaded again, within which bounds.

mod bounds;
mod curl;
mod handshakes;
pub(crate) mod pki;
mod profile;
mod reloads;
pub(crate) mod server;
mod waits;
mod who;
pub(crate) mod wire;
