//! The municipality's systems over HTTPS, against a real server with mutual TLS.

mod certificates;
mod configuration;
mod deliveries;
mod feed;
mod killed;
mod service;
mod system;
