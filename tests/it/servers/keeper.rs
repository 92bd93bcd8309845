//! Starts processes that die with the test process, also where it is killed.
//!
//! The kernel's parent-death signal follows the *thread* that started a process, and every test has a thread of its own. So
//! one thread starts them all and never ends.

use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Mutex, OnceLock};

type Order = (Command, Sender<std::io::Result<Child>>);

static KEEPER: OnceLock<Mutex<Sender<Order>>> = OnceLock::new();

/// Starts `setpriv`'s child: with `--pdeathsig KILL`, as `user` where we are root and it is named.
pub(crate) fn start(user: Option<&str>, program: &str, prepare: impl FnOnce(&mut Command)) -> Child {
    let mut command = Command::new("setpriv");
    command.arg("--pdeathsig=KILL");
    if let Some(user) = user.filter(|_| is_root()) {
        command.arg(format!("--reuid={user}")).arg(format!("--regid={user}")).arg("--clear-groups");
    }
    command.arg("--").arg(program).process_group(0);
    prepare(&mut command);
    let keeper = KEEPER.get_or_init(|| {
        let (orders, inbox) = channel::<Order>();
        std::thread::spawn(move || {
            for (mut command, answer) in inbox {
                answer.send(command.spawn()).expect("somebody waits for it");
            }
        });
        Mutex::new(orders)
    });
    let (answer, answered) = channel();
    keeper.lock().expect("the keeper").send((command, answer)).expect("the keeper never ends");
    answered.recv().expect("an answer").unwrap_or_else(|error| panic!("{program}: {error}"))
}

/// Whether the tests run as root.
pub(crate) fn is_root() -> bool {
    id(&["-u"]) == Some(0)
}

/// A number that `id` tells.
pub(crate) fn id(args: &[&str]) -> Option<u32> {
    let output = Command::new("id").args(args).output().ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}

/// A port of 127.0.0.1 that nobody holds now.
pub(crate) fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address").port()
}

/// Sends a signal to a process by its id.
pub(crate) fn signal(name: &str, process: u32) {
    let status = Command::new("kill").arg(format!("-{name}")).arg(process.to_string()).status().expect("kill");
    assert!(status.success(), "kill -{name}");
}
