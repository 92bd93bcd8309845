//! The integration tests, one binary.

mod bad_input;
mod cli;
mod documents;
mod floors;
mod harness;
mod http;
mod privacy;
mod scenarios;
mod xsd;
