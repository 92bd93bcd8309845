//! One connection of HTTP/1.1 over TLS, held in the hand: what is asked on it is asked on this very connection.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use rustls::client::Resumption;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, HandshakeKind, RootCertStore, SupportedProtocolVersion};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::pki::{Authority, Identity};

/// How a client does its handshakes; sessions are resumed where the server offers it.
pub(crate) fn connector(
    roots: &Authority,
    identity: Option<&Identity>,
    versions: &[&'static SupportedProtocolVersion],
) -> TlsConnector {
    let mut trusted = RootCertStore::empty();
    trusted.add(CertificateDer::from_pem_slice(roots.pem().as_bytes()).expect("PEM")).expect("an authority");
    let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(versions)
        .expect("versions")
        .with_root_certificates(trusted);
    let mut config = match identity {
        None => builder.with_no_client_auth(),
        Some(identity) => {
            let chain = vec![CertificateDer::from_pem_slice(identity.certificate.as_bytes()).expect("PEM")];
            let key = PrivateKeyDer::from_pem_slice(identity.key.as_bytes()).expect("PEM");
            builder.with_client_auth_cert(chain, key).expect("an identity")
        }
    };
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config.resumption = Resumption::in_memory_sessions(16);
    TlsConnector::from(Arc::new(config))
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }

    /// The last word of a problem's type.
    pub(crate) fn problem(&self) -> String {
        assert_eq!(self.header("content-type"), Some("application/problem+json"));
        let problem = self.json();
        for member in ["type", "title", "status", "detail", "instance"] {
            assert!(!problem[member].is_null(), "{member} is missing");
        }
        problem["type"].as_str().and_then(|kind| kind.strip_prefix("urn:brygga:problem:")).expect("a type").to_owned()
    }
}

/// One connection.
pub(crate) struct Wire {
    stream: TlsStream<TcpStream>,
}

impl Wire {
    /// Connects by any version. In TLS 1.3 a client hears of a refusal only with the first answer.
    pub(crate) async fn connect(port: u16, roots: &Authority, identity: Option<&Identity>) -> io::Result<Self> {
        Self::by(&connector(roots, identity, rustls::ALL_VERSIONS), port).await
    }

    pub(crate) async fn by(connector: &TlsConnector, port: u16) -> io::Result<Self> {
        let tcp = TcpStream::connect(("127.0.0.1", port)).await?;
        let name = ServerName::try_from("localhost").expect("a name");
        let stream = tokio::time::timeout(Duration::from_secs(30), connector.connect(name, tcp)).await??;
        Ok(Self { stream })
    }

    pub(crate) fn version(&self) -> Option<rustls::ProtocolVersion> {
        self.stream.get_ref().1.protocol_version()
    }

    pub(crate) fn kind(&self) -> Option<HandshakeKind> {
        self.stream.get_ref().1.handshake_kind()
    }

    /// The server's certificate, DER.
    pub(crate) fn server(&self) -> Vec<u8> {
        self.stream.get_ref().1.peer_certificates().expect("a certificate")[0].to_vec()
    }

    pub(crate) async fn get(&mut self, target: &str) -> io::Result<Answer> {
        self.ask("GET", target, "").await
    }

    /// Asks, with further header lines, each ended by CRLF.
    pub(crate) async fn ask(&mut self, method: &str, target: &str, lines: &str) -> io::Result<Answer> {
        self.send(&format!("{method} {target} HTTP/1.1\r\nhost: localhost\r\n{lines}\r\n")).await?;
        tokio::time::timeout(Duration::from_mins(1), self.answer(method == "HEAD")).await?
    }

    pub(crate) async fn send(&mut self, text: &str) -> io::Result<()> {
        self.stream.write_all(text.as_bytes()).await?;
        self.stream.flush().await
    }

    /// The answer to what was sent.
    pub(crate) async fn next(&mut self) -> io::Result<Answer> {
        tokio::time::timeout(Duration::from_mins(1), self.answer(false)).await?
    }

    async fn answer(&mut self, is_bare: bool) -> io::Result<Answer> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(self.stream.read_u8().await?);
        }
        let head = String::from_utf8(head).map_err(io::Error::other)?;
        let mut lines = head.lines();
        let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|code| code.parse().ok());
        let pair = |line: &str| line.split_once(": ").map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()));
        let mut answer =
            Answer { status: status.expect("a status"), headers: lines.filter_map(pair).collect(), body: Vec::new() };
        if is_bare {
            return Ok(answer);
        }
        if answer.header("transfer-encoding") == Some("chunked") {
            answer.body = self.chunks().await?;
        } else {
            let length = answer.header("content-length").map_or(0, |length| length.parse().expect("a length"));
            answer.body = vec![0; length];
            self.stream.read_exact(&mut answer.body).await?;
        }
        Ok(answer)
    }

    async fn chunks(&mut self) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let mut line = Vec::new();
            while !line.ends_with(b"\r\n") {
                line.push(self.stream.read_u8().await?);
            }
            let text = String::from_utf8_lossy(&line);
            let length = usize::from_str_radix(text.trim(), 16).map_err(io::Error::other)?;
            let mut chunk = vec![0; length + 2];
            self.stream.read_exact(&mut chunk).await?;
            if length == 0 {
                return Ok(body);
            }
            body.extend_from_slice(&chunk[..length]);
        }
    }

    /// What comes until the other end ends the connection; `None` where it does not within this time.
    pub(crate) async fn rest(&mut self, within: Duration) -> Option<Vec<u8>> {
        let mut rest = Vec::new();
        // An end without a farewell is one too.
        tokio::time::timeout(within, self.stream.read_to_end(&mut rest)).await.ok().map(drop)?;
        Some(rest)
    }

    /// Whether the other end has ended the connection.
    pub(crate) async fn is_ended(&mut self) -> bool {
        let mut rest = Vec::new();
        let read = tokio::time::timeout(Duration::from_secs(30), self.stream.read_to_end(&mut rest)).await;
        matches!(read, Ok(Ok(0) | Err(_)))
    }
}
