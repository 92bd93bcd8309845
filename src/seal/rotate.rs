//! Rotation: every data key is wrapped anew by the newest wrapping key, in bounded steps, while processes run.
//!
//! First the newest becomes the one in use: from then on nobody keeps a key under another. Then what others have wrapped is
//! wrapped anew, step by step. A rotation that was cut short goes on where it was. Contents, and the digests of persons,
//! reports and feeds, are not touched.

use jiff::Timestamp;

use super::{SealError, Vault, WrappedKey, WrappingId};
use crate::store::Stored;

/// Keys in one step.
const STEP: i64 = 500;

/// What a rotation has done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotated {
    /// The wrapping key that every data key is wrapped by now.
    pub wrapping: WrappingId,
    /// The wrapping key that was in use before, where it was another: nothing needs it any more.
    pub before: Option<WrappingId>,
    /// How many data keys were wrapped anew.
    pub keys: usize,
}

/// Wraps every data key by the newest wrapping key of the vault's source.
///
/// # Errors
/// A fault of the key store, or a data key under a wrapping key that is not at hand: what was done stays done.
pub async fn rotate(vault: &Vault, now: Timestamp) -> Stored<Rotated> {
    let wrapping = vault.wrapping().again()?;
    let newest = wrapping.newest()?;
    let before = vault.store().wrapping().await?.filter(|before| *before != newest.id());
    vault.store().use_wrapping(newest.id(), now).await?;
    let mut keys = 0;
    loop {
        let step = vault.store().wrapped_by_others(newest.id(), STEP).await?;
        if step.is_empty() {
            return Ok(Rotated { wrapping: newest.id(), before, keys });
        }
        // Of two rotations at once the later one holds: what it has wrapped is not wrapped back.
        if let Some(in_use) = vault.store().wrapping().await?.filter(|in_use| *in_use != newest.id()) {
            return Err(SealError::Outdated(in_use).into());
        }
        let anew = step.iter().map(|key| Ok((key.wrapping, wrapping.rewrap(key, newest)?)));
        let anew = anew.collect::<Result<Vec<(WrappingId, WrappedKey)>, SealError>>()?;
        vault.store().replace(&anew).await?;
        keys += anew.len();
    }
}
