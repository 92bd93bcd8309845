//! The fault runs: real servers, real processes, faults by schedule, and the laws after each.
//!
//! `script/faults --schedules N --seed S` runs the first N schedules of a seed that have not passed yet, and then those with
//! something left out of the product, which must not pass. Its last line says what was run and found.

#![expect(
    clippy::print_stdout,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may be plain: where it is wrong, it fails"
)]

mod answers;
mod blows;
mod brygga;
mod certificates;
mod checker;
mod clean;
#[path = "../it/privacy/forms.rs"]
mod forms;
mod load;
mod made_up;
mod operators;
mod plan;
mod postgres;
mod process;
mod progress;
mod proxy;
mod publisher;
mod rabbit;
mod reader;
mod schedule;
mod seed;
mod snapshot;
mod world;

use std::process::ExitCode;
use std::time::Instant;

use plan::Plan;
use progress::{Options, Progress};
use world::World;

fn main() -> ExitCode {
    let options = Options::read(std::env::args().skip(1));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    runtime.block_on(run(&options))
}

async fn run(options: &Options) -> ExitCode {
    let mut progress = Progress::open(options);
    let mut world = None;
    let plans = options.numbers().map(|number| Plan::of(options.seed, number));
    let planted = if options.plants { Plan::planted() } else { Vec::new() };
    for plan in plans.chain(planted).filter(|plan| options.only.is_none_or(|only| plan.number == only)) {
        if progress.has_passed(plan.number) {
            continue;
        }
        // Whether two processes meet in the gap of a planted fault is a matter of luck; of three times it is none.
        let tries = if plan.planted.is_some() { 3 } else { 1 };
        for again in 0..tries {
            let mut servers = match world.take() {
                Some(world) => world,
                None => World::start().await,
            };
            let began = Instant::now();
            let folder = options.folder(plan.number);
            let report = schedule::run(&mut servers, options.seed + 1_000_000 * again, &plan, &folder).await;
            let seconds = began.elapsed().as_secs();
            println!("schedule {}: {} ({seconds} s)", plan.number, plan.words());
            println!("  {}", report.words);
            for wrong in &report.wrongs {
                println!("  {}{wrong}", if plan.planted.is_some() { "noticed: " } else { "" });
            }
            let is_clean = report.wrongs.is_empty();
            // What a broken schedule leaves in the queues is not the next one's affair.
            world = is_clean.then_some(servers);
            let is_over = again + 1 == tries || plan.is_as_wanted(&report.wrongs);
            if is_over {
                progress.note(&plan, &report.wrongs);
                break;
            }
        }
    }
    drop(world);
    println!("{}", progress.last_line());
    if progress.has_failed() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
