//! Whom a command is about: a personnummer is never an argument, since arguments stand in shell histories and process lists.

use std::io::{BufRead as _, IsTerminal as _, Write as _};

use jiff::Timestamp;

use super::CliError;
use crate::domain::{Keys, PersonKey, PersonNumber, date_of};

/// Reads a personnummer or samordningsnummer from standard input, or asks for it where a person sits there.
pub(super) fn read(keys: &dyn Keys, now: Timestamp) -> Result<(PersonNumber, PersonKey), CliError> {
    let input = std::io::stdin();
    if input.is_terminal() {
        std::io::stderr().write_all(b"Personnummer: ")?;
    }
    let mut line = String::new();
    input.lock().read_line(&mut line)?;
    let number = PersonNumber::parse(line.trim(), date_of(now))
        .map_err(|_| CliError::Usage("standard input has no valid personnummer or samordningsnummer".to_owned()))?;
    let person = keys.person(&number);
    Ok((number, person))
}
