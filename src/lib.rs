//! Brygga.
pub mod agreement;
pub mod consent;
pub mod contract;
pub mod domain;
pub mod feed;
pub mod filter;
pub mod intake;
pub mod journey;
pub mod protection;
pub mod seal;
pub mod store;
pub mod translate;
