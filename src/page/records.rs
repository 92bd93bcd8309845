//! The records of processing (GDPR art. 30), and the draft of an assessment (art. 35), as documents.

use askama::Template;

use super::PageError;
use crate::records::Records;

#[derive(Template)]
#[template(path = "page/records.html")]
struct RecordsPage<'a> {
    records: &'a Records,
}

#[derive(Template)]
#[template(path = "page/assessment.html")]
struct AssessmentPage<'a> {
    records: &'a Records,
}

/// The records of processing.
///
/// # Errors
/// A fault of the program.
pub fn records(records: &Records) -> Result<String, PageError> {
    Ok(RecordsPage { records }.render()?)
}

/// The draft of a data protection impact assessment: what is known is filled in, and what only the controller can judge is
/// asked for.
///
/// # Errors
/// A fault of the program.
pub fn assessment(records: &Records) -> Result<String, PageError> {
    Ok(AssessmentPage { records }.render()?)
}
