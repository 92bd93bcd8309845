//! Contracts and agreements are read again when their folder changes, or when a person says so (SIGHUP). The whole new set is
//! checked first: a bad one changes nothing, and is told in `/readyz` and in the log. A set that lacks a file of the one in force
//! would end what rests on it for good, so it is taken only when a person says so, or when it has stood for a while (ADR 0033).

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

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

/// How long a folder that lacks a file of the set in force has to stand as it is before it counts: somebody may be about to put it
/// back, or a mount may be half there.
const MISSED: Duration = Duration::from_mins(5);

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
    /// Since when the folder has stood as it is, without a file of the set in force.
    lacking: Option<Instant>,
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
        match look(&place, &mut seen, asked, journey.in_force().set(), Instant::now()).await {
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
async fn look(
    place: &ContractsPlace,
    seen: &mut Seen,
    asked: bool,
    in_force: &ContractSet,
    now: Instant,
) -> Option<Result<Found, String>> {
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
    if !stands_still {
        seen.lacking = None;
    }
    if !asked && (seen.judged.as_ref() == Some(&digest) || !stands_still) {
        return None;
    }
    if let Some(path) = in_force.missing_in(&files).filter(|_| !asked) {
        let since = *seen.lacking.get_or_insert(now);
        if now.saturating_duration_since(since) < MISSED {
            // Once it is there again it is judged again.
            seen.judged = None;
            let minutes = MISSED.as_secs() / 60;
            return Some(Err(format!(
                "{path} is missing, and what rests on it would end for good: the contracts in force stay until the folder has stood \
                 so for {minutes} minutes, or SIGHUP says that it is meant"
            )));
        }
    }
    let is_in_force = digest == in_force.digest();
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

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::{Duration, Instant};

    use super::{ContractsPlace, Found, MISSED, Seen, embedded, look};
    use crate::agreement::Illustrations;
    use crate::journey::ContractSet;

    fn copy(from: &Path, to: &Path) {
        std::fs::create_dir_all(to).expect("a folder");
        for entry in std::fs::read_dir(from).expect("the folder can be read") {
            let path = entry.expect("an entry").path();
            let target = to.join(path.file_name().expect("a name"));
            if path.is_dir() {
                copy(&path, &target);
            } else {
                std::fs::copy(&path, &target).expect("copied");
            }
        }
    }

    #[tokio::test]
    async fn a_file_that_is_missing_for_some_looks_ends_nothing_and_is_told() {
        let folder = tempfile::tempdir().expect("a folder");
        copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("contracts"), folder.path());
        let files = embedded::contracts_from(folder.path()).expect("the contracts can be read");
        let set = ContractSet::load(&files, Illustrations::None).expect("a set without flaws");
        let place = ContractsPlace { folder: folder.path().to_owned(), illustrations: Vec::new() };
        let (mut seen, begin) = (Seen::default(), Instant::now());
        let at = |seconds: u64| begin + Duration::from_secs(seconds);
        assert!(look(&place, &mut seen, false, &set, at(0)).await.is_none());
        assert!(matches!(look(&place, &mut seen, false, &set, at(2)).await, Some(Ok(Found::InForce))));
        let agreement = folder.path().join("agreements/lund-2026.toml");
        let text = std::fs::read(&agreement).expect("an agreement");
        std::fs::remove_file(&agreement).expect("removed");
        assert!(look(&place, &mut seen, false, &set, at(4)).await.is_none(), "it has just changed");
        for seconds in [6, 8, 100] {
            let found = look(&place, &mut seen, false, &set, at(seconds)).await;
            assert!(matches!(&found, Some(Err(why)) if why.contains("agreements/lund-2026.toml")), "after {seconds}");
        }
        std::fs::write(&agreement, text).expect("put back");
        assert!(look(&place, &mut seen, false, &set, at(102)).await.is_none());
        assert!(matches!(look(&place, &mut seen, false, &set, at(104)).await, Some(Ok(Found::InForce))), "all is well again");
        std::fs::remove_file(&agreement).expect("removed");
        assert!(look(&place, &mut seen, false, &set, at(106)).await.is_none());
        assert!(matches!(look(&place, &mut seen, false, &set, at(108)).await, Some(Err(_))), "it counts from here again");
        let later = at(108) + MISSED;
        assert!(matches!(look(&place, &mut seen, false, &set, later).await, Some(Ok(Found::Another(_)))), "it is meant");
        let mut seen = Seen::default();
        assert!(matches!(look(&place, &mut seen, true, &set, at(0)).await, Some(Ok(Found::Another(_)))), "a person says so");
    }
}
