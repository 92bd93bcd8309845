//! Opens connections: TLS with roots of our own choice, a heartbeat, a bounded wait.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use lapin::tcp::{AMQPUriTcpExt as _, RustlsConnector, TLSConfig};
use lapin::uri::{AMQPAuthority, AMQPQueryString, AMQPScheme, AMQPUri, AMQPUserInfo};
use lapin::{Channel, Connection, ConnectionProperties};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};
use secrecy::{ExposeSecret as _, SecretString};

use super::Broken;
use crate::config::{Amqp, BrokerUrl};

/// How long a connection may take to be opened, TLS and login included.
const OPENING: Duration = Duration::from_secs(10);

/// How long a polite goodbye may take.
const CLOSING: Duration = Duration::from_secs(2);

/// Why the files of certificates cannot be used: told at the start, and no reason to wait.
#[derive(Debug, thiserror::Error)]
pub enum TlsFault {
    /// A file cannot be read or holds no certificate or key.
    #[error("{file}: no certificate or key can be read from it ({words})")]
    File {
        /// The file.
        file: String,
        /// The library's words.
        words: String,
    },
    /// The parts do not fit together.
    #[error("the certificates for the broker cannot be used: {0}")]
    Unusable(#[from] rustls::Error),
}

/// The way to one broker.
#[derive(Clone)]
pub(super) struct Door {
    broker: BrokerUrl,
    password: SecretString,
    heartbeat_seconds: u16,
    tls: Option<RustlsConnector>,
}

impl fmt::Debug for Door {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Door").field("broker", &self.broker).finish_non_exhaustive()
    }
}

impl Door {
    pub(super) fn new(config: &Amqp) -> Result<Self, TlsFault> {
        let tls = if config.broker.tls { Some(connector(config)?) } else { None };
        let (broker, password) = (config.broker.clone(), config.password.clone());
        Ok(Self { broker, password, heartbeat_seconds: config.heartbeat_seconds, tls })
    }

    fn uri(&self) -> AMQPUri {
        AMQPUri {
            // TLS is put on by us, with our roots.
            scheme: AMQPScheme::AMQP,
            authority: AMQPAuthority {
                userinfo: AMQPUserInfo {
                    username: self.broker.user.clone(),
                    password: self.password.expose_secret().to_owned(),
                },
                host: self.broker.host.clone(),
                port: self.broker.port,
            },
            vhost: self.broker.vhost.clone(),
            query: AMQPQueryString { heartbeat: Some(self.heartbeat_seconds), ..AMQPQueryString::default() },
        }
    }

    /// Opens a connection; `name` is what operators see in the broker's list.
    pub(super) async fn open(&self, name: &str) -> Result<Connection, Broken> {
        let tls = self.tls.clone();
        let properties = ConnectionProperties::default().with_connection_name(name.into());
        let connecting = Connection::connector(
            self.uri(),
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

fn connector(config: &Amqp) -> Result<RustlsConnector, TlsFault> {
    let mut roots = RootCertStore::empty();
    if let Some(file) = &config.ca_file {
        for certificate in certificates(file)? {
            roots.add(certificate)?;
        }
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?.with_root_certificates(roots);
    let client = match &config.client_certificate {
        Some((certificate, key)) => {
            let fault = |error: rustls::pki_types::pem::Error| file_fault(key, &error);
            builder.with_client_auth_cert(certificates(certificate)?, PrivateKeyDer::from_pem_file(key).map_err(fault)?)?
        }
        None => builder.with_no_client_auth(),
    };
    Ok(RustlsConnector::from(client))
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, TlsFault> {
    let fault = |error: rustls::pki_types::pem::Error| file_fault(file, &error);
    let found: Result<Vec<_>, _> = CertificateDer::pem_file_iter(file).map_err(fault)?.collect();
    let found = found.map_err(fault)?;
    if found.is_empty() {
        return Err(TlsFault::File { file: file.display().to_string(), words: "it holds none".to_owned() });
    }
    Ok(found)
}

fn file_fault(file: &Path, error: &rustls::pki_types::pem::Error) -> TlsFault {
    TlsFault::File { file: file.display().to_string(), words: error.to_string() }
}
