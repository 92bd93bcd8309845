//! The store's port on both engines, and what several processes on one PostgreSQL may not do to each other.

#![cfg(test)]

mod acts;
mod desk;
pub(crate) mod engine;
mod engines;
mod failover;
mod paused;
mod processes;
mod races;
mod refused;
mod statements;
mod stepped;
mod steps;
