//! `brygga demo`: the whole way on made-up messages, as suppliers would have dropped them, on a data folder of its own.

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::json;
use tokio::sync::watch;

use super::table::{MARK, WORDS, agreement, table};
use super::{CliError, ContractsFrom, listen};
use crate::agreement::Illustrations;
use crate::app::{DataFolder, LinkedConsole, Scenario, ScenarioMessage, Service, embedded, restore};
use crate::config::LoopbackAddr;
use crate::domain::{Code, ContractRef, RecipientId, Role};
use crate::http::{Bound, FeedOf};
use crate::journey::{Journey, Outcome};
use crate::spool::{Inbox, Outbox, SpoolFolders};
use crate::store::sqlite::SqliteStore;
use crate::store::{Census, LegRow, MessageState, Store as _, StoredMessage, Tx as _};

/// How the demo is run.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Ends when everything is processed, instead of serving until Ctrl-C.
    #[arg(long)]
    once: bool,
    /// One JSON object for machines; together with --once.
    #[arg(long, requires = "once")]
    json: bool,
    /// The data folder; kept, so that a second run finds only duplicates.
    #[arg(long, value_name = "DIR", default_value = "brygga-data")]
    data: PathBuf,
    /// Where Arbetsförmedlingen's feed is served, without TLS and therefore on loopback alone.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8480", value_parser = listen)]
    listen: LoopbackAddr,
    /// Where the operators' console is shown, without TLS and therefore on loopback alone.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8481", value_parser = listen)]
    console: LoopbackAddr,
    #[command(flatten)]
    from: ContractsFrom,
}

/// One message of the demo and what became of it.
struct Line {
    order: String,
    login: String,
    contract: ContractRef,
    outcome: Outcome,
}

pub(super) async fn run(args: Args, out: &mut dyn Write) -> Result<u8, CliError> {
    let scenario = Scenario::read(embedded::demo().iter().copied())?;
    let set = args.from.load(Illustrations::All)?;
    // Whatever can be refused is refused before anything is touched.
    let bound = if args.once { None } else { Some((Bound::bind(args.listen).await?, LinkedConsole::bind(args.console)?)) };
    let folder = DataFolder::hold(&args.data)?;
    let store = folder.store(Some(scenario.instant)).await?;
    let spool = folder.spool();
    let senders = set.catalogue.parties().senders();
    spool.make(senders.iter().map(|sender| sender.login.as_str()))?;
    let vault = folder.vault().await?;
    restore::check(&store, &vault).await?;
    let journey = Journey::new(Arc::clone(&set), folder.keys()?, vault);
    let inbox = Inbox::new(spool.clone()).at(scenario.instant);
    let service = Service::new(journey, store, inbox, Outbox::new(spool.clone()));
    if !args.json {
        writeln!(out, "Brygga demo in {}: {}.", args.data.display(), scenario.title)?;
        writeln!(
            out,
            "The clock stands at {}. Most of its agreements are illustrative: nobody has signed them.",
            scenario.instant
        )?;
    }
    let lines = drop_all(&service, &spool, &scenario, args.json, out).await?;
    let census = service.census().await?;
    if args.json {
        writeln!(out, "{}", summary(&service, &scenario, &lines, &census).await?)?;
    } else {
        print_table(&service, &lines, out).await?;
        print_sums(&census, out)?;
    }
    if let Some(bound) = bound {
        serve(service, bound, &args, &spool, out).await?;
    }
    Ok(u8::from(!census.adds_up()))
}

/// Drops each message into its sender's folder, as a supplier would: written under another name, then renamed.
async fn drop_all(
    service: &Service,
    spool: &SpoolFolders,
    scenario: &Scenario,
    quiet: bool,
    out: &mut dyn Write,
) -> Result<Vec<Line>, CliError> {
    let mut lines = Vec::new();
    for message in &scenario.messages {
        drop_one(spool, message)?;
        for outcome in service.turn().await? {
            lines.push(Line {
                order: message.order.clone(),
                login: message.login.to_string(),
                contract: message.name.contract.clone(),
                outcome,
            });
        }
        if !quiet && lines.len() % 10 == 0 {
            writeln!(out, "  {} of {} messages taken", lines.len(), scenario.messages.len())?;
        }
    }
    Ok(lines)
}

fn drop_one(spool: &SpoolFolders, message: &ScenarioMessage) -> Result<(), CliError> {
    let folder = spool.inbox().join(message.login.as_str());
    std::fs::create_dir_all(&folder)?;
    let name = message.name.name();
    let temporary = folder.join(format!(".{name}.tmp"));
    std::fs::write(&temporary, &message.bytes)?;
    std::fs::rename(temporary, folder.join(name))?;
    Ok(())
}

async fn look(store: &SqliteStore, outcome: &Outcome) -> Result<Option<(StoredMessage, Vec<LegRow>)>, CliError> {
    let mut tx = store.begin("demo-look").await?;
    let Some(stored) = tx.message(outcome.number()).await? else { return Ok(None) };
    let legs = tx.legs(outcome.number()).await?;
    tx.commit().await?;
    Ok(Some((stored, legs)))
}

async fn print_table(service: &Service, lines: &[Line], out: &mut dyn Write) -> Result<(), CliError> {
    let mut table = table(&["message", "from", "recipient", "outcome", "code", WORDS]);
    for line in lines {
        let Some((stored, legs)) = look(service.store(), &line.outcome).await? else { continue };
        let mut head = [format!("{} {}", line.order, line.contract.name()), line.login.clone()];
        // Only a message's first row names it.
        let mut row = |recipient: &str, outcome: &str, code: Option<Code>| {
            let words = code.map_or_else(String::new, |code| code.words().to_owned());
            let code = code.map_or_else(String::new, |code| code.to_string());
            [std::mem::take(&mut head).to_vec(), vec![recipient.to_owned(), outcome.to_owned(), code, words]].concat()
        };
        if matches!(line.outcome, Outcome::Duplicate(_)) {
            table.add_row(row("", "duplicate", None));
            continue;
        }
        match stored.message.state {
            // Reports on protected identities are a number below and nothing else.
            MessageState::Diverted => {}
            MessageState::Journey => {
                for leg in legs {
                    let outcome = match leg.documents {
                        0 => leg.state.as_str().to_owned(),
                        count => format!("{} ({count})", leg.state.as_str()),
                    };
                    let mark = if agreement_of(&leg).ends_with(MARK) { " *" } else { "" };
                    table.add_row(row(leg.id.recipient.as_str(), &format!("{outcome}{mark}"), leg.code));
                }
            }
            state => {
                let code = stored.message.violations.first().map(|(code, _)| *code);
                table.add_row(row("", state.as_str(), code));
            }
        }
    }
    writeln!(out, "{table}")?;
    writeln!(out, "(n) is the number of documents. * under an illustrative agreement, which nobody has signed.\n")?;
    Ok(())
}

/// The agreement that decided a leg, marked where nobody has signed it.
fn agreement_of(leg: &LegRow) -> String {
    let basis: serde_json::Value = serde_json::from_str(&leg.basis).unwrap_or_default();
    let text = |name: &str| basis.get(name).and_then(serde_json::Value::as_str).unwrap_or_default().to_owned();
    let status = match text("status").as_str() {
        "illustrative" => crate::agreement::Status::Illustrative,
        _ => crate::agreement::Status::Signed,
    };
    agreement(&text("agreement"), status)
}

fn print_sums(census: &Census, out: &mut dyn Write) -> Result<(), CliError> {
    writeln!(
        out,
        "Messages: {} received = {} duplicates + {} refused + {} diverted + {} recorded + {} journeys",
        census.received, census.duplicates, census.refused, census.diverted, census.recorded, census.journeys
    )?;
    writeln!(
        out,
        "Legs:     {} = {} published + {} held + {} refused + {} superseded + {} withdrawn",
        census.fan_out, census.published, census.held, census.legs_refused, census.superseded, census.withdrawn
    )?;
    if !census.adds_up() {
        writeln!(out, "The sums do not add up: law 6 is broken.")?;
    }
    Ok(())
}

async fn summary(
    service: &Service,
    scenario: &Scenario,
    lines: &[Line],
    census: &Census,
) -> Result<serde_json::Value, CliError> {
    let mut messages = Vec::new();
    let mut duplicates = 0;
    for line in lines {
        let is_duplicate = matches!(line.outcome, Outcome::Duplicate(_));
        duplicates += usize::from(is_duplicate);
        let Some((stored, legs)) = look(service.store(), &line.outcome).await? else { continue };
        if stored.message.state == MessageState::Diverted {
            continue;
        }
        let legs: Vec<_> = legs
            .iter()
            .map(|leg| {
                json!({
                    "recipient": leg.id.recipient.as_str(), "state": leg.state.as_str(), "code": leg.code.map(Code::as_str),
                    "documents": leg.documents, "agreement": agreement_of(leg),
                })
            })
            .collect();
        let violations: Vec<_> = stored.message.violations.iter().map(|(code, place)| format!("{code} {place}")).collect();
        let outcome = if is_duplicate { "duplicate" } else { stored.message.state.as_str() };
        messages.push(
            json!({ "message": line.order, "login": line.login, "outcome": outcome, "violations": violations, "legs": legs }),
        );
    }
    Ok(json!({
        "instant": scenario.instant.to_string(),
        "received": census.received, "duplicates": census.duplicates, "refused": census.refused, "diverted": census.diverted,
        "recorded": census.recorded, "journeys": census.journeys,
        "legs": {
            "published": census.published, "held": census.held, "refused": census.legs_refused,
            "superseded": census.superseded, "withdrawn": census.withdrawn,
        },
        "thisRun": { "received": lines.len(), "duplicates": duplicates },
        "messages": messages,
    }))
}

async fn serve(
    service: Service,
    (bound, console): (Bound, LinkedConsole),
    args: &Args,
    spool: &SpoolFolders,
    out: &mut dyn Write,
) -> Result<(), CliError> {
    let (stop, stopping) = watch::channel(false);
    let (link, shown) = console.open(service.store().clone(), Role::Operator, stopping.clone()).await?;
    let address = bound.address()?;
    writeln!(out, "\nArbetsförmedlingen's feed:  http://{address}/v1/feed")?;
    writeln!(out, "  curl 'http://{address}/v1/feed?limit=5'")?;
    writeln!(out, "The operators' console:  {link}")?;
    writeln!(out, "  (the link is good once; it signs in as the account demo)")?;
    writeln!(out, "Drop a file into:           {}", spool.inbox().join("<login>").join("<contract>.<uuid>.json").display())?;
    writeln!(out, "Collect what goes back in:  {}", spool.outbox().display())?;
    writeln!(out, "What was refused:           brygga dead-letters list --data {}", args.data.display())?;
    writeln!(out, "Serving until Ctrl-C.")?;
    out.flush()?;
    let shown = tokio::spawn(shown);
    let feed = FeedOf {
        journey: service.journey().clone(),
        store: service.store().clone(),
        recipient: RecipientId::arbetsformedlingen(),
        stopping: stopping.clone(),
    };
    let store = service.store().clone();
    let work = tokio::spawn(service.work(stopping.clone()));
    let mut stopped = stopping;
    let served = tokio::spawn(bound.serve(feed, async move {
        drop(stopped.wait_for(|stop| *stop).await);
    }));
    crate::shutdown::requested().await;
    stop.send_replace(true);
    drop(work.await);
    drop(shown.await);
    served.await.map_err(|_| CliError::Usage("the feed's task failed".to_owned()))??;
    store.close().await;
    writeln!(out, "Stopped; everything that was taken is in the data folder.")?;
    Ok(())
}
