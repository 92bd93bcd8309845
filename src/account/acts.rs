//! What is done to accounts, each act with its row in the audit log. Whoever loses a right loses it at once: sessions end
//! where role, scope or password change.

use secrecy::SecretString;
use serde_json::json;

use super::{Account, AccountError, AccountName, Passwords, check_password, scope_texts};
use crate::domain::{Role, Scope};
use crate::store::{Accounts as _, AuditAct, AuditRow, Store, Tx};

/// Every account, by name.
///
/// # Errors
/// Where the store is away.
pub async fn list<S: Store>(store: &S) -> Result<Vec<Account>, AccountError> {
    let mut tx = store.begin("accounts").await?;
    let accounts = tx.accounts().await?;
    tx.commit().await?;
    Ok(accounts)
}

/// Makes an account.
///
/// # Errors
/// [`AccountError::Taken`], [`AccountError::Password`], or where the store is away.
pub async fn add<S: Store>(
    store: &S,
    passwords: &Passwords,
    operator: &str,
    (name, role, scope): (AccountName, Role, Scope),
    password: &SecretString,
) -> Result<Account, AccountError> {
    check_password(&name, password)?;
    let password = passwords.hash(password).await?;
    let mut tx = store.begin("account-add").await?;
    let now = tx.now();
    let account = Account { name, role, scope, password, created_at: now, password_at: now, disabled_at: None };
    if !tx.add_account(&account).await? {
        return Err(AccountError::Taken);
    }
    note(&mut tx, operator, "account added", &account).await?;
    tx.commit().await?;
    Ok(account)
}

/// Gives an account another role, another scope, or both.
///
/// # Errors
/// [`AccountError::Unknown`], or where the store is away.
pub async fn change<S: Store>(
    store: &S,
    operator: &str,
    name: &AccountName,
    role: Option<Role>,
    scope: Option<Scope>,
) -> Result<Account, AccountError> {
    let mut tx = store.begin("account-change").await?;
    let mut account = tx.account(name).await?.ok_or(AccountError::Unknown)?;
    account.role = role.unwrap_or(account.role);
    account.scope = scope.unwrap_or(account.scope);
    keep(tx, operator, "account changed", account).await
}

/// Keeps everybody from signing in with an account, and ends its sessions.
///
/// # Errors
/// [`AccountError::Unknown`], or where the store is away.
pub async fn disable<S: Store>(store: &S, operator: &str, name: &AccountName) -> Result<Account, AccountError> {
    let mut tx = store.begin("account-disable").await?;
    let mut account = tx.account(name).await?.ok_or(AccountError::Unknown)?;
    account.disabled_at = account.disabled_at.or(Some(tx.now()));
    keep(tx, operator, "account disabled", account).await
}

/// Gives an account a new password and ends its sessions. Where it was disabled, it is so no more.
///
/// # Errors
/// [`AccountError::Unknown`], [`AccountError::Password`], or where the store is away.
pub async fn reset<S: Store>(
    store: &S,
    passwords: &Passwords,
    operator: &str,
    name: &AccountName,
    password: &SecretString,
) -> Result<Account, AccountError> {
    check_password(name, password)?;
    let password = passwords.hash(password).await?;
    let mut tx = store.begin("account-reset").await?;
    let mut account = tx.account(name).await?.ok_or(AccountError::Unknown)?;
    account.password = password;
    account.password_at = tx.now();
    account.disabled_at = None;
    keep(tx, operator, "account reset", account).await
}

/// Changes a person's own password, who shows the present one; every session ends, also the one that it is done in.
///
/// # Errors
/// [`AccountError::Wrong`], [`AccountError::Password`], or where the store is away.
pub async fn change_password<S: Store>(
    store: &S,
    passwords: &Passwords,
    account: &Account,
    present: &SecretString,
    new: &SecretString,
) -> Result<Account, AccountError> {
    check_password(&account.name, new)?;
    match passwords.verify(present, Some(&account.password)).await {
        Some(true) => {}
        Some(false) => return Err(AccountError::Wrong),
        None => return Err(AccountError::Random),
    }
    let password = passwords.hash(new).await?;
    let mut tx = store.begin("account-password").await?;
    let mut found = tx.account(&account.name).await?.ok_or(AccountError::Unknown)?;
    // Somebody may have reset or disabled it meanwhile; that stands.
    if found.password != account.password || found.disabled_at.is_some() {
        return Err(AccountError::Wrong);
    }
    found.password = password;
    found.password_at = tx.now();
    keep(tx, account.name.as_str(), "password changed", found).await
}

/// Writes a changed account, ends its sessions, and commits.
async fn keep<T: Tx>(mut tx: T, operator: &str, what: &str, account: Account) -> Result<Account, AccountError> {
    tx.change_account(&account).await?;
    tx.end_sessions_of(&account.name).await?;
    note(&mut tx, operator, what, &account).await?;
    tx.commit().await?;
    Ok(account)
}

async fn note<T: Tx>(tx: &mut T, operator: &str, what: &str, account: &Account) -> Result<(), AccountError> {
    let (role, scope) = (account.role.as_str(), scope_texts(&account.scope));
    let detail = json!({ "what": what, "account": account.name.as_str(), "role": role, "scope": scope });
    tx.audit(&AuditRow::by(AuditAct::Access, operator).with(detail.to_string())).await?;
    Ok(())
}
