//! The extract of one participant (GDPR art. 15), as a document.

use askama::Template;

use super::PageError;
use crate::subject::Extract;

#[derive(Template)]
#[template(path = "page/extract.html")]
struct ExtractPage<'a> {
    extract: &'a Extract,
}

/// The extract.
///
/// # Errors
/// A fault of the program.
pub fn extract(extract: &Extract) -> Result<String, PageError> {
    Ok(ExtractPage { extract }.render()?)
}
