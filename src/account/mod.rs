//! Floor 3: the people who look after Brygga: their accounts, what each may do and for whom, passwords and sessions.
//!
//! The console and the command line call the same functions here, and each act leaves the same row in the audit log. An
//! account is local to this installation: it names a person to the audit log and is never anybody a message is about.

mod acts;
mod entry;
mod password;
mod scope;
mod session;
mod throttle;

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;

pub use acts::{add, change, change_password, disable, list, reset};
pub use entry::{Entered, SignIn, Try, enter, open_for, sign_in, sign_out, sign_out_everywhere};
pub use password::{PasswordFault, PasswordHash, Passwords, check_password, generate_password};
pub use scope::{ScopeFault, covers_feed, read_scope, scope_texts};
pub use session::{FormToken, IDLE_LIMIT, LONGEST_SESSION, Session, SessionDigest, SessionToken};
pub use throttle::Throttle;

use crate::domain::{Operator, Right, Role, Scope};
use crate::store::StoreError;

/// Why an act on accounts could not be done.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The system gives no random numbers, or a password cannot be hashed.
    #[error("no password could be made: the system gives no random numbers or no memory")]
    Random,
    /// No account has the name.
    #[error("there is no account of this name")]
    Unknown,
    /// An account has the name already.
    #[error("there is an account of this name already")]
    Taken,
    /// The password that was given to prove who acts is wrong.
    #[error("the present password is wrong")]
    Wrong,
    /// The password is not one that is taken.
    #[error(transparent)]
    Password(#[from] PasswordFault),
}

/// The name of an account, by which its person signs in and stands in the audit log.
///
/// It begins with a letter and is of a-z, 0-9, `.` and `-`, at most 64 characters, so that no personnummer can be one.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AccountName(String);

impl AccountName {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A text is no name of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the name of an account begins with a letter and is of a-z, 0-9, . and -, at most 64 characters")]
pub struct NameFault;

impl FromStr for AccountName {
    type Err = NameFault;

    fn from_str(text: &str) -> Result<Self, NameFault> {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'-');
        let begins = text.bytes().next().is_some_and(|b| b.is_ascii_lowercase());
        if begins && text.len() <= 64 && text.bytes().all(plain) { Ok(Self(text.to_owned())) } else { Err(NameFault) }
    }
}

impl fmt::Display for AccountName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its name.
    pub name: AccountName,
    /// What its person is.
    pub role: Role,
    /// Whose messages they see.
    pub scope: Scope,
    /// What its password is known by.
    pub password: PasswordHash,
    /// When it was made.
    pub created_at: Timestamp,
    /// When the password was set last.
    pub password_at: Timestamp,
    /// Since when nobody can sign in with it.
    pub disabled_at: Option<Timestamp>,
}

impl Account {
    /// Its person, as the acts of the desk take it.
    #[must_use]
    pub fn operator(&self) -> Operator {
        Operator { name: self.name.to_string(), role: self.role, scope: self.scope.clone() }
    }

    /// Whether its person may do something now.
    #[must_use]
    pub const fn may(&self, right: Right) -> bool {
        self.disabled_at.is_none() && self.role.may(right)
    }
}

#[cfg(test)]
mod tests {
    use super::AccountName;

    #[test]
    fn a_name_is_plain_and_can_be_no_personnummer() {
        for good in ["a", "registrator-1", "drift.natt"] {
            assert!(good.parse::<AccountName>().is_ok(), "{good}");
        }
        let long = "a".repeat(65);
        for bad in ["", "A", "1a", "-a", "a b", "å", "a/b", "a\n", long.as_str(), "19"] {
            assert!(bad.parse::<AccountName>().is_err(), "{bad}");
        }
    }
}
