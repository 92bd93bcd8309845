//! The feed over mutual TLS, against real handshakes: who is let in, what is loaded again, within which bounds.

mod bounds;
mod curl;
mod handshakes;
pub(crate) mod pki;
mod profile;
mod reloads;
mod server;
mod waits;
mod who;
mod wire;
