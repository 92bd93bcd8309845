//! The binary: parse, run, say what went wrong, exit.

use std::process::ExitCode;

use brygga::cli::{Cli, run};
use clap::Parser as _;

/// A report is many small trees, and a third of the processor time under load went into the system's allocator
/// (docs/performance.md).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    brygga::telemetry::start();
    let mut out = anstream::stdout().lock();
    match run(cli, &mut out) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            use std::io::Write as _;
            drop(writeln!(anstream::stderr().lock(), "brygga: {error:#}"));
            ExitCode::from(2)
        }
    }
}
