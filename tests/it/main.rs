//! The integration tests, one binary.

mod cli;
mod floors;
mod harness;
mod scenarios;
