//! Revocation lists (RFC 5280 section 5): read from files, and fetched, held and fetched again.
//!
//! A list is signed by its authority, and whoever checks a certificate by it checks that signature first; so it may come
//! over plain HTTP. What an attacker on the way could still do is hold back or give another list: an older one never replaces
//! a newer one, a forged one none at all, and one that is past its time lets nobody in.

use std::collections::HashMap;
use std::path::Path;
use std::time::{Duration, Instant};

use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer};
use x509_parser::prelude::{CertificateRevocationList, FromDer as _, X509Certificate};

use super::material::{TrustFault, read};
use crate::config::CrlSource;

/// The most bytes of a fetched list.
const MOST_BYTES: usize = 32 * 1024 * 1024;

/// How soon a list that could not be fetched is asked for again.
const RETRY: Duration = Duration::from_secs(30);

/// How many seconds a clock may be behind that of an authority.
const MOST_EARLY: i64 = 3600;

/// A revocation list that can be read.
#[derive(Debug, Clone)]
pub(super) struct RevocationList {
    /// Its bytes.
    pub(super) der: CertificateRevocationListDer<'static>,
    /// When it was issued, in seconds since 1970.
    pub(super) issued: i64,
    /// When the next one is due and this one ends.
    pub(super) ends: i64,
}

impl RevocationList {
    /// The lists of one source: those in a file, or those that are held of an address.
    pub(super) fn of(source: &CrlSource, held: &Held) -> Result<Vec<Self>, TrustFault> {
        let fault = |words| TrustFault::List { place: source.to_string(), words };
        match source {
            CrlSource::File(path) => Self::read_file(path, fault),
            CrlSource::Url(url) => Ok(held.lists(url)),
        }
    }

    fn read_file(path: &Path, fault: impl Fn(String) -> TrustFault) -> Result<Vec<Self>, TrustFault> {
        Self::read_all(&read(path)?).map_err(|words| fault(words.to_owned()))
    }

    /// Reads the lists in a file or an answer, PEM or DER.
    pub(super) fn read_all(bytes: &[u8]) -> Result<Vec<Self>, &'static str> {
        let is_pem = bytes.windows(11).any(|window| window == b"-----BEGIN ");
        let ders = if is_pem {
            let all: Result<Vec<_>, _> = CertificateRevocationListDer::pem_slice_iter(bytes).collect();
            all.map_err(|_| "it is not PEM")?
        } else {
            vec![CertificateRevocationListDer::from(bytes.to_vec())]
        };
        if ders.is_empty() {
            return Err("it holds no revocation list");
        }
        ders.into_iter().map(Self::read).collect()
    }

    fn read(der: CertificateRevocationListDer<'static>) -> Result<Self, &'static str> {
        let (_, list) = CertificateRevocationList::from_der(&der).map_err(|_| "it is not a revocation list")?;
        let issued = list.last_update().timestamp();
        let ends = list.next_update().ok_or("it does not say when it ends")?.timestamp();
        Ok(Self { der, issued, ends })
    }

    /// Whether the list is signed by the one of these authorities that it says to be of. `None` where it is of none of them:
    /// the key of an authority below them is known only from the chains of certificates that are checked by the list.
    fn is_signed(&self, authorities: &[CertificateDer<'_>]) -> Option<bool> {
        let (_, list) = CertificateRevocationList::from_der(&self.der).ok()?;
        let (message, signature) = (list.tbs_cert_list.as_ref(), list.signature_value.data.as_ref());
        let own = authorities.iter().filter_map(|authority| X509Certificate::from_der(authority).ok());
        let own: Vec<_> = own.filter(|(_, own)| own.subject().as_raw() == list.issuer().as_raw()).collect();
        // Which algorithm it is said to be does not matter: whatever holds under a key was made with that key.
        let all = aws_lc_rs::default_provider().signature_verification_algorithms.all;
        let signed = |key: &[u8]| all.iter().any(|algorithm| algorithm.verify_signature(key, message, signature).is_ok());
        let is_one = own.iter().any(|(_, own)| signed(own.public_key().subject_public_key.data.as_ref()));
        (!own.is_empty()).then_some(is_one)
    }
}

/// What is held of the lists that come from addresses.
#[derive(Debug, Default)]
pub(super) struct Held {
    lists: HashMap<String, Vec<RevocationList>>,
    asked: HashMap<String, Asked>,
}

#[derive(Debug)]
struct Asked {
    at: Instant,
    failed: Option<String>,
}

impl Held {
    fn lists(&self, url: &str) -> Vec<RevocationList> {
        self.lists.get(url).cloned().unwrap_or_default()
    }

    /// Whether a list is to be asked for now.
    pub(super) fn is_due(&self, url: &str, period: Duration) -> bool {
        self.asked.get(url).is_none_or(|asked| {
            let wait = if asked.failed.is_some() { RETRY.min(period) } else { period };
            asked.at.elapsed() >= wait
        })
    }

    /// Why a list could not be fetched when it was last asked for.
    pub(super) fn failure(&self, url: &str) -> Option<&str> {
        self.asked.get(url).and_then(|asked| asked.failed.as_deref())
    }

    /// Takes up what was answered at an instant, in seconds since 1970. Says whether something is new.
    pub(super) fn take(
        &mut self,
        url: &str,
        answer: Result<Vec<u8>, String>,
        authorities: &[CertificateDer<'_>],
        now: i64,
    ) -> bool {
        let read = answer.and_then(|bytes| RevocationList::read_all(&bytes).map_err(str::to_owned));
        let newest = |lists: &[RevocationList]| lists.iter().map(|list| list.issued).max();
        let taken = read.and_then(|lists| {
            let before = self.lists.get(url);
            // A forged one that says to be newer would keep every genuine one out.
            let signed: Vec<_> = lists.iter().map(|list| list.is_signed(authorities)).collect();
            if signed.contains(&Some(false)) {
                return Err("it is not signed by its authority".to_owned());
            }
            if signed.contains(&None) {
                let is_sure =
                    |before: &Vec<RevocationList>| before.iter().all(|list| list.is_signed(authorities) == Some(true));
                if before.is_some_and(is_sure) {
                    return Err("it is of another authority than the one that is held".to_owned());
                }
                if newest(&lists).is_some_and(|issued| issued > now.saturating_add(MOST_EARLY)) {
                    return Err("it says to be of a time that has not come yet".to_owned());
                }
            }
            if before.is_some_and(|before| newest(before) > newest(&lists)) {
                return Err("it is older than the one that is held".to_owned());
            }
            let ders = |lists: &[RevocationList]| lists.iter().map(|list| list.der.as_ref().to_vec()).collect::<Vec<_>>();
            let is_new = before.is_none_or(|before| ders(before) != ders(&lists));
            self.lists.insert(url.to_owned(), lists);
            Ok(is_new)
        });
        let failed = taken.as_ref().err().cloned();
        self.asked.insert(url.to_owned(), Asked { at: Instant::now(), failed });
        taken.unwrap_or(false)
    }
}

/// Fetches a list. The words of a failure hold neither address nor content.
pub(super) async fn fetch(client: &reqwest::Client, url: &str) -> Result<Vec<u8>, String> {
    let wrong = |error: reqwest::Error| {
        let kind = if error.is_timeout() { "no answer in time" } else { "the connection failed" };
        kind.to_owned()
    };
    let mut answer = client.get(url).send().await.map_err(wrong)?;
    if answer.status() != reqwest::StatusCode::OK {
        return Err(format!("answered with status {}", answer.status().as_u16()));
    }
    let mut bytes = Vec::new();
    while let Some(part) = answer.chunk().await.map_err(wrong)? {
        if bytes.len() + part.len() > MOST_BYTES {
            return Err("it is too large".to_owned());
        }
        bytes.extend_from_slice(&part);
    }
    Ok(bytes)
}
