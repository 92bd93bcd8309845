//! An authority of one run, with the server's certificate and Arbetsförmedlingen's.

use std::path::Path;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, DnValue, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose, SanType, date_time_ymd,
};

/// Certificates as files, for Brygga's configuration, and as what a client needs.
pub(crate) struct Certificates {
    authority: String,
    client: String,
}

impl Certificates {
    /// Makes all and writes `ca.pem`, `server.pem` and `server.key`.
    pub(crate) fn write(folder: &Path) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name = named("the authority of a fault run");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("an authority");
        let local = vec![
            SanType::DnsName("localhost".try_into().expect("a name")),
            SanType::IpAddress(std::net::Ipv4Addr::LOCALHOST.into()),
        ];
        let (server, key) = issue(&authority, named("localhost"), local, ExtendedKeyUsagePurpose::ServerAuth);
        let mut name = named("a reader");
        let organisation = DnValue::PrintableString("162021002114".try_into().expect("printable"));
        name.push(DnType::CustomDnType(vec![2, 5, 4, 5]), organisation);
        let (client, client_key) = issue(&authority, name, Vec::new(), ExtendedKeyUsagePurpose::ClientAuth);
        let write = |name: &str, text: &str| std::fs::write(folder.join(name), text).expect("a file");
        write("ca.pem", &authority.pem());
        write("server.pem", &server);
        write("server.key", &key);
        Self { authority: authority.pem(), client: format!("{client}{client_key}") }
    }

    /// A client with Arbetsförmedlingen's certificate. Its connections are its own.
    pub(crate) fn client(&self) -> reqwest::Client {
        self.client_that_waits(std::time::Duration::from_secs(5))
    }

    /// One that waits so long for an answer.
    pub(crate) fn client_that_waits(&self, time: std::time::Duration) -> reqwest::Client {
        let authority = reqwest::Certificate::from_pem(self.authority.as_bytes()).expect("PEM");
        let identity = reqwest::Identity::from_pem(self.client.as_bytes()).expect("PEM");
        reqwest::Client::builder().tls_certs_only([authority]).identity(identity).timeout(time).build().expect("a client")
    }
}

fn named(name: &str) -> DistinguishedName {
    let mut whole = DistinguishedName::new();
    whole.push(DnType::CommonName, name);
    whole
}

fn issue(
    authority: &CertifiedIssuer<'_, KeyPair>,
    name: DistinguishedName,
    alternatives: Vec<SanType>,
    usage: ExtendedKeyUsagePurpose,
) -> (String, String) {
    let mut params = CertificateParams::default();
    params.distinguished_name = name;
    params.subject_alt_names = alternatives;
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2090, 1, 1);
    params.extended_key_usages = vec![usage];
    let key = KeyPair::generate().expect("a key");
    let certificate = params.signed_by(&key, authority).expect("a certificate");
    (certificate.pem(), key.serialize_pem())
}
