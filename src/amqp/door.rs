//! Opens connections: TLS with roots of our own choice, a heartbeat, a bounded wait.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use lapin::tcp::{AMQPUriTcpExt as _, RustlsConnector, TLSConfig};
use lapin::uri::{AMQPAuthority, AMQPQueryString, AMQPScheme, AMQPUri, AMQPUserInfo};
use lapin::{Channel, Connection, ConnectionProperties};
use secrecy::{ExposeSecret as _, SecretString};

use super::Broken;
use super::certificates::{TlsFault, connector};
use crate::config::Amqp;

/// How long a connection may take to be opened, TLS and login included.
const OPENING: Duration = Duration::from_secs(10);

/// How long a polite goodbye may take.
const CLOSING: Duration = Duration::from_secs(2);

/// The way to one broker. Password and certificates are read anew for each connection: what has been changed is in use without
/// a restart, and what was wrong is mended without one.
#[derive(Clone)]
pub(super) struct Door(Arc<Amqp>);

impl fmt::Debug for Door {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Door").field("broker", &self.0.broker).finish_non_exhaustive()
    }
}

impl Door {
    /// The way by a configuration; nothing is opened yet.
    ///
    /// # Errors
    /// Where the files of certificates cannot be used as they lie there now.
    pub(super) fn new(config: &Amqp) -> Result<Self, TlsFault> {
        let door = Self(Arc::new(config.clone()));
        door.tls()?;
        Ok(door)
    }

    fn tls(&self) -> Result<Option<RustlsConnector>, TlsFault> {
        if self.0.broker.tls { connector(&self.0).map(Some) } else { Ok(None) }
    }

    /// What the files say now. They may lie on something slow.
    async fn papers(&self) -> Result<(SecretString, Option<RustlsConnector>), Broken> {
        let door = self.clone();
        let read = tokio::task::spawn_blocking(move || Ok((door.0.password.current(), door.tls()?))).await;
        // It is not run any more where the service is stopping.
        read.unwrap_or(Err(Broken::Late("reading the files of certificates")))
    }

    fn uri(&self, password: &SecretString) -> AMQPUri {
        let broker = &self.0.broker;
        AMQPUri {
            // TLS is put on by us, with our roots.
            scheme: AMQPScheme::AMQP,
            authority: AMQPAuthority {
                userinfo: AMQPUserInfo { username: broker.user.clone(), password: password.expose_secret().to_owned() },
                host: broker.host.clone(),
                port: broker.port,
            },
            vhost: broker.vhost.clone(),
            query: AMQPQueryString { heartbeat: Some(self.0.heartbeat_seconds), ..AMQPQueryString::default() },
        }
    }

    /// Opens a connection; `name` is what operators see in the broker's list.
    pub(super) async fn open(&self, name: &str) -> Result<Connection, Broken> {
        let (password, tls) = self.papers().await?;
        let properties = ConnectionProperties::default().with_connection_name(name.into());
        let connecting = Connection::connector(
            self.uri(&password),
            lapin::runtime::default_runtime()?,
            async move |uri: AMQPUri, runtime| {
                let stream = uri.connect_with_config_async(TLSConfig::default(), &runtime).await?;
                match &tls {
                    Some(connector) => Ok(stream.into_rustls(connector, &uri.authority.host).await?),
                    None => Ok(stream),
                }
            },
            properties,
        );
        match tokio::time::timeout(OPENING, connecting).await {
            Ok(connection) => Ok(connection?),
            Err(_) => Err(Broken::Late("opening a connection")),
        }
    }
}

/// Waits for an answer of the broker, but not for ever.
pub(super) async fn in_time<T>(what: &'static str, act: impl Future<Output = lapin::Result<T>>) -> Result<T, Broken> {
    match tokio::time::timeout(OPENING, act).await {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(Broken::Late(what)),
    }
}

/// Opens a channel.
pub(super) async fn channel(connection: &Connection) -> Result<Channel, Broken> {
    in_time("opening a channel", connection.create_channel()).await
}

/// Closes a connection politely where that is possible; where it is not, it is gone all the same.
pub(super) async fn close(connection: &Connection) {
    drop(tokio::time::timeout(CLOSING, connection.close(200, "OK".into())).await);
}
