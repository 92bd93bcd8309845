//! Floor 5: the command line. Every command prints a table for people and, with `--json`, one object for machines.
//!
//! Exit codes: 0 all is well, 1 the answer is no (something is refused, held, diverted, flawed), 2 the command could not be
//! run. A personnummer is never an argument: arguments stand in shell histories and process lists.

mod agreements;
mod audit;
mod breach;
mod check;
mod check_files;
mod config;
mod consents;
mod contracts;
mod dead_letters;
mod demo;
mod desk;
mod diff;
mod explain;
mod explain_since;
mod held;
mod keys;
mod letter;
mod letter_list;
mod migrate;
mod person;
mod place;
mod protection;
mod records;
mod restore;
mod retention;
mod serve;
mod subject;
mod table;
mod user;
mod withdrawals;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Parser, Subcommand};

use crate::agreement::Illustrations;
use crate::app::{FolderError, embedded};
use crate::config::{AddressError, ConfigFault, LoopbackAddr};
use crate::domain::{Files, Flaw};
use crate::journey::ContractSet;
use crate::store::StoreError;

/// Brygga: carries activity reports from a municipality to Arbetsförmedlingen, under an agreement and consent.
#[derive(Debug, Parser)]
#[command(version, about, arg_required_else_help = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs the whole way on made-up messages of four municipalities, and serves the feed.
    Demo(demo::Args),
    /// Runs the service between real parts, as its configuration says.
    Serve(serve::Args),
    /// Says what would become of message files, without sending anything.
    Check(check::Args),
    /// Message contracts: lint, list, xsd, diff.
    #[command(subcommand)]
    Contracts(contracts::Command),
    /// Agreements: list, show, diff.
    #[command(subcommand)]
    Agreements(agreements::Command),
    /// The audit chain: export, verify.
    #[command(subcommand)]
    Audit(audit::Command),
    /// Dead letters: groups, list, show, unmask, comment, retry, discard.
    #[command(subcommand)]
    DeadLetters(dead_letters::Command),
    /// Consents: list, record, revoke.
    #[command(subcommand)]
    Consents(consents::Command),
    /// The configuration: check.
    #[command(subcommand)]
    Config(config::Command),
    /// The whole story of a message: what decided, what each recipient sees, and what has happened since.
    Explain(explain::Args),
    /// Held reports: list.
    #[command(subcommand)]
    Held(held::Command),
    /// The keys that contents are sealed under: rotate.
    #[command(subcommand)]
    Keys(keys::Command),
    /// Brings the stores up to the schema of this version, before a service of it starts.
    Migrate(migrate::Args),
    /// Writes the records of processing (GDPR art. 30) and a draft of an impact assessment (art. 35).
    Records(records::Args),
    /// Protected identities: list, lift, rerun, discard.
    #[command(subcommand)]
    Protection(protection::Command),
    /// After a restore: accept.
    #[command(subcommand)]
    Restore(restore::Command),
    /// After a breach: export.
    #[command(subcommand)]
    Breach(breach::Command),
    /// What may be kept no longer: run.
    #[command(subcommand)]
    Retention(retention::Command),
    /// What a participant has asked for: export, erase.
    #[command(subcommand)]
    Subject(subject::Command),
    /// The people who may sign in to the console: add, list, change, disable, reset.
    #[command(subcommand)]
    User(user::Command),
    /// What was taken back from recipients: list.
    #[command(subcommand)]
    Withdrawals(withdrawals::Command),
}

/// Why a command could not be run.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// The data folder.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// What a configuration names.
    #[error(transparent)]
    Open(#[from] crate::app::OpenFault),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The content may not be used as it is.
    #[error(transparent)]
    Behind(#[from] crate::app::restore::Behind),
    /// An erasure.
    #[error(transparent)]
    Erasure(#[from] crate::app::erasure::ErasureFault),
    /// The spool.
    #[error(transparent)]
    Spool(#[from] crate::spool::SpoolError),
    /// The audit chain.
    #[error(transparent)]
    Audit(#[from] crate::audit::AuditFault),
    /// An account.
    #[error(transparent)]
    Account(#[from] crate::account::AccountError),
    /// The file system.
    #[error("{0}")]
    Files(#[from] std::io::Error),
    /// An address.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// A scenario.
    #[error(transparent)]
    Scenario(#[from] crate::app::ScenarioError),
    /// The service.
    #[error(transparent)]
    Serve(#[from] crate::app::production::ServeError),
    /// The configuration has faults.
    #[error("{0} has {count} fault(s):\n{told}", count = .1.len(), told = .1.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Config(String, Vec<ConfigFault>),
    /// The contract set has flaws.
    #[error("the contracts have {} flaw(s):\n{}", .0.len(), .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Flaws(Vec<Flaw>),
    /// A document.
    #[error(transparent)]
    Page(#[from] crate::page::PageError),
    /// Something else that the user can mend.
    #[error("{0}")]
    Usage(String),
}

/// Where a contract set is taken from.
#[derive(Debug, Clone, clap::Args)]
pub struct ContractsFrom {
    /// A folder of contracts, instead of the ones built into this program.
    #[arg(long, value_name = "DIR", env = "BRYGGA_CONTRACTS")]
    contracts: Option<PathBuf>,
}

impl ContractsFrom {
    fn files(&self) -> Result<Files, CliError> {
        match &self.contracts {
            Some(folder) => {
                embedded::contracts_from(folder).map_err(|error| CliError::Usage(format!("{}: {error}", folder.display())))
            }
            None => Ok(embedded::contracts()),
        }
    }

    fn load(&self, illustrations: Illustrations) -> Result<Arc<ContractSet>, CliError> {
        ContractSet::load(&self.files()?, illustrations).map(Arc::new).map_err(CliError::Flaws)
    }

    fn folder(&self) -> Option<&Path> {
        self.contracts.as_deref()
    }
}

/// Runs a command; gives the exit code.
///
/// # Errors
/// Where the command could not be run.
pub fn run(cli: Cli, out: &mut dyn Write) -> Result<u8, CliError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        match cli.command {
            Command::Demo(args) => demo::run(args, out).await,
            Command::Serve(args) => serve::run(args, out).await,
            Command::Check(args) => check::run(args, out).await,
            Command::Contracts(command) => contracts::run(command, out).await,
            Command::Agreements(command) => agreements::run(command, out).await,
            Command::Audit(command) => audit::run(command, out).await,
            Command::DeadLetters(command) => dead_letters::run(command, out).await,
            Command::Consents(command) => consents::run(command, out).await,
            Command::Config(command) => config::run(command, out),
            Command::Explain(args) => explain::run(args, out).await,
            Command::Held(command) => held::run(command, out).await,
            Command::Keys(command) => keys::run(command, out).await,
            Command::Migrate(args) => migrate::run(args, out).await,
            Command::Records(args) => records::run(&args, out),
            Command::Protection(command) => protection::run(command, out).await,
            Command::Restore(command) => restore::run(command, out).await,
            Command::Breach(command) => breach::run(command, out).await,
            Command::Retention(command) => retention::run(command, out).await,
            Command::Subject(command) => subject::run(command, out).await,
            Command::User(command) => user::run(command, out).await,
            Command::Withdrawals(command) => withdrawals::run(command, out).await,
        }
    })
}

fn listen(text: &str) -> Result<LoopbackAddr, AddressError> {
    text.parse()
}
