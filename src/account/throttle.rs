//! How often somebody may try to sign in: a growing delay for one account from one source, so that whoever guesses from
//! elsewhere keeps nobody from their own account.
//!
//! It is kept in memory: a restart forgets it, and each process counts for itself. Passwords are long enough that a few more
//! tries gain nothing; what is gained is that no row is written for whoever has no account.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::AccountName;

/// Tries that cost no delay: a person mistypes.
const FREE: u32 = 3;

/// The longest delay.
const LONGEST: Duration = Duration::from_mins(15);

/// When failures are forgotten.
const FORGOTTEN: Duration = Duration::from_hours(1);

/// How many pairs are remembered. Where there are more, the one goes first that was tried longest ago.
const MOST: usize = 10_000;

/// Where somebody is: an address, or the network of 64 bits that IPv6 gives to one customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Source(u128);

impl Source {
    fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(four) => Self(u128::from(u32::from(four))),
            IpAddr::V6(six) => Self(u128::from(six) & (u128::MAX << 64)),
        }
    }
}

/// An account as it was typed, and from where. What can be nobody's name is one name.
type Pair = (Option<AccountName>, Source);

#[derive(Debug, Clone, Copy)]
struct Tries {
    failed: u32,
    last: Instant,
}

/// Counts tries. Clones share their counts.
#[derive(Debug, Clone, Default)]
pub struct Throttle {
    tries: Arc<Mutex<BTreeMap<Pair, Tries>>>,
}

impl Throttle {
    /// Begins a try, which counts as failed until [`succeeded`](Self::succeeded). Many at once are counted one by one.
    ///
    /// # Errors
    /// How long to wait before the next; this one is not made, and counts for nothing.
    pub fn begin(&self, name: Option<&AccountName>, from: IpAddr, now: Instant) -> Result<(), Duration> {
        let mut tries = self.tries.lock().unwrap_or_else(PoisonError::into_inner);
        let pair = (name.cloned(), Source::of(from));
        let failed = match tries.get(&pair) {
            Some(before) if now.saturating_duration_since(before.last) < FORGOTTEN => {
                let waited = now.saturating_duration_since(before.last);
                if let Some(left) = delay(before.failed).checked_sub(waited).filter(|left| !left.is_zero()) {
                    return Err(left);
                }
                before.failed.saturating_add(1)
            }
            _ => 1,
        };
        if tries.len() >= MOST && !tries.contains_key(&pair) {
            let oldest = tries.iter().min_by_key(|(_, tries)| tries.last).map(|(pair, _)| pair.clone());
            oldest.map(|oldest| tries.remove(&oldest));
        }
        tries.insert(pair, Tries { failed, last: now });
        Ok(())
    }

    /// The password was right: what failed before is forgotten.
    pub fn succeeded(&self, name: &AccountName, from: IpAddr) {
        self.tries.lock().unwrap_or_else(PoisonError::into_inner).remove(&(Some(name.clone()), Source::of(from)));
    }
}

/// How long to wait after so many failures: 1, 2, 4 seconds and so on.
fn delay(failed: u32) -> Duration {
    match failed.checked_sub(FREE) {
        None => Duration::ZERO,
        Some(over) => Duration::from_secs(1_u64.checked_shl(over).unwrap_or(u64::MAX)).min(LONGEST),
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;
    use std::time::{Duration, Instant};

    use super::{FORGOTTEN, FREE, LONGEST, MOST, Throttle, delay};
    use crate::account::AccountName;

    fn name(text: &str) -> AccountName {
        text.parse().expect("a name")
    }

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn the_delay_grows_with_each_failure_up_to_a_bound() {
        let delays: Vec<u64> = (0..8).map(|failed| delay(failed).as_secs()).collect();
        assert_eq!(delays, [0, 0, 0, 1, 2, 4, 8, 16]);
        assert_eq!(delay(60), LONGEST);
        assert_eq!(delay(u32::MAX), LONGEST);
    }

    #[test]
    fn whoever_guesses_from_elsewhere_keeps_nobody_from_their_own_account() {
        let (throttle, now) = (Throttle::default(), Instant::now());
        let (own, other) = (address("192.0.2.1"), address("192.0.2.2"));
        for _ in 0..FREE {
            assert_eq!(throttle.begin(Some(&name("a")), other, now), Ok(()));
        }
        assert_eq!(throttle.begin(Some(&name("a")), other, now), Err(Duration::from_secs(1)));
        assert_eq!(throttle.begin(Some(&name("a")), own, now), Ok(()), "another source");
        assert_eq!(throttle.begin(Some(&name("b")), other, now), Ok(()), "another account");
        let later = now + Duration::from_secs(1);
        assert_eq!(throttle.begin(Some(&name("a")), other, later), Ok(()));
        assert_eq!(throttle.begin(Some(&name("a")), other, later), Err(Duration::from_secs(2)));
        throttle.succeeded(&name("a"), other);
        assert_eq!(throttle.begin(Some(&name("a")), other, later), Ok(()));
    }

    #[test]
    fn failures_are_forgotten_and_what_is_remembered_is_bounded() {
        let (throttle, now) = (Throttle::default(), Instant::now());
        let source = address("2001:db8::1");
        for _ in 0..=FREE {
            throttle.begin(None, source, now).ok();
        }
        assert!(throttle.begin(None, address("2001:db8::2"), now).is_err(), "one customer has a whole network");
        assert_eq!(throttle.begin(None, source, now + FORGOTTEN), Ok(()));
        for index in 0..u32::try_from(MOST).expect("few") + 10 {
            throttle.begin(Some(&name("a")), IpAddr::from(index.to_be_bytes()), now).ok();
        }
        assert_eq!(throttle.tries.lock().expect("no panic").len(), MOST);
    }
}
