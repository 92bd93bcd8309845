//! Contracts and agreements are read again when their folder changes, or when a person says so (SIGHUP). The whole new set is
//! checked first: a bad one changes nothing, and is told in `/readyz` and in the log.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::embedded;
use crate::agreement::Illustrations;
use crate::domain::Files;
use crate::journey::{ContractSet, Journey};
use crate::shutdown::Hangups;
use crate::store::{Store, StoreError};
use crate::telemetry::{ContractsKept, ContractsRenewed, Event as _, Part, Waiting};

/// How long until the folder is looked at again.
const LOOK: Duration = Duration::from_secs(2);

/// Where contracts come from.
#[derive(Debug, Clone)]
pub(super) struct ContractsPlace {
    pub(super) folder: PathBuf,
    pub(super) illustrations: Vec<String>,
}

/// What was seen when the folder was last looked at.
#[derive(Default)]
struct Seen {
    /// The digest of what the folder held at the last look.
    last: Option<String>,
    /// The digest of what was judged last, good or bad: the same is not judged again.
    judged: Option<String>,
}

/// What a look has found in a folder that can be read.
enum Found {
    /// The set that is in force already: at the start, and after a bad one was taken back.
    InForce,
    /// Another set, and a good one.
    Another(Box<ContractSet>),
}

/// Keeps the set in force what the folder says, until told to stop.
pub(super) async fn keep_contracts<S: Store>(
    place: ContractsPlace,
    journey: Journey,
    store: S,
    part: Part,
    mut hangups: Hangups,
    mut stopping: watch::Receiver<bool>,
) {
    let mut seen = Seen::default();
    // They may have changed while no service ran; and what a batch that was under way has decided by the set before comes after.
    let (mut to_follow, mut waits) = (2_u8, false);
    loop {
        if to_follow > 0 {
            match journey.in_force().make_changed_due(&store).await {
                Ok(()) => (to_follow, waits) = (to_follow - 1, false),
                Err(fault) if !waits => {
                    waits = true;
                    tell_waiting(&fault);
                }
                Err(_) => {}
            }
        }
        let asked = tokio::select! {
            () = tokio::time::sleep(LOOK) => false,
            () = hangups.next() => true,
            _ = stopping.changed() => return,
        };
        match look(&place, &mut seen, asked, journey.in_force().set().digest()).await {
            None => {}
            Some(Ok(Found::InForce)) => part.up(),
            Some(Ok(Found::Another(set))) => {
                let set: Arc<ContractSet> = set.into();
                journey.put_in_force(Arc::clone(&set));
                ContractsRenewed { digest: set.digest() }.emit();
                if let Err(fault) = journey.in_force().note_in_force(&store).await {
                    tell_waiting(&fault);
                }
                part.up();
                to_follow = 2;
            }
            Some(Err(why)) => tell_kept(&part, &why),
        }
    }
}

/// Says why the contracts before stay in force; the same cause once.
fn tell_kept(part: &Part, why: &str) {
    if part.down(why) {
        ContractsKept { why }.emit();
    }
}

fn tell_waiting(fault: &StoreError) {
    Waiting { part: "contracts", cause: fault }.emit();
}

/// Looks at the folder. A change that nobody asked for is taken only once it stands still: half a copy is no set. What is in
/// force already is known by its digest and not judged again.
async fn look(place: &ContractsPlace, seen: &mut Seen, asked: bool, in_force: &str) -> Option<Result<Found, String>> {
    let files = match read(&place.folder).await {
        Ok(files) => files,
        Err(why) => {
            // Once it can be read again it is judged again, whatever it holds.
            *seen = Seen::default();
            return Some(Err(why));
        }
    };
    let digest = ContractSet::digest_of(&files);
    let stands_still = seen.last.replace(digest.clone()).as_ref() == Some(&digest);
    if !asked && (seen.judged.as_ref() == Some(&digest) || !stands_still) {
        return None;
    }
    let is_in_force = digest == in_force;
    seen.judged = Some(digest);
    if is_in_force {
        return Some(Ok(Found::InForce));
    }
    let illustrations = Illustrations::Named(place.illustrations.clone());
    let judged = tokio::task::spawn_blocking(move || ContractSet::load(&files, illustrations)).await;
    Some(match judged {
        Ok(Ok(set)) => Ok(Found::Another(Box::new(set))),
        Ok(Err(flaws)) => {
            let first = flaws.first().map(ToString::to_string).unwrap_or_default();
            Err(format!("the new contracts have {} flaw(s) and are not used; the first: {first}", flaws.len()))
        }
        Err(_) => Err("the program has failed on the new contracts; they are not used".to_owned()),
    })
}

async fn read(folder: &Path) -> Result<Files, String> {
    let folder = folder.to_owned();
    let read = tokio::task::spawn_blocking(move || embedded::contracts_from(&folder)).await;
    match read {
        Ok(Ok(files)) => Ok(files),
        Ok(Err(error)) => Err(format!("the folder of contracts cannot be read: {error}")),
        Err(_) => Err("the folder of contracts cannot be read".to_owned()),
    }
}
