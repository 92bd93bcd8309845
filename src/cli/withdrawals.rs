//! `brygga withdrawals list`: the ledger of what was taken back, and how far each recipient has followed.

use std::io::Write;

use clap::Subcommand;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::place::{Beside, Place, on_store};
use super::table::table;
use super::{CliError, ContractsFrom};
use crate::domain::RecipientId;
use crate::store::{Store, Tx as _, Withdrawal, WithdrawalFilter, Withdrawals as _};

/// What to do with withdrawals.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Lists the ledger, the newest first.
    List {
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        from: ContractsFrom,
        /// Only what was taken back from this recipient, as in arbetsformedlingen or 1863.forsorjningsstod.
        #[arg(long, value_name = "RECIPIENT")]
        recipient: Option<String>,
        /// Only what its recipient has not acknowledged.
        #[arg(long)]
        open: bool,
        /// The most rows.
        #[arg(long, value_name = "ROWS", default_value_t = 1000)]
        limit: u32,
        /// One JSON object for machines.
        #[arg(long)]
        json: bool,
    },
}

pub(super) async fn run(command: Command, out: &mut dyn Write) -> Result<u8, CliError> {
    let Command::List { place, from, recipient, open, limit, json } = command;
    let filter = WithdrawalFilter { recipient: recipient.map(RecipientId::from_stored), open, limit: limit.into() };
    let opened = place.open(&from, Beside::AService).await?;
    on_store!(opened, |_journey, store| list(store, &filter, json, out).await)
}

async fn list<S: Store>(store: &S, filter: &WithdrawalFilter, json: bool, out: &mut dyn Write) -> Result<u8, CliError> {
    let mut tx = store.begin("withdrawals-list").await?;
    let rows = tx.withdrawals(filter).await?;
    tx.commit().await?;
    if json {
        let list: Vec<Value> = rows.iter().map(as_json).collect();
        writeln!(out, "{}", json!({ "withdrawals": list }))?;
        return Ok(0);
    }
    if rows.is_empty() {
        writeln!(out, "Nothing was taken back.")?;
        return Ok(0);
    }
    let mut table = table(&["recipient", "entry", "DELETE", "state", "since", "code", "message", "from"]);
    for row in &rows {
        let (number, login) = match &row.message {
            Some((number, login, _)) => (number.to_string(), login.to_string()),
            None => (String::new(), String::new()),
        };
        table.add_row([
            row.recipient.to_string(),
            row.position.0.to_string(),
            row.delete.map_or_else(String::new, |delete| delete.0.to_string()),
            row.step.as_str().to_owned(),
            since(row).to_string(),
            row.code.to_string(),
            number,
            login,
        ]);
    }
    writeln!(out, "{table}")?;
    writeln!(
        out,
        "Acknowledged means that the recipient has said that it has the DELETE; what it did with what it holds is not known."
    )?;
    Ok(0)
}

/// When the row took the state that it is in.
fn since(row: &Withdrawal) -> Timestamp {
    let last = [row.superseded_at, row.acknowledged_at, row.served_at].into_iter().flatten().next();
    last.unwrap_or(row.at).max(row.at)
}

fn as_json(row: &Withdrawal) -> Value {
    let time = |at: Option<Timestamp>| at.map(|at| at.to_string());
    let (number, login, id) = match &row.message {
        Some((number, login, id)) => (Some(number.0), Some(login.as_str()), Some(id.to_string())),
        None => (None, None, None),
    };
    json!({
        "recipient": row.recipient.as_str(), "position": row.position.0, "delete": row.delete.map(|delete| delete.0),
        "subject": row.subject.to_hex(), "state": row.step.as_str(), "code": row.code.as_str(), "at": row.at.to_string(),
        "lapsedAt": time(row.lapsed_at), "servedAt": time(row.served_at), "acknowledgedAt": time(row.acknowledged_at),
        "supersededAt": time(row.superseded_at), "message": number, "login": login, "messageId": id,
    })
}
