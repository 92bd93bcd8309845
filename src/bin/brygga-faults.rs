//! The same program with fail points in it, built by the fault runs alone (feature `faults`). Never install it.

use std::process::ExitCode;

use brygga::cli::{Cli, run};
use clap::Parser as _;

fn main() -> ExitCode {
    let cli = Cli::parse();
    brygga::telemetry::start();
    let mut out = anstream::stdout().lock();
    match run(cli, &mut out) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            use std::io::Write as _;
            drop(writeln!(anstream::stderr().lock(), "brygga-faults: {error:#}"));
            ExitCode::from(2)
        }
    }
}
