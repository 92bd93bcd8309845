//! `brygga serve`: every part of a service on one configuration, started in order, kept up, and stopped together.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBuilder};
use tokio::net::TcpListener;
use tokio::sync::watch;
use uuid::Uuid;

use super::checked::{self, NamedFault};
use super::checkpoints::{Checkpoints, WriteFault};
use super::desk::{ConsoleFault, ConsoleParts};
use super::drops::take_drops;
use super::opened::{OpenFault, Opened, open};
use super::parts::Parts;
use super::relays::Relays;
use super::reload::{ContractsPlace, keep_contracts};
use super::retention::retain;
use super::sampler::sample;
use super::sweeper::sweep;
use super::tireless::tirelessly;
use crate::amqp::{AmqpCourier, AmqpIntake};
use crate::audit::SigningKey;
use crate::config::{ACKNOWLEDGE_WITHIN_HOURS, Config, FeedConfig};
use crate::domain::RecipientId;
use crate::http::management::{self, Management};
use crate::http::{Api, TlsPlace, Trust, TrustFault};
use crate::journey::{ContractSet, Journey};
use crate::remote::SystemFault;
use crate::shutdown::Hangups;
use crate::spool::{Inbox, Outbox, SpoolFolders};
use crate::store::{Clock, Store, StoreError};
use crate::telemetry::{Event as _, Health, Numbers, Part, PartFailed, Started, Stopped, Waiting};

/// The longest pause between two tries to open the stores at the start.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// How often a data folder's checkpoints are written where nothing else is said.
const EVERY: Duration = Duration::from_hours(1);

/// How long the parts may take to end once the service is told to stop. A batch that has begun is ended within it.
const LAST_WORK: Duration = Duration::from_secs(30);

/// Why a service cannot be started as it is configured: a person has to mend it.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// What the configuration names.
    #[error("what the configuration names has {} fault(s):\n{}", .0.len(), .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Named(Vec<NamedFault>),
    /// An address cannot be listened on.
    #[error("{0} cannot be listened on: {1}")]
    Listen(std::net::SocketAddr, std::io::Error),
    /// Certificates or lists.
    #[error("the feed's certificates cannot be used:\n{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Trust(Vec<TrustFault>),
    /// The operators' console.
    #[error(transparent)]
    Console(#[from] ConsoleFault),
    /// The broker's certificates.
    #[error("the broker's certificates cannot be used: {0}")]
    Broker(#[from] crate::amqp::TlsFault),
    /// A system's certificates.
    #[error("the certificates for {0} cannot be used: {1}")]
    System(RecipientId, SystemFault),
    /// The spool's folders.
    #[error("the spool's folders cannot be made: {0}")]
    Spool(std::io::Error),
    /// The key of the checkpoints.
    #[error("audit.signing_key cannot be used: {0}")]
    SigningKey(#[from] crate::audit::CheckpointFault),
    /// The stores.
    #[error(transparent)]
    Open(#[from] OpenFault),
    /// A part has ended that nobody told to; the others were stopped in order.
    #[error("the part {0} of the service has failed; the log says where")]
    Part(&'static str),
}

/// What every part of a service is given.
struct Common {
    journey: Journey,
    health: Health,
    numbers: Arc<Numbers>,
    /// Whose the leases are.
    owner: String,
    hangups: Hangups,
    contracts: KeptContracts,
    stopping: watch::Receiver<bool>,
}

/// What keeps the contracts as their folder says.
struct KeptContracts {
    place: ContractsPlace,
    part: Part,
    hangups: Hangups,
}

/// The handles of one store: what one kind of work holds too long, another does not wait for.
struct Handles<S> {
    intake: S,
    feed: S,
    console: S,
}

/// Serves until told to stop. The management listener answers first, so that one can see what the others wait for.
///
/// # Errors
/// What a person has to mend; everything else is waited out.
pub async fn serve(config: Config, source: Option<PathBuf>, set: ContractSet) -> Result<(), ServeError> {
    let faults = checked::check(&config, Some(&set));
    if !faults.is_empty() {
        return Err(ServeError::Named(faults));
    }
    let (health, numbers) = (Health::default(), Arc::new(Numbers::default()));
    let (stop, stopping) = watch::channel(false);
    // From here on the signal kills nobody, and none is lost.
    let (hangups, reloads) = (Hangups::listen(), Hangups::listen());
    let (contracts, store) = (health.part("contracts", false), health.part("store", true));
    contracts.up();
    let (folder, illustrations) = (config.contracts.folder.clone(), config.contracts.illustrations.clone());
    let place = ContractsPlace { folder, illustrations };
    let contracts = KeptContracts { place, part: contracts, hangups: reloads };
    // Whatever can be refused is refused before anything is touched.
    let listener = bind(config.management.listen).await?;
    let feed = match &config.feed {
        Some(feed) => Some(feed_parts(feed, source, &health)?),
        None => None,
    };
    let console = config.console.as_ref().map(|console| ConsoleParts::take(console, &health)).transpose()?;
    let signed = match &config.audit {
        Some(audit) => Some(Checkpoints::new(audit.checkpoints.clone(), SigningKey::read(&audit.signing_key)?)),
        None => None,
    };
    let mut parts = Parts::default();
    let management = Management { health: health.clone(), numbers: Arc::clone(&numbers), now: || Clock::System.now() };
    let mut stopped = stopping.clone();
    parts.spawn("management", async move {
        let until = async move { drop(stopped.wait_for(|stop| *stop).await) };
        // Its failing is told by whoever looks at it and finds nobody.
        drop(management::serve(listener, management, until).await);
    });
    Started { management: config.management.listen }.emit();
    let told = stop.clone();
    tokio::spawn(async move {
        crate::shutdown::requested().await;
        told.send_replace(true);
    });
    let set = Arc::new(set);
    // The data folder is held until the last part has ended.
    let mut held = None;
    if let Some(opened) = wait_for_stores(&config, &set, &store, stopping.clone()).await? {
        match opened {
            Opened::Embedded { folder, journey, store: content } => {
                let signed = signed.map_or_else(|| folder.checkpoints().map_err(OpenFault::from), Ok)?;
                held = Some(folder);
                // One service holds a folder, so whatever lease is found in it is its own.
                let owner = "the service of this folder".to_owned();
                let common = Common { journey, health, numbers, owner, hangups, contracts, stopping: stopping.clone() };
                let handles = Handles { intake: content.clone(), feed: content.clone(), console: content };
                keep_checkpoints(&config, Some(signed), &common, &handles.console, &mut parts);
                show_console(console, &common, &handles.console, &mut parts)?;
                start(&config, common, handles, store, feed, &mut parts)?;
            }
            Opened::Postgres { journey, store: content } => {
                // Told from every other process and from this one's earlier life.
                let owner = Uuid::now_v7().to_string();
                let common = Common { journey, health, numbers, owner, hangups, contracts, stopping: stopping.clone() };
                let handles = Handles { intake: content.intake(), feed: content.feed(), console: content.console() };
                keep_checkpoints(&config, signed, &common, &handles.console, &mut parts);
                show_console(console, &common, &handles.console, &mut parts)?;
                start(&config, common, handles, store, feed, &mut parts)?;
            }
        }
    }
    let failed = end(parts, &stop).await;
    drop(held);
    failed.map_or(Ok(()), |part| Err(ServeError::Part(part)))
}

async fn bind(address: std::net::SocketAddr) -> Result<TcpListener, ServeError> {
    TcpListener::bind(address).await.map_err(|error| ServeError::Listen(address, error))
}

/// Where the feed is read and whom it trusts. Nobody is heard there before the stores are open: a reader that is refused asks
/// again, and one that nobody answers waits.
struct FeedParts {
    place: TlsPlace,
    trust: Trust,
}

fn feed_parts(feed: &FeedConfig, source: Option<PathBuf>, health: &Health) -> Result<FeedParts, ServeError> {
    let trust = Trust::open(&feed.tls, source, health).map_err(ServeError::Trust)?;
    let place = TlsPlace::take(feed.listen).map_err(|error| ServeError::Listen(feed.listen, error))?;
    Ok(FeedParts { place, trust })
}

/// Opens the stores, waiting for them as long as it takes. `None` where the service was stopped meanwhile.
async fn wait_for_stores(
    config: &Config,
    set: &Arc<ContractSet>,
    part: &Part,
    mut stopping: watch::Receiver<bool>,
) -> Result<Option<Opened>, ServeError> {
    let mut pauses = ExponentialBuilder::default().with_max_delay(LONGEST_WAIT).with_jitter().without_max_times().build();
    loop {
        let fault = match open(config, set).await {
            Ok(opened) => return Ok(Some(opened)),
            Err(OpenFault::Store(fault @ StoreError::Away(_))) => fault,
            Err(fault) => return Err(fault.into()),
        };
        if part.down(fault.to_string()) {
            Waiting { part: "store", cause: &fault }.emit();
        }
        tokio::select! {
            () = tokio::time::sleep(pauses.next().unwrap_or(LONGEST_WAIT)) => {}
            _ = stopping.changed() => return Ok(None),
        }
    }
}

/// Starts every part that the configuration names.
fn start<S: Store>(
    config: &Config,
    common: Common,
    handles: Handles<S>,
    store: Part,
    feed: Option<FeedParts>,
    parts: &mut Parts,
) -> Result<(), ServeError> {
    let Common { journey, health, numbers, owner, hangups, contracts, stopping } = common;
    let KeptContracts { place, part, hangups: reloads } = contracts;
    let kept = keep_contracts(place, journey.clone(), handles.console.clone(), part, reloads, stopping.clone());
    parts.spawn("contracts", kept);
    parts.spawn("sweep", sweep(journey.clone(), handles.intake.clone(), store, stopping.clone()));
    let (rules, console) = (config.retention.clone(), handles.console.clone());
    parts.spawn("retention", retain(journey.clone(), console, rules, Arc::clone(&numbers), stopping.clone()));
    let unsaid = Duration::from_secs(ACKNOWLEDGE_WITHIN_HOURS.saturating_mul(3_600));
    let patience = config.feed.as_ref().map_or(unsaid, |feed| feed.acknowledge_within);
    parts.spawn("numbers", sample(handles.console, Arc::clone(&numbers), patience, stopping.clone()));
    if let (Some(feed), Some(settings)) = (feed, &config.feed) {
        let api = Api::new(journey.clone(), handles.feed.clone(), settings.limits, &settings.about, stopping.clone())
            .counted_in(Arc::clone(&numbers));
        parts.spawn("feed.tls", feed.trust.clone().watch(stopping.clone()));
        parts.spawn("hangup", reload_on_hangup(feed.trust.clone(), hangups, stopping.clone()));
        let bound = feed.place.listen().map_err(|error| ServeError::Listen(settings.listen, error))?;
        parts.spawn("feed", bound.serve(api, feed.trust, settings.connections, stopping.clone()));
    }
    let (mut courier, mut outbox) = (None, None);
    if let Some(amqp) = &config.amqp {
        let intake = AmqpIntake::new(amqp.clone(), &journey, &handles.intake, &health, &numbers)?;
        parts.spawn("amqp.in", intake.run(stopping.clone()));
        courier = Some(AmqpCourier::new(amqp, &health)?);
    }
    if let Some(spool) = &config.spool {
        let folders = SpoolFolders::new(&spool.folder);
        let part = health.part("spool", true);
        let senders = journey.set().catalogue.parties().senders();
        folders.make(senders.iter().map(|sender| sender.login.as_str())).map_err(ServeError::Spool)?;
        outbox = Some(Outbox::new(folders.clone()));
        let inbox = Inbox::new(folders);
        parts.spawn("spool", take_drops(inbox, journey.clone(), handles.intake.clone(), part, stopping.clone()));
    }
    let store = handles.feed;
    let relays = Relays { journey, store, health, numbers, owner, stopping: stopping.clone() };
    let started = relays.start(&config.relays, courier.as_ref(), outbox.as_ref(), parts);
    started.map_err(|(recipient, fault)| ServeError::System(recipient, fault))?;
    if let Some(courier) = courier {
        parts.spawn("amqp.out", courier.keep(stopping));
    }
    Ok(())
}

/// Shows the operators' pages, where it is said where.
fn show_console<S: Store>(
    console: Option<ConsoleParts>,
    common: &Common,
    store: &S,
    parts: &mut Parts,
) -> Result<(), ConsoleFault> {
    console.map_or(Ok(()), |console| console.start(store.clone(), &common.health, &common.stopping, parts))
}

/// Writes checkpoints of the audit chain now and then, where it is said where to.
fn keep_checkpoints<S: Store>(config: &Config, to: Option<Checkpoints>, common: &Common, store: &S, parts: &mut Parts) {
    let Some(to) = to else { return };
    let every = config.audit.as_ref().map_or(EVERY, |audit| audit.every);
    let (part, store) = (common.health.part("checkpoints", false), store.clone());
    let turn = move || {
        let (to, store) = (to.clone(), store.clone());
        async move { to.write(&store).await.map(|_| false) }
    };
    let at_least = |_: &WriteFault| Duration::ZERO;
    parts.spawn("checkpoints", tirelessly("checkpoints", part, every, common.stopping.clone(), at_least, turn));
}

/// Certificates, lists and clients are read again when a person says so (SIGHUP), besides when their files change.
async fn reload_on_hangup(trust: Trust, mut hangups: Hangups, mut stopping: watch::Receiver<bool>) {
    loop {
        tokio::select! {
            () = hangups.next() => {
                let trust = trust.clone();
                // It reads files. What came of it is in the log and in the part's health.
                drop(tokio::task::spawn_blocking(move || trust.reload()).await);
            }
            _ = stopping.changed() => return,
        }
    }
}

/// Waits until the service is told to stop, or until a part ends that nobody told to, and then for all parts, within bounds.
/// Gives the part that has failed.
async fn end(mut parts: Parts, stop: &watch::Sender<bool>) -> Option<&'static str> {
    let mut stopping = stop.subscribe();
    let told = async { drop(stopping.wait_for(|stop| *stop).await) };
    let failed = tokio::select! {
        biased;
        () = told => None,
        part = parts.ended() => part,
    };
    // It may have been told between the two looks, and a part have obeyed.
    let failed = failed.filter(|_| !*stop.borrow());
    if let Some(part) = failed {
        // Without one of its parts a service would look well and do half of its work: whoever keeps it starts it anew.
        PartFailed { part }.emit();
        stop.send_replace(true);
    }
    let all = async { while parts.ended().await.is_some() {} };
    let in_time = tokio::time::timeout(LAST_WORK, all).await.is_ok();
    Stopped { in_time }.emit();
    failed
}

#[cfg(test)]
mod tests {
    use tokio::sync::watch;

    use super::{Parts, end};

    #[tokio::test]
    async fn a_part_that_ends_by_itself_stops_the_others_and_is_told() {
        let (stop, stopping) = watch::channel(false);
        let mut parts = Parts::default();
        let mut told = stopping.clone();
        parts.spawn("whole", async move { drop(told.wait_for(|stop| *stop).await) });
        parts.spawn("broken", async { panic!("on purpose") });
        assert_eq!(end(parts, &stop).await, Some("broken"));
        assert!(*stopping.borrow(), "the others were told");
    }

    #[tokio::test]
    async fn parts_that_end_because_they_are_told_to_have_not_failed() {
        let (stop, stopping) = watch::channel(false);
        let mut parts = Parts::default();
        let mut told = stopping.clone();
        parts.spawn("whole", async move { drop(told.wait_for(|stop| *stop).await) });
        stop.send_replace(true);
        assert_eq!(end(parts, &stop).await, None);
    }
}
