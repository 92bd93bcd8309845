//! Passwords: which are taken, and how they are kept: as argon2id (RFC 9106) in the PHC string form, each with a salt of its own.

use std::sync::Arc;
use std::time::Duration;

use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::Semaphore;

use super::{AccountError, AccountName};

/// The fewest characters, where the password is all that is asked for (NIST SP 800-63B-4, section 3.1.1.2).
const FEWEST: usize = 15;

/// The most bytes: more would only cost time.
const MOST_BYTES: usize = 512;

/// What hashing costs: OWASP's least for argon2id, 19 MiB and two passes, in one lane.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// How many are looked at at once: each takes its memory and a processor, also for whoever has no account.
const AT_ONCE: usize = 2;

/// How long a sign-in waits for its turn before it is told to come back.
const PATIENCE: Duration = Duration::from_secs(10);

/// What nobody's password is known by: whoever has no account waits as long as everybody else. Its digest is of nothing.
const NOBODYS: &str = "$argon2id$v=19$m=19456,t=2,p=1$YnJ5Z2dhLm5vYm9keS4uLg$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Letters and digits that are not taken for each other.
const ALPHABET: [u8; 32] = *b"abcdefghijkmnpqrstuvwxyz23456789";

/// Why a password is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordFault {
    /// Too short.
    #[error("a password has at least {FEWEST} characters; a sentence is a good one")]
    Short,
    /// Too long.
    #[error("a password has at most {MOST_BYTES} bytes")]
    Long,
    /// Easily guessed.
    #[error("this password is too easily guessed: it holds the account's name, or is one character over and over")]
    Weak,
    /// It cannot have been meant.
    #[error("a password has no control characters")]
    Form,
}

/// Whether a password is taken for an account.
///
/// # Errors
/// Why not.
pub fn check_password(name: &AccountName, password: &SecretString) -> Result<(), PasswordFault> {
    let text = password.expose_secret();
    if text.len() > MOST_BYTES {
        return Err(PasswordFault::Long);
    }
    if text.chars().count() < FEWEST {
        return Err(PasswordFault::Short);
    }
    if text.chars().any(char::is_control) {
        return Err(PasswordFault::Form);
    }
    let mut known: Vec<char> = text.chars().collect();
    known.sort_unstable();
    known.dedup();
    let has_name = name.as_str().len() > 3 && text.to_lowercase().contains(name.as_str());
    if known.len() < 4 || has_name { Err(PasswordFault::Weak) } else { Ok(()) }
}

/// A password that nobody guesses: 24 characters of 32, in groups.
///
/// # Errors
/// Where the system gives no random numbers.
pub fn generate_password() -> Result<SecretString, AccountError> {
    let mut bytes = [0; 24];
    SystemRandom::new().fill(&mut bytes).map_err(|_| AccountError::Random)?;
    let mut text = String::with_capacity(29);
    for (index, byte) in bytes.iter().enumerate() {
        if index > 0 && index % 4 == 0 {
            text.push('-');
        }
        // 256 is a multiple of 32: no character is likelier than another.
        text.push(char::from(ALPHABET.get(usize::from(byte % 32)).copied().unwrap_or(b'x')));
    }
    Ok(SecretString::from(text))
}

/// What a password is known by; shown to nobody.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

impl std::fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

impl PasswordHash {
    /// Takes what a store holds.
    #[must_use]
    pub fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// For a store.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whoever hashes passwords and compares them, few at a time.
#[derive(Debug, Clone)]
pub struct Passwords {
    turns: Arc<Semaphore>,
}

impl Default for Passwords {
    fn default() -> Self {
        Self { turns: Arc::new(Semaphore::new(AT_ONCE)) }
    }
}

impl Passwords {
    /// Hashes a password under a new salt.
    ///
    /// # Errors
    /// Where there are no random numbers, no memory, or no turn in time.
    pub async fn hash(&self, password: &SecretString) -> Result<PasswordHash, AccountError> {
        let password = password.clone();
        let hashed = self.in_turn(move || {
            let mut salt = [0; 16];
            SystemRandom::new().fill(&mut salt).ok()?;
            let params = Params::new(MEMORY_KIB, PASSES, LANES, None).ok()?;
            let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
            let hash = argon2.hash_password_with_salt(password.expose_secret().as_bytes(), &salt).ok()?;
            Some(PasswordHash(hash.to_string()))
        });
        hashed.await.flatten().ok_or(AccountError::Random)
    }

    /// Whether a password is the one that an account is known by. Without an account it takes as long, and is not. `None` where
    /// no turn came in time.
    pub async fn verify(&self, password: &SecretString, known: Option<&PasswordHash>) -> Option<bool> {
        let password = password.clone();
        let (is_somebodys, known) = (known.is_some(), known.map_or_else(|| NOBODYS.to_owned(), |known| known.0.clone()));
        let verified = self.in_turn(move || {
            let text = password.expose_secret();
            // What is longer than any password is not worth the work, and says nothing of an account.
            let is_right = Argon2::default().verify_password(cut(text).as_bytes(), known.as_str()).is_ok();
            is_right && text.len() <= MOST_BYTES
        });
        verified.await.map(|is_right| is_right && is_somebodys)
    }

    async fn in_turn<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        let turn = tokio::time::timeout(PATIENCE, Arc::clone(&self.turns).acquire_owned()).await.ok()?.ok()?;
        let done = tokio::task::spawn_blocking(move || {
            let done = work();
            drop(turn);
            done
        });
        done.await.ok()
    }
}

fn cut(text: &str) -> &str {
    let end = (0..=MOST_BYTES.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    text.get(..end.unwrap_or_default()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use argon2::password_hash::phc;
    use secrecy::{ExposeSecret as _, SecretString};

    use super::{NOBODYS, PasswordFault, Passwords, check_password, generate_password};
    use crate::account::AccountName;

    #[test]
    fn short_long_and_guessable_passwords_are_not_taken_and_sentences_are() {
        let name: AccountName = "registrator".parse().expect("a name");
        let check = |text: &str| check_password(&name, &SecretString::from(text));
        assert_eq!(check("fjorton tecken"), Err(PasswordFault::Short));
        assert_eq!(check(&"å".repeat(300)), Err(PasswordFault::Long));
        assert_eq!(check("aaaaaaaaaaaaaaaaaaaa"), Err(PasswordFault::Weak));
        assert_eq!(check("Registrator-2026-november"), Err(PasswordFault::Weak));
        assert_eq!(check("en god mening\nmed två rader"), Err(PasswordFault::Form));
        assert_eq!(check("sju äpplen på ett fat"), Ok(()));
        let made = generate_password().expect("random numbers");
        assert_eq!((check(made.expose_secret()), made.expose_secret().len()), (Ok(()), 29));
        assert_ne!(made.expose_secret(), generate_password().expect("random numbers").expose_secret());
    }

    #[tokio::test]
    async fn a_password_is_kept_as_argon2id_with_a_salt_of_its_own_and_only_it_is_right() {
        let passwords = Passwords::default();
        let right = SecretString::from("sju äpplen på ett fat");
        let (first, second) = (passwords.hash(&right).await.expect("hashed"), passwords.hash(&right).await.expect("hashed"));
        assert!(first.as_str().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", first.as_str());
        assert_ne!(first, second);
        assert!(!format!("{first:?}").contains("argon2id"));
        assert_eq!(passwords.verify(&right, Some(&first)).await, Some(true));
        assert_eq!(passwords.verify(&SecretString::from("sju äpplen på ett bord"), Some(&first)).await, Some(false));
        assert_eq!(passwords.verify(&right, None).await, Some(false));
        assert!(phc::PasswordHash::new(NOBODYS).is_ok(), "whoever has no account waits as long");
    }
}
