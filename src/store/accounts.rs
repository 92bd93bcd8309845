//! What accounts and sessions ask of a transaction of the store. It has digests of passwords and of sessions alone: nobody
//! who reads it can sign in with what stands there.

use std::future::Future;

use jiff::Timestamp;

use super::Stored;
use crate::account::{Account, AccountName, Session, SessionDigest};

/// Accounts and sessions.
pub trait Accounts: Send {
    /// Stores a new account; `false` where one has its name, which stays as it is.
    fn add_account(&mut self, account: &Account) -> impl Future<Output = Stored<bool>> + Send;

    /// Changes an account to what is given, by its name. Who has not read it in this transaction may undo another's change.
    fn change_account(&mut self, account: &Account) -> impl Future<Output = Stored<()>> + Send;

    /// An account, locked until the transaction ends.
    fn account(&mut self, name: &AccountName) -> impl Future<Output = Stored<Option<Account>>> + Send;

    /// Every account, by name.
    fn accounts(&mut self) -> impl Future<Output = Stored<Vec<Account>>> + Send;

    /// Opens a session of an account that there is.
    fn open_session(&mut self, session: &Session) -> impl Future<Output = Stored<()>> + Send;

    /// A session, ended by time or not.
    fn session(&mut self, digest: &SessionDigest) -> impl Future<Output = Stored<Option<Session>>> + Send;

    /// Keeps in mind when a session was used last.
    fn touch_session(&mut self, digest: &SessionDigest, at: Timestamp) -> impl Future<Output = Stored<()>> + Send;

    /// Ends a session; `false` where there is none.
    fn end_session(&mut self, digest: &SessionDigest) -> impl Future<Output = Stored<bool>> + Send;

    /// Ends every session of an account, and says how many there were.
    fn end_sessions_of(&mut self, name: &AccountName) -> impl Future<Output = Stored<u64>> + Send;

    /// Ends every session of everybody.
    fn end_sessions(&mut self) -> impl Future<Output = Stored<()>> + Send;

    /// Removes sessions that were opened, or used last, at these instants or before.
    fn sweep_sessions(&mut self, opened: Timestamp, used: Timestamp) -> impl Future<Output = Stored<()>> + Send;
}
