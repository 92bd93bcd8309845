//! A client for one system, made of the files that its relay names, and made anew when they change.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_lc_rs::digest::{Context, SHA256};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};

use crate::config::Https;

/// How often the files are looked at while there is something to deliver.
const LOOK: Duration = Duration::from_secs(1);

/// How long a connection is kept that nothing is sent on: shorter than what servers keep it for, so that a delivery is not
/// sent into one that is just being closed.
const IDLE: Duration = Duration::from_secs(4);

/// Why a system's files cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SystemFault {
    /// A file cannot be read.
    #[error("{}: it cannot be read: {}", .0.display(), .1.kind())]
    File(PathBuf, std::io::Error),
    /// A file holds no certificate or key.
    #[error("{}: {}", .0.display(), .1)]
    Content(PathBuf, &'static str),
    /// The parts do not fit together.
    #[error("the certificates cannot be used: {0}")]
    Unusable(#[from] rustls::Error),
    /// The client cannot be made.
    #[error("a client cannot be made: {0}")]
    Client(#[from] reqwest::Error),
}

/// Every fault of the files that a relay names, each with its key in the table.
pub(super) fn check(settings: &Https) -> Vec<(&'static str, SystemFault)> {
    let Https { ca_file, certificate_file, key_file, .. } = settings;
    let held = |path: &Path, holds: fn(&Path, &[u8]) -> Result<(), SystemFault>| {
        let bytes = std::fs::read(path).map_err(|error| SystemFault::File(path.to_owned(), error));
        bytes.and_then(|bytes| holds(path, &bytes)).err()
    };
    let some = |path: &Path, bytes: &[u8]| certificates(path, bytes).map(drop);
    let mut faults = Vec::new();
    faults.extend(held(ca_file, some).map(|fault| ("ca_file", fault)));
    faults.extend(held(certificate_file, some).map(|fault| ("client_certificate_file", fault)));
    faults.extend(held(key_file, |path, bytes| private_key(path, bytes).map(drop)).map(|fault| ("client_key_file", fault)));
    if faults.is_empty() {
        // Each is good by itself; whether they fit together is seen where they are used.
        faults.extend(Kept::open(settings).err().map(|fault| ("client_key_file", fault)));
    }
    faults
}

/// The bytes of the files, read at one time.
pub(super) struct Files {
    ca: Vec<u8>,
    certificate: Vec<u8>,
    key: Vec<u8>,
}

impl Files {
    pub(super) fn read(settings: &Https) -> Result<Self, SystemFault> {
        let bytes = |path: &Path| std::fs::read(path).map_err(|error| SystemFault::File(path.to_owned(), error));
        Ok(Self {
            ca: bytes(&settings.ca_file)?,
            certificate: bytes(&settings.certificate_file)?,
            key: bytes(&settings.key_file)?,
        })
    }

    /// A digest by which a change is seen; a key is not kept only to be compared.
    fn digest(&self) -> [u8; 32] {
        let mut context = Context::new(&SHA256);
        for file in [&self.ca, &self.certificate, &self.key] {
            context.update(&file.len().to_be_bytes());
            context.update(file);
        }
        let mut out = [0; 32];
        for (slot, byte) in out.iter_mut().zip(context.finish().as_ref()) {
            *slot = *byte;
        }
        out
    }

    fn client(&self, settings: &Https) -> Result<reqwest::Client, SystemFault> {
        let mut roots = RootCertStore::empty();
        for root in certificates(&settings.ca_file, &self.ca)? {
            roots.add(root)?;
        }
        let key = private_key(&settings.key_file, &self.key)?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_client_auth_cert(certificates(&settings.certificate_file, &self.certificate)?, key)?;
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .https_only(true)
            .redirect(reqwest::redirect::Policy::none())
            // A repetition is the relay's to decide, which asks the gate before.
            .retry(reqwest::retry::never())
            .no_proxy()
            // Nothing that is thrown away is unpacked before.
            .no_gzip()
            .no_zstd()
            .referer(false)
            .user_agent("brygga")
            .connect_timeout(settings.connect_timeout)
            .timeout(settings.timeout)
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(1);
        Ok(client.build()?)
    }
}

fn private_key(path: &Path, pem: &[u8]) -> Result<PrivateKeyDer<'static>, SystemFault> {
    PrivateKeyDer::from_pem_slice(pem).map_err(|_| SystemFault::Content(path.to_owned(), "it holds no private key in PEM"))
}

fn certificates(path: &Path, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, SystemFault> {
    let fault = || SystemFault::Content(path.to_owned(), "it holds no certificate in PEM");
    let found: Vec<_> = CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().map_err(|_| fault())?;
    if found.is_empty() { Err(fault()) } else { Ok(found) }
}

/// The client in use, and what it was made of.
pub(super) struct Kept {
    pub(super) client: reqwest::Client,
    digest: [u8; 32],
    looked: Instant,
}

impl Kept {
    pub(super) fn open(settings: &Https) -> Result<Self, SystemFault> {
        let files = Files::read(settings)?;
        Ok(Self { client: files.client(settings)?, digest: files.digest(), looked: Instant::now() })
    }

    pub(super) fn is_due(&self) -> bool {
        self.looked.elapsed() >= LOOK
    }

    /// Takes up what was read of the files, and says whether it is new. A bad set never replaces a good one.
    pub(super) fn take(&mut self, files: Result<Files, SystemFault>, settings: &Https) -> Result<bool, SystemFault> {
        self.looked = Instant::now();
        let files = files?;
        let digest = files.digest();
        if digest == self.digest {
            return Ok(false);
        }
        // With the client from before go its connections: what they were opened with is no longer in use.
        (self.client, self.digest) = (files.client(settings)?, digest);
        Ok(true)
    }
}
