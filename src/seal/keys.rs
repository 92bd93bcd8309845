//! The service's own keys: HMAC-SHA-256 under a key for each purpose, all derived from one secret kept in a file of its own.

use aws_lc_rs::digest::{Context, SHA256};
use aws_lc_rs::hmac::{self, HMAC_SHA256};
use aws_lc_rs::rand::{SecureRandom, SystemRandom};

use crate::domain::Keys;

/// Every purpose that a digest is made for; a digest of one says nothing about a digest of another.
const PURPOSES: [&str; 8] =
    ["person", "report", "fingerprint", "subject", "event-id", "unreadable", "dead-letter-group", "dead-letter-standing"];

/// The derived keys. `Debug` prints nothing of them.
pub struct ServiceKeys {
    keys: Vec<(&'static str, hmac::Key)>,
}

impl std::fmt::Debug for ServiceKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ServiceKeys(..)")
    }
}

impl ServiceKeys {
    /// Derives the keys from a secret.
    #[must_use]
    pub fn derive(secret: &[u8; 32]) -> Self {
        let root = hmac::Key::new(HMAC_SHA256, secret);
        let key = |purpose: &'static str| {
            let derived = hmac::sign(&root, purpose.as_bytes());
            (purpose, hmac::Key::new(HMAC_SHA256, derived.as_ref()))
        };
        Self { keys: PURPOSES.into_iter().map(key).collect() }
    }

    /// A new secret from the system's random numbers; `None` where it has none.
    #[must_use]
    pub fn new_secret() -> Option<[u8; 32]> {
        let mut secret = [0; 32];
        SystemRandom::new().fill(&mut secret).ok().map(|()| secret)
    }
}

impl Keys for ServiceKeys {
    fn digest(&self, purpose: &'static str, parts: &[&[u8]]) -> [u8; 32] {
        let mut digest = [0; 32];
        // A purpose without a key would be a mistake in this file alone; the test below asks for each.
        let Some((_, key)) = self.keys.iter().find(|(known, _)| *known == purpose) else { return digest };
        let mut context = hmac::Context::with_key(key);
        for part in parts {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        digest.copy_from_slice(context.sign().as_ref());
        digest
    }
}

/// The SHA-256 of parts in hexadecimal, each part with its length before it, so that no two lists of parts run together. It is
/// of what is no secret and no person's: contracts.
#[must_use]
pub fn digest_of(parts: &[&[u8]]) -> String {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        context.update(part);
    }
    context.finish().as_ref().iter().fold(String::with_capacity(64), |mut text, byte| {
        text.extend([byte >> 4, byte & 15].map(|half| char::from_digit(u32::from(half), 16).unwrap_or('0')));
        text
    })
}

#[cfg(test)]
mod tests {
    use super::{PURPOSES, ServiceKeys};
    use crate::domain::Keys;

    #[test]
    fn each_purpose_and_each_way_of_parting_gives_another_digest() {
        let keys = ServiceKeys::derive(&[7; 32]);
        let mut seen = std::collections::HashSet::new();
        for purpose in PURPOSES {
            assert!(seen.insert(keys.digest(purpose, &[b"ab", b"c"])));
            assert!(seen.insert(keys.digest(purpose, &[b"a", b"bc"])));
        }
        assert!(!seen.contains(&[0; 32]));
        assert_ne!(ServiceKeys::derive(&[8; 32]).digest("person", &[b"a"]), keys.digest("person", &[b"a"]));
    }
}
