//! `brygga serve`: the service between real parts, as its configuration says.

use std::io::Write;
use std::path::PathBuf;

use super::{CliError, config};
use crate::app::production;

/// How the service is run.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The configuration.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
}

pub(super) async fn run(args: Args, out: &mut dyn Write) -> Result<u8, CliError> {
    let read = config::read(&args.config)?;
    let set = config::contracts(&read)?;
    writeln!(out, "Serving as {} says; http://{}/readyz tells how it is.", args.config.display(), read.management.listen)?;
    out.flush()?;
    production::serve(read, Some(args.config), set).await?;
    writeln!(out, "Stopped; everything that was acknowledged is in the store.")?;
    Ok(0)
}
