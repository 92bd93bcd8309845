//! After a restore: whether the content is behind what was acknowledged and shown, and taking such a content into use.
//!
//! The key store is not part of the content's backup. Its mark says how far the content had come, and its ledgers what must
//! not be undone, so a content that comes back from an older backup is noticed, and is used only after a named act.

use std::collections::BTreeSet;

use serde_json::json;

use crate::domain::{PersonKey, Position};
use crate::feed::Method;
use crate::journey::Journey;
use crate::seal::{Erasure, Marks, RetentionClass, Revocation, SealError, TakenId, Vault};
use crate::store::{Accounts as _, AuditAct, AuditRow, Concerned, Feeds as _, Store, StoreError, Stored, Tx};

/// Entries that are looked through in one transaction.
const STEP: i64 = 500;

/// Why a service may not use its content.
#[derive(Debug, thiserror::Error)]
pub enum Behind {
    /// Something that was acknowledged or shown is missing.
    #[error(
        "the content is behind what was acknowledged or shown ({}): an older backup has come back. Stop every process, then \
        run `brygga restore accept`",
        .0.join("; ")
    )]
    Content(Vec<String>),
    /// One of the two was restored without the other.
    #[error(
        "the content is of epoch {content}, the key store of epoch {keys}: one of them has come back from an older backup. \
        Stop every process, then run `brygga restore accept`"
    )]
    Epoch {
        /// The content's.
        content: u32,
        /// The key store's.
        keys: u32,
    },
    /// There is content, and a key store that has never seen any.
    #[error("the key store is empty, and the content is not: this is not the content's key store; restore the right one")]
    Keys,
    /// A fault of either store, or a wrapping key that was not given.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Says whether a service may use a content with a key store: to be asked once, before anything is taken or shown.
///
/// # Errors
/// [`Behind`] says why not.
pub async fn check<S: Store>(store: &S, vault: &Vault) -> Result<(), Behind> {
    if let Some(in_use) = vault.store().wrapping().await?
        && vault.wrapping().keys().find(in_use).is_none()
    {
        return Err(StoreError::from(SealError::Outdated(in_use)).into());
    }
    // The mark first: other processes move it while this one starts, and never before the content has come as far.
    let known = match vault.store().epoch().await? {
        None if marks(store).await?.messages > 0 => Some(vault.store().epoch().await?.ok_or(Behind::Keys)?),
        known => known,
    };
    let marks = marks(store).await?;
    if let Some((keys, mark)) = known {
        let content = store.epoch().await?;
        if content != keys {
            return Err(Behind::Epoch { content, keys });
        }
        let behind = marks.behind(&mark);
        if !behind.is_empty() {
            return Err(Behind::Content(behind));
        }
    }
    // A process that died between a commit and its mark has left the mark behind.
    Ok(vault.store().raise(&marks).await?)
}

async fn marks<S: Store>(store: &S) -> Stored<Marks> {
    let mut tx = store.begin("restore-marks").await?;
    let marks = tx.marks().await?;
    tx.commit().await?;
    Ok(marks)
}

/// What taking a restored content into use has done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// The new epoch: readers get 410 and start again.
    pub epoch: u32,
    /// What the content had lost, in words with counters alone.
    pub behind: Vec<String>,
    /// Revocations in the ledger, all of which hold now.
    pub revocations: usize,
    /// Protection flags in the ledger, all of which are set now.
    pub flags: usize,
    /// Erasures in the ledger, all of which hold now.
    pub erasures: usize,
}

/// Takes a restored content into use: replays the ledgers, begins a new epoch in both stores and writes an audit row. It can
/// be cut short anywhere and run again. `None` where the content is not behind, and nothing was done.
///
/// # Errors
/// A fault of either store.
pub async fn accept<S: Store>(journey: &Journey, store: &S, operator: &str) -> Stored<Option<Accepted>> {
    accept_by(journey, store, operator, STEP).await
}

/// As [`accept`], with this many entries of a feed in one transaction.
///
/// # Errors
/// A fault of either store.
pub async fn accept_by<S: Store>(journey: &Journey, store: &S, operator: &str, step: i64) -> Stored<Option<Accepted>> {
    let keys = journey.vault().store();
    let (known, mark) = keys.epoch().await?.unwrap_or_default();
    let (content, here) = (store.epoch().await?, marks(store).await?);
    let behind = here.behind(&mark);
    if content == known && behind.is_empty() {
        return Ok(None);
    }
    assume_served(journey, store, &here, &mark, step).await?;
    let (revocations, flags) = (keys.revocations().await?, keys.flags().await?);
    let (erasures, taken) = (keys.erasures().await?, keys.taken_ids().await?);
    replay(journey, store, &revocations, &flags, &erasures).await?;
    take_ids(journey, store, &taken).await?;
    let epoch = content.max(known) + 1;
    keys.begin_epoch(epoch, &marks(store).await?, store.now()).await?;
    let mut tx = store.begin("restore-accept").await?;
    tx.begin_epoch(epoch).await?;
    // Whoever signed out, or was made to, since the backup was made is not signed in again by it.
    tx.end_sessions().await?;
    let (revocations, flags, erasures) = (revocations.len(), flags.len(), erasures.len());
    let detail = json!({ "epoch": epoch, "revocations": revocations, "flags": flags, "erasures": erasures }).to_string();
    tx.audit(&AuditRow::by(AuditAct::Restore, operator).with(detail)).await?;
    tx.commit().await?;
    Ok(Some(Accepted { epoch, behind, revocations, flags, erasures }))
}

/// Where pages were shown that the content has forgotten, everything in that feed may have been among them: what is taken
/// back from here on gets its `DELETE`. No page is counted: the content stays behind until the new epoch begins, and so a run
/// that was cut short is known by the next one.
async fn assume_served<S: Store>(journey: &Journey, store: &S, here: &Marks, mark: &Marks, step: i64) -> Stored<()> {
    for (recipient, feed) in &mark.feeds {
        if here.feeds.get(recipient).copied().unwrap_or_default().pages >= feed.pages {
            continue;
        }
        let mut from = Position(0);
        loop {
            let mut tx = journey.begin(store, "restore-served").await?;
            tx.lock_deliveries(std::slice::from_ref(recipient)).await?;
            let entries = tx.page(recipient, from, step).await?;
            let Some(last) = entries.last() else { break };
            from = last.position;
            let unserved = entries.iter().filter(|entry| entry.method == Method::Put && !entry.served);
            let positions: Vec<Position> = unserved.map(|entry| entry.position).collect();
            tx.assume_served(recipient, &positions).await?;
            tx.commit().await?;
        }
    }
    Ok(())
}

/// Makes every revocation, flag and erasure of the ledgers hold, participant by participant.
async fn replay<S: Store>(
    journey: &Journey,
    store: &S,
    revocations: &[Revocation],
    flags: &[PersonKey],
    erasures: &[Erasure],
) -> Stored<()> {
    let persons: BTreeSet<PersonKey> = revocations.iter().map(|one| one.person).chain(flags.iter().copied()).collect();
    let persons: BTreeSet<PersonKey> = persons.into_iter().chain(erasures.iter().filter_map(person_of)).collect();
    for person in persons {
        let mut tx = journey.begin(store, "restore-replay").await?;
        tx.lock(&Concerned::whole(person)).await?;
        for revocation in revocations.iter().filter(|one| one.person == person) {
            tx.keep_revocation(revocation).await?;
        }
        if flags.contains(&person) {
            tx.set_flag(&person).await?;
        }
        let mut settles = flags.contains(&person) || revocations.iter().any(|one| one.person == person);
        let of_person: Vec<&Erasure> = erasures.iter().filter(|one| person_of(one) == Some(person)).collect();
        for erasure in &of_person {
            let is_whole = RetentionClass::OF_PERSONS
                .iter()
                .all(|class| of_person.iter().any(|other| other.at == erasure.at && other.holder.class() == *class));
            // A period ends for one class at a time; who erases a participant erases all at once.
            settles |= is_whole;
            if is_whole {
                journey.forget_again(&mut tx, &person, erasure.at).await?;
            } else {
                journey.expire_again(&mut tx, erasure).await?;
            }
        }
        // What ended with its period shuts no gate.
        if settles {
            journey.settle_person(&mut tx, &person, false).await?;
        }
        tx.commit().await?;
    }
    Ok(())
}

/// Whose erasure it is; none where it is of a message of which nobody can tell.
fn person_of(erasure: &Erasure) -> Option<PersonKey> {
    let of_person = RetentionClass::OF_PERSONS.contains(&erasure.holder.class());
    erasure.holder.digest().try_into().ok().map(PersonKey::from_bytes).filter(|_| of_person)
}

/// Sees to it that what was erased has come before, also where the backup is older than its arrival and its sender sends it
/// again.
async fn take_ids<S: Store>(journey: &Journey, store: &S, taken: &[TakenId]) -> Stored<()> {
    for ids in taken.chunks(usize::try_from(STEP).unwrap_or(usize::MAX)) {
        let mut tx = journey.begin(store, "restore-ids").await?;
        for id in ids {
            journey.take_id(&mut tx, id).await?;
        }
        tx.commit().await?;
    }
    Ok(())
}
