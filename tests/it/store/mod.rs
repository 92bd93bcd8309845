//! The store's port on both engines, and what several processes on one PostgreSQL may not do to each other.

#![cfg(test)]

mod acts;
mod desk;
pub(crate) mod engine;
mod engines;
mod paused;
mod processes;
mod races;
mod statements;
mod stepped;
mod steps;
