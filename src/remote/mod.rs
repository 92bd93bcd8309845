//! Floor 4: the municipality's systems over HTTPS: each entry of a system's feed is one POST to its address.
//!
//! - **Who**: both sides show certificates. The system's is checked against the roots of its own `ca_file` and against the
//!   name in its address; Brygga's own is always offered. The machine's roots, its proxies and redirects have no part.
//! - **What**: the document as it is, with the attributes of its `CloudEvent` as headers (HTTP protocol binding of `CloudEvents`
//!   1.0, binary mode): ids, a contract's name, a digest. Nothing of any person stands in a header.
//! - **Again**: `Idempotency-Key` is the event's id and the same at every attempt (draft-ietf-httpapi-idempotency-key-header).
//! - **What came of it** is the answer's status alone; its body is thrown away unread.

mod answer;
mod client;
mod courier;

pub use client::SystemFault;
pub use courier::HttpsCourier;
