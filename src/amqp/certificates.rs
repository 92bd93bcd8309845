//! The files of certificates that the broker is met with: its roots, and Brygga's own certificate where it asks for one.

use std::path::Path;
use std::sync::Arc;

use lapin::tcp::RustlsConnector;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};

use crate::config::Amqp;

/// Why the files of certificates cannot be used.
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

/// Every fault of the files that a configuration names, each with its key in the table; without any effect.
#[must_use]
pub fn check(config: &Amqp) -> Vec<(&'static str, TlsFault)> {
    if !config.broker.tls {
        return Vec::new();
    }
    let mut faults = Vec::new();
    if let Err(fault) = roots(config) {
        faults.push(("ca_file", fault));
    }
    if let Some((certificate, key)) = &config.client_certificate {
        if let Err(fault) = certificates(certificate) {
            faults.push(("client_certificate_file", fault));
        }
        if let Err(fault) = private_key(key) {
            faults.push(("client_key_file", fault));
        }
    }
    if faults.is_empty()
        && let Err(fault) = connector(config)
    {
        faults.push(("client_key_file", fault));
    }
    faults
}

/// How TLS is put on, by the files as they lie there now.
pub(super) fn connector(config: &Amqp) -> Result<RustlsConnector, TlsFault> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots(config)?);
    let client = match &config.client_certificate {
        Some((certificate, key)) => builder.with_client_auth_cert(certificates(certificate)?, private_key(key)?)?,
        None => builder.with_no_client_auth(),
    };
    Ok(RustlsConnector::from(client))
}

fn roots(config: &Amqp) -> Result<RootCertStore, TlsFault> {
    let mut roots = RootCertStore::empty();
    if let Some(file) = &config.ca_file {
        for certificate in certificates(file)? {
            roots.add(certificate)?;
        }
    }
    Ok(roots)
}

fn private_key(file: &Path) -> Result<PrivateKeyDer<'static>, TlsFault> {
    PrivateKeyDer::from_pem_file(file).map_err(|error| file_fault(file, &error))
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
