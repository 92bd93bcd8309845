//! Sessions: a random token that only the person's browser has, and its digest, which is all that a store ever sees.

use std::fmt;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac;
use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;

use super::{AccountError, AccountName};

/// How long a session lasts that nobody uses.
pub const IDLE_LIMIT: Duration = Duration::from_mins(30);

/// How long a session lasts at most: a long working day.
pub const LONGEST_SESSION: Duration = Duration::from_hours(10);

/// What the token of a form is made for, so that it is of use for nothing else.
const FORM: &[u8] = b"brygga.console.form.v1";

const LENGTH: usize = 32;

/// What a browser shows to say whose session it is. It is never printed, and no store has it.
#[derive(Clone)]
pub struct SessionToken([u8; LENGTH]);

impl fmt::Debug for SessionToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionToken(…)")
    }
}

impl SessionToken {
    /// A new one.
    ///
    /// # Errors
    /// Where the system gives no random numbers.
    pub fn random() -> Result<Self, AccountError> {
        let mut bytes = [0; LENGTH];
        SystemRandom::new().fill(&mut bytes).map_err(|_| AccountError::Random)?;
        Ok(Self(bytes))
    }

    /// Reads a cookie's value; `None` where it can be none of ours.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        // A token has one form: what decodes to more or less, or is longer, is no token.
        if text.len() > 64 {
            return None;
        }
        URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok().map(Self)
    }

    /// A cookie's value.
    #[must_use]
    pub fn text(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// What a store knows it by.
    #[must_use]
    pub fn digest(&self) -> SessionDigest {
        let mut bytes = [0; LENGTH];
        bytes.copy_from_slice(digest(&SHA256, &self.0).as_ref());
        SessionDigest(bytes)
    }

    /// What every form of this session carries, so that no other page can send one.
    #[must_use]
    pub fn form(&self) -> FormToken {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.0);
        FormToken(URL_SAFE_NO_PAD.encode(hmac::sign(&key, FORM)))
    }

    /// Whether a form carries what it should; in constant time.
    #[must_use]
    pub fn made_form(&self, text: &str) -> bool {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.0);
        URL_SAFE_NO_PAD.decode(text).is_ok_and(|tag| hmac::verify(&key, FORM, &tag).is_ok())
    }
}

/// What every form of a session carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormToken(String);

impl FormToken {
    /// The value of the form's hidden field.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What a store knows a session by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SessionDigest([u8; LENGTH]);

impl SessionDigest {
    /// Takes stored bytes; `None` where the length is wrong.
    #[must_use]
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// The bytes, for a store.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// A session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// What it is known by.
    pub digest: SessionDigest,
    /// Whose.
    pub account: AccountName,
    /// When its person signed in.
    pub created_at: Timestamp,
    /// When it was used last, to the minute.
    pub seen_at: Timestamp,
}

impl Session {
    /// Whether it is still good at an instant.
    #[must_use]
    pub fn is_good(&self, now: Timestamp) -> bool {
        let within = |since: Timestamp, limit: Duration| {
            let age = now.duration_since(since);
            !age.is_negative() && age.unsigned_abs() < limit
        };
        // A clock that was put back must not make a session last longer.
        within(self.created_at, LONGEST_SESSION) && within(self.seen_at, IDLE_LIMIT)
    }
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};

    use super::{IDLE_LIMIT, LONGEST_SESSION, Session, SessionToken};

    #[test]
    fn a_token_is_read_back_and_nothing_shows_it() {
        let token = SessionToken::random().expect("random numbers");
        let read = SessionToken::read(&token.text()).expect("a token");
        assert_eq!(read.digest(), token.digest());
        assert!(!format!("{token:?}").contains(&token.text()));
        let longer = format!("{}AAAA", token.text());
        for bad in ["", "x", longer.as_str(), &"A".repeat(10_000), "ååå"] {
            assert!(SessionToken::read(bad).is_none(), "{}", bad.len());
        }
    }

    #[test]
    fn a_form_of_another_session_is_not_taken() {
        let (own, other) = (SessionToken::random().expect("random"), SessionToken::random().expect("random"));
        assert!(own.made_form(own.form().as_str()));
        for bad in [other.form().as_str(), "", "AAAA", &own.text()] {
            assert!(!own.made_form(bad));
        }
    }

    #[test]
    fn a_session_ends_when_it_is_idle_and_in_any_case_after_a_day() {
        let now: Timestamp = "2026-03-02T12:00:00Z".parse().expect("a time");
        let before = |ago: std::time::Duration| now.checked_sub(ago).expect("a time");
        let session = |created_at, seen_at| Session {
            digest: SessionToken::random().expect("random").digest(),
            account: "a".parse().expect("a name"),
            created_at,
            seen_at,
        };
        let short = |limit: std::time::Duration| limit.saturating_sub(std::time::Duration::from_secs(1));
        assert!(session(now, now).is_good(now));
        assert!(session(before(short(LONGEST_SESSION)), before(short(IDLE_LIMIT))).is_good(now));
        assert!(!session(before(LONGEST_SESSION), now).is_good(now));
        assert!(!session(before(IDLE_LIMIT), before(IDLE_LIMIT)).is_good(now));
        let ahead = now.checked_add(SignedDuration::from_secs(5)).expect("a time");
        assert!(!session(ahead, ahead).is_good(now), "a session of the future is none");
    }
}
