//! A TCP proxy on loopback that misbehaves on demand, each direction by itself, while it runs.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// What happens to bytes of one direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// They go through.
    Pass,
    /// Each piece waits this long; the order stays.
    Delay(Duration),
    /// They are lost on the way, as on a cable that is out: what sender and receiver see of it is silence.
    Drop,
    /// The sender's end is passed on at once, as of one who has nothing more to say, and the other direction goes on.
    HalfClose,
}

/// What a schedule switches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Weather {
    /// From the client to the server.
    up: Mode,
    /// From the server to the client.
    down: Mode,
    /// Connections are reset as often as this counts up.
    resets: u64,
    /// New connections are reset.
    refuses: bool,
}

/// The proxy; it listens as long as this is there.
#[derive(Debug)]
pub(crate) struct Proxy {
    pub(crate) port: u16,
    weather: Arc<watch::Sender<Weather>>,
    task: tokio::task::JoinHandle<()>,
}

impl Proxy {
    /// A proxy to a port of this machine.
    pub(crate) async fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let own = listener.local_addr().expect("an address").port();
        let (weather, seen) = watch::channel(Weather { up: Mode::Pass, down: Mode::Pass, resets: 0, refuses: false });
        let upstream = SocketAddr::from(([127, 0, 0, 1], port));
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                if seen.borrow().refuses {
                    drop(client.set_zero_linger());
                    continue;
                }
                tokio::spawn(carry(client, upstream, seen.clone()));
            }
        });
        Self { port: own, weather: Arc::new(weather), task }
    }

    /// Sets both directions.
    pub(crate) fn set(&self, up: Mode, down: Mode) {
        self.weather.send_modify(|weather| (weather.up, weather.down) = (up, down));
    }

    /// Resets every connection now.
    pub(crate) fn reset(&self) {
        self.weather.send_modify(|weather| weather.resets += 1);
    }

    /// Resets whatever is tried, or lets it in again.
    pub(crate) fn refuse(&self, refuses: bool) {
        self.weather.send_modify(|weather| weather.refuses = refuses);
        if refuses {
            self.reset();
        }
    }

    /// Fine weather again. What a half-close or a reset has ended stays ended.
    pub(crate) fn heal(&self) {
        self.set(Mode::Pass, Mode::Pass);
        self.refuse(false);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
        self.reset();
    }
}

async fn carry(client: TcpStream, upstream: SocketAddr, weather: watch::Receiver<Weather>) {
    let Ok(server) = TcpStream::connect(upstream).await else {
        drop(client.set_zero_linger());
        return;
    };
    for stream in [&client, &server] {
        drop(stream.set_nodelay(true));
    }
    let resets = weather.borrow().resets;
    let mut watched = weather.clone();
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let up = tokio::spawn(pump(from_client, to_server, weather.clone(), |weather| weather.up));
    let down = tokio::spawn(pump(from_server, to_client, weather, |weather| weather.down));
    let (end_up, end_down) = (up.abort_handle(), down.abort_handle());
    let reset = watched.wait_for(|weather| weather.resets != resets);
    tokio::select! {
        _ = reset => {
            // A half that is dropped without a word would say goodbye; with no time to linger the kernel sends a reset.
            end_up.abort();
            end_down.abort();
        }
        _ = async { (up.await, down.await) } => {}
    }
}

/// Takes one direction's bytes over, as the weather lets it. Dropped in the middle, it resets.
async fn pump(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut weather: watch::Receiver<Weather>,
    direction: fn(&Weather) -> Mode,
) -> io::Result<()> {
    to.as_ref().set_zero_linger()?;
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let mode = direction(&weather.borrow_and_update());
        match mode {
            // What TCP would send again once the cable is back is kept in the sender's own buffer: it is not read.
            Mode::Drop => {
                if weather.changed().await.is_err() {
                    return Ok(());
                }
                continue;
            }
            Mode::HalfClose => {
                to.shutdown().await?;
                // Whatever the sender still says goes nowhere.
                while from.read(&mut buffer).await? > 0 {}
                return Ok(());
            }
            Mode::Pass | Mode::Delay(_) => {}
        }
        tokio::select! {
            changed = weather.changed() => {
                if changed.is_err() {
                    return Ok(());
                }
            }
            read = from.read(&mut buffer) => {
                let count = read?;
                if count == 0 {
                    return to.shutdown().await;
                }
                if let Mode::Delay(time) = mode {
                    tokio::time::sleep(time).await;
                }
                to.write_all(buffer.get(..count).unwrap_or_default()).await?;
            }
        }
    }
}
