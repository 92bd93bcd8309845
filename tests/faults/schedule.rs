//! Runs one schedule: three processes, a load in steps, faults between them, and the laws once all is quiet.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use sqlx::PgPool;
use uuid::Uuid;

use super::answers;
use super::brygga::Brygga;
use super::checker::{Evidence, check, check_logs};
use super::clean::Clean;
use super::load::{Does, Maker, Message, today};
use super::operators;
use super::plan::{Fault, Load, Plan, STEPS, is_rare};
use super::publisher::Publisher;
use super::reader::{Notes, Reader};
use super::seed::Seed;
use super::snapshot::Snapshot;
use super::world::{SECRET, World};

/// How long it may take, after the last fault has ended, until everything is stored and served.
///
/// Alone on two cores it takes seconds. The bound leaves room for a machine that has other work too.
const BACK: Duration = Duration::from_secs(90);

/// How long a probe may take that comes when all is quiet.
const PROBE: Duration = Duration::from_secs(30);

/// What became of a schedule.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) wrongs: Vec<String>,
    /// What happened, in numbers.
    pub(crate) words: String,
}

/// What a schedule has in hand while it runs.
pub(crate) struct Run<'a> {
    pub(crate) world: &'a mut World,
    pub(crate) plan: &'a Plan,
    pub(crate) folder: PathBuf,
    pub(crate) pool: PgPool,
    pub(crate) processes: Vec<Brygga>,
    /// A client without a certificate, for the management listeners.
    pub(crate) plain: reqwest::Client,
    wrongs: Vec<String>,
}

/// Runs it; logs and configurations stay in the folder.
pub(crate) async fn run(world: &mut World, seed: u64, plan: &Plan, folder: &Path) -> Report {
    drop(std::fs::remove_dir_all(folder));
    std::fs::create_dir_all(folder).expect("a folder");
    let database = format!("faults_{}", plan.number);
    world.postgres.make(&database).await;
    world.postgres.make(&format!("{database}_keys")).await;
    let pool = world.postgres.pool(&database);
    let mut run = Run {
        world,
        plan,
        folder: folder.to_owned(),
        pool,
        processes: Vec::new(),
        plain: reqwest::Client::builder().timeout(Duration::from_secs(2)).build().expect("a client"),
        wrongs: Vec::new(),
    };
    let words = match run.go(seed, &database).await {
        Ok(words) => words,
        Err(wrong) => {
            run.wrongs.push(wrong);
            "broken off".to_owned()
        }
    };
    let mut wrongs = run.wrongs;
    for (index, mut process) in run.processes.into_iter().enumerate() {
        if !process.end() {
            wrongs.push(format!("process {index} does not end when it is asked to"));
        }
    }
    run.pool.close().await;
    Report { wrongs, words }
}

impl Run<'_> {
    async fn go(&mut self, seed: u64, database: &str) -> Result<String, String> {
        let number = self.plan.number as u64;
        let mut maker = Maker::new(Seed::new(seed, 1000 + number), today(), 0);
        match self.plan.load {
            Load::Usual => maker.usual(24),
            Load::Races => maker.races(60),
            Load::Expiring => maker.expiring(20),
            Load::Crowd => maker.crowd(150),
        }
        let mut posted = maker.shuffled();
        for index in 0..3 {
            let fate = self.plan.faults.iter().find_map(|timed| match timed.fault {
                Fault::KillAt(point, passing) if index == 0 => Some(format!("kill:{point}:{passing}")),
                // Which of them comes to it is nobody's choice.
                Fault::KillAt(point, passing) if is_rare(point) => Some(format!("kill:{point}:{passing}")),
                _ => None,
            });
            let planted = self.plan.planted.map(|plant| plant.in_process(index));
            self.processes.push(Brygga::start(self.world, &self.folder, database, index, fate, planted).await);
        }
        let plain = self.plain.clone();
        for process in &mut self.processes {
            process.wait(&plain, Duration::from_mins(1)).await?;
        }
        answers::prepare(&self.world.rabbit).await?;
        let shut = Arc::new(Mutex::new(BTreeMap::new()));
        let watcher = watch(self.pool.clone(), &posted, Arc::clone(&shut));
        let mut readers = if self.plan.load == Load::Expiring { Vec::new() } else { self.readers(seed) };
        let mut publisher = Publisher::to(self.world.rabbit.port);
        if self.plan.load == Load::Crowd {
            // A report would wait for whoever has its person's waiver in hand.
            let (waivers, reports): (Vec<_>, Vec<_>) = posted.iter().cloned().partition(Message::is_waiver);
            publisher.post(&waivers).await;
            self.stored(&waivers, BACK).await?;
            self.post(&mut publisher, &reports).await;
        } else {
            self.post(&mut publisher, &posted).await;
        }
        let healed = Instant::now();
        self.stored(&posted, BACK).await?;
        let mut ended = Vec::new();
        if self.plan.load == Load::Expiring {
            ended = self.end_the_day(&posted);
            readers = self.readers(seed);
        }
        self.served(&readers, BACK).await?;
        let back = healed.elapsed();
        // Law 8: whoever comes now is served as if nothing had been.
        let mut maker = Maker::new(Seed::new(seed, 2000 + number), today(), 1);
        maker.usual(8);
        let probe = maker.shuffled();
        let asked = Instant::now();
        publisher.post(&probe).await;
        // A process that holds a planted gap open is slow, and that is not what is looked for.
        let probing = if self.plan.planted.is_some() { BACK } else { PROBE };
        self.stored(&probe, probing).await?;
        self.served(&readers, probing).await?;
        let probed = asked.elapsed();
        self.pushed(BACK).await?;
        operators::look(&self.processes[0], &self.folder).await?;
        let restarts = self.restarts();
        self.were_killed(restarts);
        let delivered = answers::collect(&self.world.rabbit).await.map_err(|error| format!("no answers: {error}"))?;
        let probe_posts = probe.len();
        posted.extend(probe);
        watcher.abort();
        let store = Snapshot::read(&self.pool).await.map_err(|error| format!("the checker cannot read: {error}"))?;
        let unique: BTreeMap<Uuid, &Message> = posted.iter().map(|message| (message.id, message)).collect();
        let messages: Vec<Message> = unique.into_values().cloned().collect();
        let clean = match self.plan.load {
            Load::Expiring => None,
            _ => Some(Clean::run(&messages, &self.world.at("contracts"), &SECRET).await),
        };
        let notes: Vec<Notes> =
            readers.into_iter().map(|reader| std::mem::take(&mut *reader.notes.lock().expect("notes"))).collect();
        let shut = shut.lock().expect("times").clone();
        let evidence = Evidence {
            posted: &posted,
            confirmed: publisher.confirmed,
            store: &store,
            readers: &notes,
            delivered: &delivered,
            shut: &shut,
            ended: &ended,
            clean: clean.as_ref(),
        };
        self.wrongs.extend(check(&evidence));
        let persons: BTreeSet<String> = posted.iter().map(|message| message.person.clone()).collect();
        check_logs(&self.folder, &persons, &mut self.wrongs);
        Ok(format!(
            "{} messages in {} posts ({} repeated), {} entries, {} answers ({} sent again), {restarts} restart(s), \
             all stored and served {:.1} s after the last step, a probe of {} in {:.1} s",
            messages.len(),
            publisher.confirmed,
            publisher.repeated,
            store.entries.len(),
            delivered.texts.len(),
            delivered.repeated(),
            back.as_secs_f64(),
            probe_posts,
            probed.as_secs_f64()
        ))
    }

    fn readers(&self, seed: u64) -> Vec<Reader> {
        let mut dice = Seed::new(seed, 3000 + self.plan.number as u64);
        let ports: Vec<u16> = self.processes.iter().map(|process| process.line.port).collect();
        let mut reader = |first| Reader::start(self.world.certificates.client(), ports.clone(), 1 + dice.below(40), first);
        (0..3).map(&mut reader).collect()
    }

    /// Posts the load in steps, with the faults between them.
    async fn post(&mut self, publisher: &mut Publisher, messages: &[Message]) {
        let size = messages.len().div_ceil(STEPS).max(1);
        let mut steps = messages.chunks(size);
        // A server that is away keeps the load waiting; the faults go on all the same, since they are ended by steps.
        for step in 0..=STEPS + 6 {
            for timed in self.plan.faults.clone() {
                if timed.begins == step {
                    self.begin(timed.fault).await;
                }
                if timed.ends == step {
                    self.end(timed.fault).await;
                }
            }
            self.keep();
            if self.is_posting(step) {
                if let Some(chunk) = steps.next() {
                    publisher.post(chunk).await;
                }
            } else {
                tokio::time::sleep(Duration::from_millis(700)).await;
            }
            tokio::time::sleep(self.plan.load.pause()).await;
        }
        for chunk in steps {
            publisher.post(chunk).await;
        }
    }

    /// Starts again who has died.
    fn keep(&mut self) {
        self.processes.iter_mut().for_each(Brygga::keep);
    }

    /// While RabbitMQ itself is away there is nobody to post to.
    fn is_posting(&self, step: usize) -> bool {
        !self
            .plan
            .faults
            .iter()
            .any(|timed| matches!(timed.fault, Fault::Rabbit(_)) && (timed.begins..timed.ends).contains(&step))
    }

    /// Waits until every message is in the store.
    async fn stored(&mut self, messages: &[Message], time: Duration) -> Result<(), String> {
        let ids: BTreeSet<Uuid> = messages.iter().map(|message| message.id).collect();
        let ids: Vec<Uuid> = ids.into_iter().collect();
        let deadline = Instant::now() + time;
        loop {
            self.keep();
            let there = Snapshot::count(&self.pool, &ids).await.unwrap_or(0);
            if there == ids.len() {
                return Ok(());
            }
            if Instant::now() > deadline {
                let (missing, seconds) = (ids.len() - there, time.as_secs());
                return Err(format!("law 8: {missing} message(s) are not in the store {seconds} s after the last fault"));
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Waits until every reader is at the head, and the head moves no more.
    async fn served(&mut self, readers: &[Reader], time: Duration) -> Result<(), String> {
        let deadline = Instant::now() + time;
        let mut before = None;
        loop {
            self.keep();
            let head = Snapshot::last_live(&self.pool).await.ok();
            let slowest = readers.iter().map(Reader::position).min();
            if head.is_some() && head == before && slowest >= head {
                return Ok(());
            }
            before = head;
            if Instant::now() > deadline {
                let refusals: Vec<_> =
                    readers.iter().map(|reader| reader.notes.lock().expect("notes").refusals.clone()).collect();
                return Err(format!(
                    "law 8: readers are at {slowest:?} of {head:?} {} s after the last fault; what they were told: {refusals:?}",
                    time.as_secs()
                ));
            }
            tokio::time::sleep(Duration::from_millis(600)).await;
        }
    }

    /// Waits until everything that is pushed is confirmed.
    async fn pushed(&mut self, time: Duration) -> Result<(), String> {
        let deadline = Instant::now() + time;
        loop {
            self.keep();
            let left = Snapshot::unconfirmed(&self.pool).await;
            if matches!(left, Ok(0)) {
                return Ok(());
            }
            if Instant::now() > deadline {
                let (left, seconds) = (left.unwrap_or(-1), time.as_secs());
                return Err(format!("law 8: {left} answer(s) have not gone back {seconds} s after all else was done"));
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// Moves the clock of every process past the end of the day, with which the waivers of the load end.
    fn end_the_day(&self, messages: &[Message]) -> Vec<(String, Instant)> {
        let file = self.folder.join("clock.new");
        std::fs::write(&file, (26 * 3600).to_string()).expect("a file");
        std::fs::rename(&file, self.folder.join("clock")).expect("renamed");
        let now = Instant::now();
        let persons: BTreeSet<&String> = messages.iter().map(|message| &message.person).collect();
        persons.into_iter().map(|person| (person.clone(), now)).collect()
    }

    fn restarts(&self) -> usize {
        self.processes.iter().map(|process| process.restarts).sum()
    }

    /// A schedule that wanted a process dead at a point and did not get there has tried nothing; and nobody else may die.
    fn were_killed(&mut self, restarts: usize) {
        let deaths = |fault| match fault {
            Fault::KillAt(point, _) if is_rare(point) => self.processes.len(),
            Fault::KillAt(..) | Fault::Kill(_) => 1,
            Fault::Roll => self.processes.len(),
            _ => 0,
        };
        let most: usize = self.plan.faults.iter().map(|timed| deaths(timed.fault)).sum();
        let wanted = self.plan.faults.iter().any(|timed| matches!(timed.fault, Fault::KillAt(..)));
        if wanted && restarts == 0 {
            self.wrongs.push("the schedule is void: no process has passed the point".to_owned());
        }
        if restarts > most {
            self.wrongs.push(format!("law 8: processes ended by themselves {} time(s); their logs say why", restarts - most));
        }
    }
}

/// Notes when each gate is seen to be shut.
fn watch(pool: PgPool, posted: &[Message], shut: Arc<Mutex<BTreeMap<Uuid, Instant>>>) -> tokio::task::JoinHandle<()> {
    let ids: Vec<Uuid> = posted.iter().filter(|message| message.does == Does::Shuts).map(|message| message.id).collect();
    tokio::spawn(async move {
        while !ids.is_empty() {
            let seen = Snapshot::present(&pool, &ids).await.unwrap_or_default();
            let now = Instant::now();
            for id in seen {
                shut.lock().expect("times").entry(id).or_insert(now);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
}
