//! Floor 4: documents for people, as HTML that needs nothing beside it. They are made by askama, which escapes whatever it is
//! given: no text of a contract, a configuration or a person can become markup.
//!
//! `base.html` is the frame of every document: Swedish, with one heading, readable without a mouse, printed well, and with a
//! policy that lets it load nothing and run nothing. A document lies beside this file and fills the blocks `title` and `main`.
//! The templates are well-formed XML too, so that a test can hold them to it.

mod extract;
mod records;

pub use extract::extract;
pub use records::{assessment, records};

/// Why a document cannot be made: a fault of the program, since templates are compiled in.
#[derive(Debug, thiserror::Error)]
#[error("the document cannot be made: {0}")]
pub struct PageError(#[from] askama::Error);
