//! The operators' console over real HTTP: who gets where, what a form must carry, and what every answer carries.

mod browser;
mod headers;
mod pages;
mod rights;
mod service;
mod signing;
mod world;
