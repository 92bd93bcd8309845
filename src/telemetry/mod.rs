//! Floor 1: what is logged. Ids of messages, codes and counts; never contents, never anything of a person.

mod access_event;
mod audit_event;
mod broker;
mod contracts_event;
mod event;
mod feed_event;
mod health;
mod numbers;
mod relay_event;

pub use access_event::SignInRefused;
pub use audit_event::CheckpointWritten;
pub use broker::{BrokerAway, BrokerReached, EnvelopeRefused, NotAcknowledged, RunAlone};
pub use contracts_event::{ContractsKept, ContractsRenewed};
pub use event::{
    Committed, Event, FileStuck, FileUnreadable, MessageTaken, PartFailed, PutOff, RetentionRan, Started, Stopped, Swept,
    Waiting,
};
pub use feed_event::{AcceptFailed, ClientRefused, HandshakeFailed, RevocationUnchecked, TrustKept, TrustRenewed};
pub use health::{Health, Part, PartState, PartView};
pub use numbers::{FeedNumbers, Numbers};
pub use relay_event::{EntryDelivered, EntryRefused, SystemFilesKept, SystemFilesRenewed};

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::FmtSpan;

/// The environment variable that sets which lines are logged, in `tracing`'s directives.
pub const LOG_VARIABLE: &str = "BRYGGA_LOG";

/// Starts logging to standard error: for people on a terminal, as JSON lines elsewhere. Warnings alone unless
/// [`LOG_VARIABLE`] says otherwise.
pub fn start() {
    let filter = EnvFilter::try_from_env(LOG_VARIABLE).unwrap_or_else(|_| EnvFilter::new("warn"));
    let builder =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_span_events(FmtSpan::NONE);
    // The words of a panic can quote a value; where it happened cannot.
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map_or_else(String::new, ToString::to_string);
        tracing::error!(panic.place = place, "the program has failed on something; it goes on with the rest");
    }));
    // A second start, in a test binary, keeps the first.
    let started = if std::io::stderr().is_terminal() { builder.try_init() } else { builder.json().try_init() };
    drop(started);
}
