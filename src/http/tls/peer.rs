//! The other end of a connection: its certificate, read once, and the marks by which a client can be known.

use aws_lc_rs::digest::{SHA256, digest};
use rustls::pki_types::CertificateDer;
use x509_parser::extensions::GeneralName;
use x509_parser::oid_registry::OID_X509_SERIALNUMBER;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use crate::config::ClientMark;

/// The other end of a connection.
#[derive(Debug)]
pub(in crate::http) struct Peer {
    /// Its certificate and what it sent with it; the handshake has shown that it holds the key.
    chain: Vec<CertificateDer<'static>>,
    marks: Vec<ClientMark>,
}

impl Peer {
    /// Reads the chain that a handshake gave. `None` where its first certificate cannot be read.
    pub(super) fn read(chain: &[CertificateDer<'_>]) -> Option<Self> {
        let marks = marks(chain.first()?)?;
        Some(Self { chain: chain.iter().map(|certificate| certificate.clone().into_owned()).collect(), marks })
    }

    /// Its certificate, and the intermediates that it sent.
    pub(super) fn chain(&self) -> Option<(&CertificateDer<'static>, &[CertificateDer<'static>])> {
        self.chain.split_first()
    }

    /// Whether a client is known by one of its marks.
    pub(super) fn has(&self, mark: &ClientMark) -> bool {
        self.marks.contains(mark)
    }
}

/// Every mark of a certificate. The common name is none: nobody checks that it is its holder's alone.
fn marks(certificate: &CertificateDer<'_>) -> Option<Vec<ClientMark>> {
    let (_, read) = X509Certificate::from_der(certificate).ok()?;
    let mut marks = Vec::new();
    let mut serials = read.subject().iter_by_oid(&OID_X509_SERIALNUMBER);
    // Two serial numbers in one subject say nothing about which is meant.
    if let (Some(serial), None) = (serials.next(), serials.next()) {
        let organisation = serial.as_str().ok().and_then(|text| text.trim().parse().ok());
        marks.extend(organisation.map(ClientMark::Organisation));
    }
    let names = read.subject_alternative_name().ok()?;
    for name in names.map(|names| &names.value.general_names).into_iter().flatten() {
        match name {
            GeneralName::URI(uri) => marks.push(ClientMark::Uri((*uri).to_owned())),
            GeneralName::DNSName(name) => marks.push(ClientMark::Dns(name.to_ascii_lowercase())),
            _ => {}
        }
    }
    let pin = digest(&SHA256, read.public_key().raw);
    marks.push(ClientMark::Spki(pin.as_ref().try_into().ok()?));
    Some(marks)
}
