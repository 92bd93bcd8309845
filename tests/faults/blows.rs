//! How faults begin and end.

use std::time::Duration;

use super::plan::{Blow, Fault, Line, Meddling};
use super::process::Signal;
use super::proxy::{Mode, Proxy};
use super::schedule::Run;

impl Run<'_> {
    /// Begins a fault.
    pub(crate) async fn begin(&mut self, fault: Fault) {
        match fault {
            // It stands in the process's environment since its start.
            Fault::KillAt(..) => {}
            Fault::Kill(index) => self.processes[index].signal(Signal::Kill),
            Fault::Freeze(index) => self.processes[index].signal(Signal::Stop),
            Fault::Roll => {
                for index in 0..self.processes.len() {
                    self.processes[index].signal(Signal::Term);
                    tokio::time::sleep(Duration::from_millis(500)).await;
                    self.processes[index].keep();
                }
            }
            Fault::Net(line, meddling) => self.lines(line).into_iter().for_each(|line| meddle(line, meddling)),
            Fault::Rabbit(Blow::Restart) => self.world.rabbit.stop(),
            Fault::Rabbit(Blow::Kill) => self.world.rabbit.crash(),
            Fault::Rabbit(Blow::Pause) => self.world.rabbit.pause(),
            Fault::Postgres(Blow::Restart) => self.world.postgres.stop_fast(),
            Fault::Postgres(Blow::Kill) => self.world.postgres.crash(),
            Fault::Postgres(Blow::Pause) => self.world.postgres.pause(),
        }
    }

    /// Ends it; what it has broken is for the product to mend.
    pub(crate) async fn end(&mut self, fault: Fault) {
        match fault {
            Fault::KillAt(..) | Fault::Kill(_) | Fault::Roll => {}
            Fault::Freeze(index) => self.processes[index].signal(Signal::Continue),
            Fault::Net(line, _) => self.lines(line).into_iter().for_each(Proxy::heal),
            Fault::Rabbit(Blow::Pause) => self.world.rabbit.wake(),
            Fault::Rabbit(_) => {
                self.world.rabbit.start_again();
                self.world.rabbit.wait().await;
            }
            Fault::Postgres(Blow::Pause) => self.world.postgres.wake(),
            Fault::Postgres(_) => {
                self.world.postgres.start_again();
                self.world.postgres.wait().await;
            }
        }
    }

    fn lines(&self, line: Line) -> Vec<&Proxy> {
        match line {
            Line::Amqp => vec![&self.world.amqp_line],
            Line::Postgres => vec![&self.world.postgres_line],
            Line::Feed => self.processes.iter().map(|process| &process.line).collect(),
        }
    }
}

fn meddle(line: &Proxy, meddling: Meddling) {
    match meddling {
        Meddling::Reset => line.reset(),
        Meddling::Refuse => line.refuse(true),
        Meddling::DropUp => line.set(Mode::Drop, Mode::Pass),
        Meddling::DropDown => line.set(Mode::Pass, Mode::Drop),
        Meddling::DropBoth => line.set(Mode::Drop, Mode::Drop),
        Meddling::Delay => line.set(Mode::Delay(Duration::from_millis(60)), Mode::Delay(Duration::from_millis(40))),
        Meddling::HalfCloseUp => line.set(Mode::HalfClose, Mode::Pass),
        Meddling::HalfCloseDown => line.set(Mode::Pass, Mode::HalfClose),
    }
}
