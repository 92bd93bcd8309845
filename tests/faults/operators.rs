//! What operators are shown once all is quiet: commands beside a process, kept with the logs and searched as they are.

use std::path::Path;

use serde_json::Value;

use super::brygga::Brygga;

/// How many dead letters are looked at; the others are shown in the same way.
const LETTERS: usize = 6;

/// Runs the commands and writes what they show to `operators.log` in the schedule's folder.
///
/// # Errors
/// In words, where a command says nothing, or not what is to be read.
pub(crate) async fn look(process: &Brygga, folder: &Path) -> Result<(), String> {
    let listed = process.ask(&["dead-letters", "list", "--json"]).await?;
    let mut lines = serde_json::Deserializer::from_slice(&listed).into_iter::<Value>();
    let letters = lines.next().and_then(Result::ok).ok_or("what `dead-letters list --json` says cannot be read")?;
    let numbers: Vec<String> = letters["deadLetters"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|letter| letter["message"].to_string().trim_matches('"').to_owned())
        .take(LETTERS)
        .collect();
    let mut shown = listed;
    for number in &numbers {
        shown.extend(process.ask(&["dead-letters", "show", number]).await?);
    }
    shown.extend(process.ask(&["audit", "export"]).await?);
    std::fs::write(folder.join("operators.log"), shown).map_err(|error| format!("operators.log: {error}"))
}
