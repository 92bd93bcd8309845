//! Authorities, certificates and revocation lists, made for one test.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer, DistinguishedName, DnType, DnValue,
    ExtendedKeyUsagePurpose, IsCa, KeyIdMethod, KeyPair, KeyUsagePurpose, PublicKeyData as _, RevokedCertParams, SanType,
    SerialNumber, date_time_ymd,
};

/// Arbetsförmedlingen's organisation number.
pub(crate) const AF: &str = "2021002114";

/// An authority that signs certificates and revocation lists.
pub(crate) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// A certificate with its key.
#[derive(Clone)]
pub(crate) struct Identity {
    pub(crate) certificate: String,
    pub(crate) key: String,
    /// SHA-256 of the public key info, base64.
    pub(crate) pin: String,
    pub(crate) serial: u64,
}

/// What a certificate says.
pub(crate) struct Says<'a> {
    pub(crate) serial: u64,
    pub(crate) organisation: Option<&'a str>,
    pub(crate) names: Vec<SanType>,
    /// The years in whose beginning it begins and ends.
    pub(crate) years: (i32, i32),
    pub(crate) usage: ExtendedKeyUsagePurpose,
}

impl Default for Says<'_> {
    fn default() -> Self {
        Self {
            serial: 7,
            organisation: None,
            names: Vec::new(),
            years: (2020, 2090),
            usage: ExtendedKeyUsagePurpose::ClientAuth,
        }
    }
}

impl Says<'_> {
    /// A client's certificate with an organisation number as Swedish organisation certificates have it.
    pub(crate) fn organisation(number: &str) -> Says<'_> {
        Says { organisation: Some(number), ..Says::default() }
    }
}

fn named(name: &str) -> DistinguishedName {
    let mut whole = DistinguishedName::new();
    whole.push(DnType::CommonName, name);
    whole
}

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name = named(name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate().expect("a key");
        Self { issuer: CertifiedIssuer::self_signed(params, key).expect("an authority") }
    }

    pub(crate) fn pem(&self) -> String {
        self.issuer.pem()
    }

    pub(crate) fn issue(&self, says: Says<'_>) -> Identity {
        let mut params = CertificateParams::default();
        params.distinguished_name = named("a test's own");
        if let Some(number) = says.organisation {
            let text = DnValue::PrintableString(number.try_into().expect("printable"));
            params.distinguished_name.push(DnType::CustomDnType(vec![2, 5, 4, 5]), text);
        }
        params.subject_alt_names = says.names;
        params.not_before = date_time_ymd(says.years.0, 1, 1);
        params.not_after = date_time_ymd(says.years.1, 1, 1);
        params.serial_number = Some(SerialNumber::from(says.serial));
        params.extended_key_usages = vec![says.usage];
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        let pin = STANDARD.encode(digest(&SHA256, &key.subject_public_key_info()));
        Identity { certificate: certificate.pem(), key: key.serialize_pem(), pin, serial: says.serial }
    }

    /// A server's certificate for `localhost`.
    pub(crate) fn server(&self, serial: u64) -> Identity {
        let names = vec![SanType::DnsName("localhost".try_into().expect("a name"))];
        self.issue(Says { serial, names, usage: ExtendedKeyUsagePurpose::ServerAuth, ..Says::default() })
    }

    /// A revocation list, issued and ending in the beginnings of these years.
    pub(crate) fn list(&self, revoked: &[u64], years: (i32, i32)) -> String {
        let entry = |serial: &u64| RevokedCertParams {
            serial_number: SerialNumber::from(*serial),
            revocation_time: date_time_ymd(2024, 1, 1),
            reason_code: None,
            invalidity_date: None,
        };
        let params = CertificateRevocationListParams {
            this_update: date_time_ymd(years.0, 1, 1),
            next_update: date_time_ymd(years.1, 1, 1),
            crl_number: SerialNumber::from(u64::from(years.0.unsigned_abs())),
            issuing_distribution_point: None,
            revoked_certs: revoked.iter().map(entry).collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        params.signed_by(&self.issuer).expect("a list").pem().expect("PEM")
    }
}
