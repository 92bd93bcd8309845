//! What connections are judged by: the server's certificate and key, the clients' authorities, revocation lists and the
//! list of clients, loaded together or not at all.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer, UnixTime};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::time_provider::TimeProvider;
use rustls::version::{TLS12, TLS13};
use rustls::{RootCertStore, ServerConfig};
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::list::{Held, RevocationList};
use super::peer::Peer;
use super::shut::Shut;
use crate::config::{ConfigFault, CrlSource, FeedClient, FeedTls};
use crate::domain::RecipientId;

/// Why the material cannot be loaded. Every fault is told, not only the first.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TrustFault {
    /// The configuration itself.
    #[error("the configuration has a fault: {0}")]
    Config(ConfigFault),
    /// A file cannot be read.
    #[error("{} cannot be read: {kind}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        kind: std::io::ErrorKind,
    },
    /// A file does not hold what it should.
    #[error("{}: {words}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong, without the content.
        words: String,
    },
    /// A revocation list cannot be used.
    #[error("the revocation list {place}: {words}")]
    List {
        /// Where it comes from.
        place: String,
        /// What is wrong.
        words: String,
    },
}

impl TrustFault {
    /// The key of the section that names the file, with a dot before it; empty where it is none of them.
    #[must_use]
    pub fn key(&self, config: &FeedTls) -> &'static str {
        let (Self::Unreadable { path, .. } | Self::Content { path, .. }) = self else {
            return if matches!(self, Self::List { .. }) { ".crl" } else { "" };
        };
        let named = [
            (&config.certificate_file, ".certificate_file"),
            (&config.key_file, ".key_file"),
            (&config.client_ca_file, ".client_ca_file"),
        ];
        let found = named.into_iter().find(|(file, _)| *file == path).map(|(_, key)| key);
        let is_list = config.crl.iter().any(|source| matches!(source, CrlSource::File(file) if file == path));
        found.unwrap_or(if is_list { ".crl" } else { "" })
    }
}

/// What connections are judged by.
pub(super) struct Material {
    /// How handshakes are done.
    pub(super) server: Arc<ServerConfig>,
    /// When the server's own certificate ends, in seconds since 1970.
    pub(super) certificate_ends: i64,
    /// The clients' authorities.
    pub(super) authorities: Vec<CertificateDer<'static>>,
    /// The revocation lists in use.
    pub(super) lists: Vec<(CrlSource, RevocationList)>,
    /// Where it was loaded from.
    pub(super) config: FeedTls,
    verifier: Arc<dyn ClientCertVerifier>,
}

impl fmt::Debug for Material {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Material").field("clients", &self.config.clients.len()).finish_non_exhaustive()
    }
}

impl Material {
    /// Loads everything that a configuration names; lists from addresses are those that are held.
    pub(super) fn load(config: &FeedTls, held: &Held, clock: &Arc<dyn TimeProvider>) -> Result<Self, Vec<TrustFault>> {
        let mut faults = Vec::new();
        let mut keep = |fault: TrustFault| faults.push(fault);
        let chain = certificates(&config.certificate_file).map_err(&mut keep).ok();
        let key = key(&config.key_file).map_err(&mut keep).ok();
        let authorities = authorities(&config.client_ca_file).map_err(&mut keep).ok();
        let mut lists = Vec::new();
        for source in &config.crl {
            match RevocationList::of(source, held) {
                Ok(found) => lists.extend(found.into_iter().map(|list| (source.clone(), list))),
                Err(fault) => keep(fault),
            }
        }
        let (Some(chain), Some(key), Some((authorities, roots))) = (chain, key, authorities) else { return Err(faults) };
        if !faults.is_empty() {
            return Err(faults);
        }
        // The newest first: of two lists of one authority the first decides.
        lists.sort_by_key(|(_, list)| std::cmp::Reverse(list.issued));
        let certificate_ends = ends(&config.certificate_file, &chain).map_err(|fault| vec![fault])?;
        let provider = Arc::new(aws_lc_rs::default_provider());
        let verifier = verifier(config, roots, &lists, &provider).map_err(|fault| vec![fault])?;
        let server = server(config, chain, key, &verifier, &provider, clock).map_err(|fault| vec![fault])?;
        Ok(Self { server: Arc::new(server), certificate_ends, authorities, lists, config: config.clone(), verifier })
    }

    /// Whether a peer's certificate is good at an instant: within its time, from one of the authorities, for clients, and
    /// on none of the lists, each of which must be there and within its own time.
    pub(super) fn verifies(&self, peer: &Peer, now: UnixTime) -> bool {
        let Some((certificate, intermediates)) = peer.chain() else { return false };
        self.verifier.verify_client_cert(certificate, intermediates, now).is_ok()
    }

    /// Whose feed a peer reads. One that is known as two recipients is known as none.
    pub(super) fn recipient(&self, peer: &Peer) -> Option<&RecipientId> {
        let mut known = self.config.clients.iter().filter(|client| peer.has(&client.mark)).map(recipient_of);
        let first = known.next()?;
        known.all(|other| other == first).then_some(first)
    }

    /// Every file that it was loaded from.
    pub(super) fn files(config: &FeedTls) -> Vec<PathBuf> {
        let lists = config.crl.iter().filter_map(|source| match source {
            CrlSource::File(path) => Some(path.clone()),
            CrlSource::Url(_) => None,
        });
        let named = [&config.certificate_file, &config.key_file, &config.client_ca_file];
        named.into_iter().cloned().chain(lists).collect()
    }
}

const fn recipient_of(client: &FeedClient) -> &RecipientId {
    &client.recipient
}

pub(super) fn read(path: &Path) -> Result<Vec<u8>, TrustFault> {
    std::fs::read(path).map_err(|error| TrustFault::Unreadable { path: path.to_owned(), kind: error.kind() })
}

fn content(path: &Path, words: impl Into<String>) -> TrustFault {
    TrustFault::Content { path: path.to_owned(), words: words.into() }
}

pub(super) fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TrustFault> {
    let bytes = read(path)?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
    let found = found.map_err(|_| content(path, "it is not PEM"))?;
    if found.is_empty() {
        return Err(content(path, "it holds no certificate"));
    }
    Ok(found)
}

pub(super) fn key(path: &Path) -> Result<PrivateKeyDer<'static>, TrustFault> {
    PrivateKeyDer::from_pem_slice(&read(path)?).map_err(|_| content(path, "it holds no private key in PEM"))
}

fn authorities(path: &Path) -> Result<(Vec<CertificateDer<'static>>, RootCertStore), TrustFault> {
    let mut roots = RootCertStore::empty();
    let found = certificates(path)?;
    for certificate in &found {
        roots.add(certificate.clone()).map_err(|_| content(path, "one of its certificates cannot be an authority"))?;
    }
    Ok((found, roots))
}

fn ends(path: &Path, chain: &[CertificateDer<'_>]) -> Result<i64, TrustFault> {
    let first = chain.first().map(AsRef::as_ref).unwrap_or_default();
    let (_, read) = X509Certificate::from_der(first).map_err(|_| content(path, "its certificate cannot be read"))?;
    Ok(read.validity().not_after.timestamp())
}

/// Revocation is checked for the whole chain; what no list tells and what only an expired list tells is refused.
fn verifier(
    config: &FeedTls,
    roots: RootCertStore,
    lists: &[(CrlSource, RevocationList)],
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ClientCertVerifier>, TrustFault> {
    let path = &config.client_ca_file;
    let lists: Vec<CertificateRevocationListDer<'static>> = lists.iter().map(|(_, list)| list.der.clone()).collect();
    // Without any list the library would check nothing at all.
    let is_shut = lists.is_empty() && !config.crl.is_empty();
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider))
        .with_crls(lists)
        .enforce_revocation_expiration()
        .build()
        .map_err(|error| content(path, error.to_string()))?;
    Ok(if is_shut { Arc::new(Shut(verifier)) } else { verifier })
}

fn server(
    config: &FeedTls,
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    verifier: &Arc<dyn ClientCertVerifier>,
    provider: &Arc<CryptoProvider>,
    clock: &Arc<dyn TimeProvider>,
) -> Result<ServerConfig, TrustFault> {
    let mut server = ServerConfig::builder_with_details(Arc::clone(provider), Arc::clone(clock))
        .with_protocol_versions(&[&TLS13, &TLS12])
        .map_err(|error| content(&config.certificate_file, error.to_string()))?
        .with_client_cert_verifier(Arc::clone(verifier))
        .with_single_cert(chain, key)
        .map_err(|error| content(&config.key_file, format!("it does not fit the certificate: {error}")))?;
    server.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    // No session is resumed: each connection shows its certificate and is judged by it.
    server.session_storage = Arc::new(NoServerSessionStorage {});
    server.send_tls13_tickets = 0;
    Ok(server)
}
