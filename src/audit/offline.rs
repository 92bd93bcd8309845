//! Exports that are verified by themselves, wherever they came from: no store and no secret is needed.

use std::io::BufRead;

use super::checkpoint::Checkpoint;
use super::export::{ExportFault, ExportReader};
use super::verify::{Broken, Verified, Verifier};

/// Follows exports, each of which goes on where the one before it ends.
///
/// # Errors
/// The first thing that is wrong, by link and row, or by line where a line is none of an export.
pub fn verify_exports<R: BufRead>(
    exports: impl IntoIterator<Item = std::io::Result<R>>,
    checkpoints: Vec<Checkpoint>,
) -> Result<Verified, ExportFault> {
    let mut verifier: Option<Verifier> = None;
    let mut checkpoints = Some(checkpoints);
    for export in exports {
        let mut reader = ExportReader::begin(export?)?;
        let before = reader.before();
        let verifier = match &mut verifier {
            Some(known) if known.newest() == before => known,
            Some(known) => return Err(Broken::LinkRemoved(known.newest().number.saturating_add(1)).into()),
            none => none.insert(Verifier::after(before, checkpoints.take().unwrap_or_default())),
        };
        while let Some(link) = reader.link()? {
            verifier.follow(&link)?;
        }
    }
    verifier.map_or(Err(ExportFault::Nothing), |verifier| Ok(verifier.finish()?))
}
