//! `brygga user add|list|change|disable|reset`: the people who may sign in to the console. A password is never an argument: it
//! comes on standard input, or one is made and shown once.

use std::io::{BufRead as _, Write};

use clap::Subcommand;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};

use super::CliError;
use super::desk::At;
use super::place::on_store;
use super::table::table;
use crate::account::{
    Account, AccountName, Passwords, add, change, disable, generate_password, list, read_scope, reset, scope_texts,
};
use crate::domain::{Role, Scope};
use crate::store::Store;

/// The longest line that is read as a password.
const MOST: u64 = 4096;

/// What to do with accounts.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Makes an account, with a password that is shown once.
    Add {
        #[command(flatten)]
        at: At,
        /// What its person is: viewer, operator, privacy or admin.
        #[arg(long)]
        role: String,
        /// Whose messages they see: `all`, a kommun code as in 1863, or one nämnd as in `1863:Socialnämnden`. It can be given several times.
        #[arg(long = "scope", value_name = "AREA", required = true)]
        scope: Vec<String>,
        /// Reads the password from the first line of standard input, instead of making one.
        #[arg(long)]
        password_stdin: bool,
        /// The name: of a-z, 0-9, . and -, beginning with a letter.
        name: String,
    },
    /// Lists accounts.
    List {
        #[command(flatten)]
        at: At,
    },
    /// Gives an account another role or another scope; its sessions end.
    Change {
        #[command(flatten)]
        at: At,
        /// The role from now on.
        #[arg(long, required_unless_present = "scope")]
        role: Option<String>,
        /// The areas from now on, instead of those that it has.
        #[arg(long = "scope", value_name = "AREA")]
        scope: Vec<String>,
        /// The name.
        name: String,
    },
    /// Keeps everybody from signing in with an account; its sessions end.
    Disable {
        #[command(flatten)]
        at: At,
        /// The name.
        name: String,
    },
    /// Gives an account a new password, which is shown once, and lets a disabled one sign in again; its sessions end.
    Reset {
        #[command(flatten)]
        at: At,
        /// Reads the password from the first line of standard input, instead of making one.
        #[arg(long)]
        password_stdin: bool,
        /// The name.
        name: String,
    },
}

pub(super) async fn run(command: Command, out: &mut dyn Write) -> Result<u8, CliError> {
    match command {
        Command::Add { at, role: given, scope, password_stdin, name } => {
            let new = (named(&name)?, role(&given)?, scoped(&scope)?);
            let (password, made) = password(password_stdin)?;
            let (opened, passwords) = (at.open().await?, Passwords::default());
            let account = on_store!(opened, |_journey, store| add(store, &passwords, &at.operator, new, &password).await)?;
            say(&at, "added", &account, made.then_some(&password), out)
        }
        Command::List { at } => {
            let opened = at.open().await?;
            on_store!(opened, |_journey, store| show(&at, store, out).await)
        }
        Command::Change { at, role: given, scope, name } => {
            let name = named(&name)?;
            let given = given.as_deref().map(role).transpose()?;
            let scope = if scope.is_empty() { None } else { Some(scoped(&scope)?) };
            let opened = at.open().await?;
            let account = on_store!(opened, |_journey, store| change(store, &at.operator, &name, given, scope).await)?;
            say(&at, "changed", &account, None, out)
        }
        Command::Disable { at, name } => {
            let (name, opened) = (named(&name)?, at.open().await?);
            let account = on_store!(opened, |_journey, store| disable(store, &at.operator, &name).await)?;
            say(&at, "disabled", &account, None, out)
        }
        Command::Reset { at, password_stdin, name } => {
            let name = named(&name)?;
            let (password, made) = password(password_stdin)?;
            let (opened, passwords) = (at.open().await?, Passwords::default());
            let account = on_store!(opened, |_journey, store| reset(store, &passwords, &at.operator, &name, &password).await)?;
            say(&at, "reset", &account, made.then_some(&password), out)
        }
    }
}

fn named(text: &str) -> Result<AccountName, CliError> {
    text.parse().map_err(|fault: crate::account::NameFault| CliError::Usage(fault.to_string()))
}

fn role(text: &str) -> Result<Role, CliError> {
    Role::from_stored(text).ok_or_else(|| CliError::Usage("a role is viewer, operator, privacy or admin".to_owned()))
}

fn scoped(texts: &[String]) -> Result<Scope, CliError> {
    read_scope(texts.iter().map(String::as_str)).map_err(|fault| CliError::Usage(fault.to_string()))
}

/// The password, and whether it was made here and nobody knows it yet.
fn password(from_stdin: bool) -> Result<(SecretString, bool), CliError> {
    if !from_stdin {
        return Ok((generate_password()?, true));
    }
    let mut line = String::new();
    let mut input = std::io::Read::take(std::io::stdin().lock(), MOST);
    input.read_line(&mut line)?;
    Ok((SecretString::from(line.trim_end_matches(['\r', '\n'])), false))
}

fn in_json(account: &Account) -> Value {
    json!({
        "account": account.name.as_str(), "role": account.role.as_str(), "scope": scope_texts(&account.scope),
        "createdAt": account.created_at.to_string(),
        "passwordAt": account.password_at.to_string(), "disabledAt": account.disabled_at.map(|at| at.to_string()),
    })
}

fn say(at: &At, done: &str, account: &Account, password: Option<&SecretString>, out: &mut dyn Write) -> Result<u8, CliError> {
    if at.json {
        let mut told = in_json(account);
        if let (Some(fields), Some(password)) = (told.as_object_mut(), password) {
            fields.insert("password".to_owned(), password.expose_secret().into());
        }
        writeln!(out, "{told}")?;
        return Ok(0);
    }
    writeln!(out, "The account {} is {done}.", account.name)?;
    if let Some(password) = password {
        writeln!(out, "Password, shown this once: {}", password.expose_secret())?;
        writeln!(out, "Give it to its person by a safe way; it is kept nowhere else.")?;
    }
    Ok(0)
}

async fn show<S: Store>(at: &At, store: &S, out: &mut dyn Write) -> Result<u8, CliError> {
    let accounts = list(store).await?;
    if at.json {
        writeln!(out, "{}", json!({ "accounts": accounts.iter().map(in_json).collect::<Vec<_>>() }))?;
        return Ok(0);
    }
    if accounts.is_empty() {
        writeln!(out, "There are no accounts. `brygga user add` makes one.")?;
        return Ok(0);
    }
    let mut table = table(&["account", "role", "scope", "password of", "disabled"]);
    for account in &accounts {
        table.add_row([
            account.name.to_string(),
            account.role.as_str().to_owned(),
            scope_texts(&account.scope).join(", "),
            account.password_at.to_string(),
            account.disabled_at.map_or_else(String::new, |at| at.to_string()),
        ]);
    }
    writeln!(out, "{table}")?;
    Ok(0)
}
