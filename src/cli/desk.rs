//! Where an operator works, and who it is: what the commands of operators have in common.

use clap::Args;

use super::place::{Beside, Place};
use super::{CliError, ContractsFrom};
use crate::app::Opened;
use crate::domain::Operator;

/// Where, who and how.
#[derive(Debug, Args)]
pub(super) struct At {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    from: ContractsFrom,
    /// Who looks or acts, for the audit log.
    #[arg(long, value_name = "NAME", env = "BRYGGA_OPERATOR", default_value = "operator")]
    pub(super) operator: String,
    /// One JSON object for machines.
    #[arg(long)]
    pub(super) json: bool,
}

impl At {
    /// Who looks or acts.
    pub(super) fn acting(&self) -> Operator {
        Operator::on_the_host(&self.operator)
    }

    /// Opens the store beside a service.
    pub(super) async fn open(&self) -> Result<Opened, CliError> {
        self.place.open(&self.from, Beside::AService).await
    }
}
