//! Signing in and out, and whose session a token is.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use secrecy::SecretString;

use super::{Account, AccountError, AccountName, IDLE_LIMIT, LONGEST_SESSION, Passwords, Session, SessionToken, Throttle};
use crate::store::{Accounts as _, AuditAct, AuditRow, Store, Tx};
use crate::telemetry::{Event as _, SignInRefused};

/// How exactly it is known when a session was used last: not each page is worth a row.
const TO_THE_MINUTE: Duration = Duration::from_mins(1);

/// What a try to sign in came to. Nothing of it says whether there is such an account.
#[derive(Debug)]
pub enum SignIn {
    /// Welcome: a session that did not exist before.
    Open(Account, SessionToken),
    /// Name and password do not belong together, or the account is disabled.
    Refused,
    /// Too many tries; the password was not looked at.
    Wait(Duration),
    /// Too many others try at the moment.
    Busy,
}

/// Somebody tries to sign in.
#[derive(Debug)]
pub struct Try<'a> {
    /// The name as it was typed.
    pub name: &'a str,
    /// The password as it was typed.
    pub password: &'a SecretString,
    /// From where.
    pub from: IpAddr,
    /// When, for the delay alone.
    pub at: Instant,
    /// The session that the browser showed, which ends: whoever made it must not share the new one.
    pub former: Option<&'a SessionToken>,
}

/// Signs somebody in.
///
/// # Errors
/// Where the store is away, or the system gives no random numbers.
pub async fn sign_in<S: Store>(
    store: &S,
    passwords: &Passwords,
    throttle: &Throttle,
    one: Try<'_>,
) -> Result<SignIn, AccountError> {
    let name: Option<AccountName> = one.name.trim().to_lowercase().parse().ok();
    if let Err(wait) = throttle.begin(name.as_ref(), one.from, one.at) {
        SignInRefused { why: "too many tries" }.emit();
        return Ok(SignIn::Wait(wait));
    }
    let account = match &name {
        Some(name) => {
            let mut tx = store.begin("sign-in").await?;
            let account = tx.account(name).await?;
            tx.commit().await?;
            account.filter(|account| account.disabled_at.is_none())
        }
        None => None,
    };
    let Some(is_right) = passwords.verify(one.password, account.as_ref().map(|account| &account.password)).await else {
        SignInRefused { why: "too many at once" }.emit();
        return Ok(SignIn::Busy);
    };
    let Some(account) = account.filter(|_| is_right) else {
        SignInRefused { why: "name and password do not belong together" }.emit();
        return Ok(SignIn::Refused);
    };
    let mut tx = store.begin("sign-in").await?;
    // The password took a while: what has changed meanwhile stands.
    let found = tx.account(&account.name).await?;
    let Some(account) = found.filter(|found| found.disabled_at.is_none() && found.password == account.password) else {
        return Ok(SignIn::Refused);
    };
    if let Some(former) = one.former {
        tx.end_session(&former.digest()).await?;
    }
    let token = open(&mut tx, &account.name, "signed in").await?;
    tx.commit().await?;
    throttle.succeeded(&account.name, one.from);
    Ok(SignIn::Open(account, token))
}

/// Opens a session for an account without its password: for a link that was shown to whoever sits at the machine.
///
/// # Errors
/// [`AccountError::Unknown`], or where the store is away.
pub async fn open_for<S: Store>(store: &S, name: &AccountName) -> Result<SessionToken, AccountError> {
    let mut tx = store.begin("sign-in-by-link").await?;
    let account = tx.account(name).await?.filter(|account| account.disabled_at.is_none()).ok_or(AccountError::Unknown)?;
    let token = open(&mut tx, &account.name, "signed in by a link").await?;
    tx.commit().await?;
    Ok(token)
}

async fn open<T: Tx>(tx: &mut T, name: &AccountName, what: &str) -> Result<SessionToken, AccountError> {
    let (token, now) = (SessionToken::random()?, tx.now());
    let ago = |limit: Duration| now.checked_sub(limit).unwrap_or(Timestamp::UNIX_EPOCH);
    tx.sweep_sessions(ago(LONGEST_SESSION), ago(IDLE_LIMIT)).await?;
    let session = Session { digest: token.digest(), account: name.clone(), created_at: now, seen_at: now };
    tx.open_session(&session).await?;
    tx.audit(&AuditRow::by(AuditAct::Access, name.as_str()).with(what)).await?;
    Ok(token)
}

/// Somebody who is signed in.
#[derive(Debug)]
pub struct Entered {
    /// Who it is, as it stands now.
    pub account: Account,
    /// The session.
    pub session: Session,
    /// When it was looked at.
    pub now: Timestamp,
}

/// Whose session a token is; `None` where it has ended or never was.
///
/// # Errors
/// Where the store is away.
pub async fn enter<S: Store>(store: &S, token: &SessionToken) -> Result<Option<Entered>, AccountError> {
    let mut tx = store.begin("session").await?;
    let now = tx.now();
    let Some(session) = tx.session(&token.digest()).await?.filter(|session| session.is_good(now)) else {
        return Ok(None);
    };
    let account = tx.account(&session.account).await?.filter(|account| account.disabled_at.is_none());
    if now.duration_since(session.seen_at).unsigned_abs() >= TO_THE_MINUTE {
        tx.touch_session(&session.digest, now).await?;
    }
    tx.commit().await?;
    Ok(account.map(|account| Entered { account, session, now }))
}

/// Ends a session.
///
/// # Errors
/// Where the store is away.
pub async fn sign_out<S: Store>(store: &S, session: &Session) -> Result<(), AccountError> {
    let mut tx = store.begin("sign-out").await?;
    if tx.end_session(&session.digest).await? {
        tx.audit(&AuditRow::by(AuditAct::Access, session.account.as_str()).with("signed out")).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// Ends all sessions of an account.
///
/// # Errors
/// Where the store is away.
pub async fn sign_out_everywhere<S: Store>(store: &S, name: &AccountName) -> Result<(), AccountError> {
    let mut tx = store.begin("sign-out").await?;
    if tx.end_sessions_of(name).await? > 0 {
        tx.audit(&AuditRow::by(AuditAct::Access, name.as_str()).with("signed out everywhere")).await?;
    }
    tx.commit().await?;
    Ok(())
}
