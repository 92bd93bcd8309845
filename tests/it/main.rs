//! The integration tests, one binary.

#![cfg(test)]
#![expect(
    clippy::string_slice,
    clippy::format_collect,
    clippy::format_push_string,
    reason = "a test may be plain: where it is wrong, it fails"
)]

mod accounts;
mod amqp;
mod audit;
mod bad_input;
mod cli;
mod config;
mod console;
mod dead_letters;
mod diff;
mod documents;
mod fail_points;
mod floors;
mod harness;
mod http;
mod key_store;
mod law;
mod laws;
mod management;
mod migrate;
mod model;
mod no_search;
mod privacy;
mod receipts;
mod records;
mod rejections;
mod relay;
mod remote;
mod restore;
mod restore_beside;
mod rights;
mod scenarios;
mod sealing;
mod serve;
mod servers;
mod service;
mod store;
mod tls;
mod undelivered;
mod unjudged;
mod xsd;
