//! Processes that a schedule starts, kills, stops and wakes. Each leads a group of its own, so that a signal reaches its
//! children too, and is gone when its owner is.

use std::fs::File;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

/// A running process with its log.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    pub(crate) log: PathBuf,
}

/// What a process is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signal {
    Kill,
    Term,
    Stop,
    Continue,
    /// PostgreSQL's fast shutdown.
    Interrupt,
}

impl Signal {
    const fn name(self) -> &'static str {
        match self {
            Self::Kill => "-KILL",
            Self::Term => "-TERM",
            Self::Stop => "-STOP",
            Self::Continue => "-CONT",
            Self::Interrupt => "-INT",
        }
    }
}

impl Process {
    /// Starts a command; what it prints is added to a file.
    pub(crate) fn start(mut command: Command, log: &Path) -> Self {
        let out = File::options().create(true).append(true).open(log).expect("a log");
        command.stdin(Stdio::null()).stdout(out.try_clone().expect("a log")).stderr(out).process_group(0);
        let child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        Self { child, log: log.to_owned() }
    }

    /// Its id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether it runs.
    pub(crate) fn runs(&mut self) -> bool {
        self.child.try_wait().expect("a state").is_none()
    }

    /// Sends a signal to the process alone.
    pub(crate) fn signal(&self, signal: Signal) {
        send(signal, &self.id().to_string());
    }

    /// Sends a signal to the process and all its children.
    pub(crate) fn signal_group(&self, signal: Signal) {
        send(signal, &format!("-{}", self.id()));
    }

    /// Waits until it has ended; false where it has not in time.
    pub(crate) fn ends_within(&mut self, time: Duration) -> bool {
        let deadline = Instant::now() + time;
        while Instant::now() < deadline {
            if !self.runs() {
                return true;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        false
    }
}

/// Sends a signal to a process, or to a group with `-` before it.
pub(crate) fn send(signal: Signal, whom: &str) {
    // The process may have ended meanwhile; then there is nobody to be told.
    drop(Command::new("kill").args([signal.name(), "--", whom]).stderr(Stdio::null()).status());
}

impl Drop for Process {
    fn drop(&mut self) {
        // Stopped processes do not die of anything else than this.
        send(Signal::Kill, &format!("-{}", self.id()));
        drop(self.child.wait());
    }
}

/// A free loopback port below those that the kernel gives to outgoing connections (32768 and up), so that nobody takes it
/// while its process is started again.
pub(crate) fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = u16::try_from(std::process::id() % 20_000).expect("below 20000");
    loop {
        let port = 12_000 + first.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % 20_000;
        if std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// A command that dies with this process, as an unprivileged user where this is root: servers refuse to be.
pub(crate) fn as_user(user: &str, program: &str) -> Command {
    let mut command = Command::new("setpriv");
    command.arg("--pdeathsig=KILL");
    if is_root() {
        command.args([&format!("--reuid={user}"), &format!("--regid={user}"), "--clear-groups"]);
    }
    command.args(["--", program]);
    command
}

/// A command that dies with this process, as whoever this is.
pub(crate) fn as_self(program: &str) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig=KILL", "--", program]);
    command
}

/// Gives a folder to the user who will work in it.
pub(crate) fn give(folder: &Path, user: &str) {
    if is_root() {
        let status = Command::new("chown").args(["-R", &format!("{user}:{user}")]).arg(folder).status();
        assert!(status.expect("chown").success());
    }
}

fn is_root() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").expect("status");
    status.lines().any(|line| line.starts_with("Uid:\t0\t"))
}
