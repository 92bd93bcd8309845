//! The whole of an erasure: the participant's contents, then the keys that remain under a new wrapping key, then the space.

use super::{FolderError, WrappingFiles};
use crate::domain::PersonKey;
use crate::journey::{Erased, Journey};
use crate::seal::{Rotated, rotate};
use crate::store::{Store, StoreError, Stored};

/// Why a participant could not be erased, or not to the end.
#[derive(Debug, thiserror::Error)]
pub enum ErasureFault {
    /// The files of wrapping keys.
    #[error(transparent)]
    Files(#[from] FolderError),
    /// A store.
    #[error("the erasure was cut short; do the same again: {0}")]
    Store(#[from] StoreError),
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erasure {
    /// To the participant's contents.
    pub erased: Erased,
    /// To the keys that remain.
    pub rotated: Rotated,
    /// Whether the old wrapping key is gone from its file; else its keeper has to destroy it.
    pub destroyed: bool,
    /// Why space was not given back to the file system, where it was not: what was blanked may still stand in it, sealed under
    /// keys that are gone.
    pub not_given_back: Vec<String>,
}

/// Erases a participant, wraps the keys that remain anew under a new wrapping key, destroys the old one where this program may,
/// and gives the space back. Where a rule keeps the reports of which a document was served, `keeps_served` says so. It can be done
/// again at any time; where it was cut short, that finishes it. `None` where nothing is held of the participant.
///
/// # Errors
/// [`ErasureFault::Files`] before anything was done where no new wrapping key can be had.
pub async fn erase<S: Store>(
    journey: &Journey,
    store: &S,
    files: &WrappingFiles,
    person: &PersonKey,
    operator: &str,
    reason: &str,
    keeps_served: bool,
) -> Result<Option<Erasure>, ErasureFault> {
    let keys = journey.vault().store();
    let files = files.hold().await?;
    let in_use = keys.wrapping().await?;
    files.can_renew(in_use)?;
    let Some(erased) = journey.erase(store, person, operator, reason, keeps_served).await? else { return Ok(None) };
    // Whoever has an earlier backup of the key store has the destroyed keys, wrapped: what wraps them must go too.
    files.renew(in_use)?;
    let rotated = rotate(journey.vault(), store.now()).await?;
    let destroyed = files.drop_old(keys.wrapping().await?)?;
    // A large table can take longer than a statement may. Nothing of the erasure depends on it.
    let given_back = [("key store", keys.give_back().await), ("content store", store.give_back().await)];
    let told = |(of, given): (&str, Stored<()>)| given.err().map(|fault| format!("the {of}: {fault}"));
    let not_given_back = given_back.into_iter().filter_map(told).collect();
    Ok(Some(Erasure { erased, rotated, destroyed, not_given_back }))
}
