//! Where a command works: a data folder, or what a configuration names; and which contracts it judges by there.

use std::path::PathBuf;
use std::sync::Arc;

use super::{CliError, ContractsFrom, config};
use crate::agreement::Illustrations;
use crate::app::{DataFolder, Opened};
use crate::journey::Journey;

/// A data folder or a configuration: exactly one.
#[derive(Debug, clap::Args)]
#[group(id = "place", required = true, multiple = false)]
pub(super) struct Place {
    /// The data folder.
    #[arg(long, value_name = "DIR")]
    pub(super) data: Option<PathBuf>,
    /// The service's configuration; its contracts are used, whatever --contracts says.
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
}

/// How a data folder is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Beside {
    /// Beside a service that may hold it.
    AService,
    /// While no service may hold it.
    Nobody,
}

impl Place {
    /// Opens the store with the way over it. The contracts are those that the configuration names, or else `from`.
    pub(super) async fn open(&self, from: &ContractsFrom, beside: Beside) -> Result<Opened, CliError> {
        if let Some(path) = &self.config {
            let read = config::read(path)?;
            let set = Arc::new(config::contracts(&read)?);
            return Ok(match beside {
                Beside::AService => crate::app::beside(&read, &set).await?,
                Beside::Nobody => crate::app::alone(&read, &set).await?,
            });
        }
        let path = self.data.as_deref().unwrap_or_else(|| std::path::Path::new("brygga-data"));
        // A folder that is not there is not made.
        let mut folder = DataFolder::beside(path)?;
        if beside == Beside::Nobody {
            folder = DataFolder::hold(path)?;
        }
        let set = from.load(Illustrations::All)?;
        let store = folder.store(None).await?;
        let journey = Journey::new(set, folder.keys()?, folder.vault().await?);
        Ok(Opened::Embedded { folder, journey, store })
    }
}

/// Does the same on whichever store was opened: `on_store!(opened, |journey, store| …)`.
macro_rules! on_store {
    ($opened:expr, |$journey:ident, $store:ident| $body:expr) => {
        match &$opened {
            $crate::app::Opened::Embedded { journey: $journey, store: $store, .. } => $body,
            $crate::app::Opened::Postgres { journey: $journey, store: $store } => {
                let $store = &$store.console();
                $body
            }
        }
    };
}

pub(super) use on_store;
