//! What a configuration names besides its own text: files of certificates and keys, and who takes part by the contracts.
//! `config check` tells what is wrong with it, and `serve` does not start on it: both ask here, and nothing has an effect.

use std::collections::BTreeSet;
use std::fmt;

use super::opened;
use crate::amqp;
use crate::audit::SigningKey;
use crate::config::{self, Config, DatabaseTls, KeyStorePlace, Postgres, Via};
use crate::domain::RecipientId;
use crate::http::{Shown, Trust};
use crate::journey::ContractSet;
use crate::remote::HttpsCourier;
use crate::store::postgres::PostgresStore;

/// One fault of what a configuration names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedFault {
    /// The key: `amqp.ca_file`.
    pub key: String,
    /// What is wrong.
    pub words: String,
}

impl NamedFault {
    fn new(key: impl Into<String>, fault: &impl fmt::Display) -> Self {
        Self { key: key.into(), words: fault.to_string() }
    }
}

impl fmt::Display for NamedFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.key, self.words)
    }
}

/// Every fault of what a configuration names, each with its key. Where the contracts cannot be read, who takes part is not asked.
#[must_use]
pub fn check(config: &Config, set: Option<&ContractSet>) -> Vec<NamedFault> {
    let mut faults = Vec::new();
    if let config::Store::Postgres(postgres) = &config.store {
        roots("store", postgres, &mut faults);
    }
    if let Some(keys) = &config.keys {
        faults.extend(opened::key_faults(keys).iter().map(|(key, fault)| NamedFault::new(format!("keys.{key}"), fault)));
        if let KeyStorePlace::Postgres(postgres) = &keys.store {
            roots("keys", postgres, &mut faults);
        }
    }
    if let Some(audit) = &config.audit
        && let Err(fault) = SigningKey::read(&audit.signing_key)
    {
        faults.push(NamedFault::new("audit.signing_key_file", &fault));
    }
    if let Some(amqp) = &config.amqp {
        faults.extend(amqp::check(amqp).iter().map(|(key, fault)| NamedFault::new(format!("amqp.{key}"), fault)));
    }
    for (index, relay) in config.relays.iter().enumerate() {
        if let Via::Https(https) = &relay.via {
            let found = HttpsCourier::check(https);
            faults.extend(found.iter().map(|(key, fault)| NamedFault::new(format!("relay[{index}].{key}"), fault)));
        }
    }
    if let Some(feed) = &config.feed
        && let Err(found) = Trust::check(&feed.tls)
    {
        faults.extend(found.iter().map(|fault| NamedFault::new(format!("feed{}", fault.key(&feed.tls)), fault)));
    }
    if let Some(tls) = config.console.as_ref().and_then(|console| console.tls.as_ref())
        && let Err(found) = Shown::check(tls)
    {
        faults.extend(found.iter().map(|(key, fault)| NamedFault::new(format!("console.{key}"), fault)));
    }
    if let Some(set) = set {
        who(config, set, &mut faults);
    }
    faults
}

fn roots(table: &str, postgres: &Postgres, faults: &mut Vec<NamedFault>) {
    if let DatabaseTls::VerifyFull { roots } = &postgres.tls
        && let Err(fault) = PostgresStore::check_roots(roots)
    {
        faults.push(NamedFault::new(format!("{table}.tls_roots"), &fault));
    }
}

/// Relays and readers of feeds that nobody has: what is for them would never come.
fn who(config: &Config, set: &ContractSet, faults: &mut Vec<NamedFault>) {
    let mut known: BTreeSet<RecipientId> = BTreeSet::from([RecipientId::arbetsformedlingen()]);
    known.extend(set.catalogue.parties().senders().iter().map(|sender| sender.system.recipient(&sender.kommun.code)));
    for terms in set.register.terms() {
        known.extend(terms.recipients.iter().map(|one| one.party.recipient(&terms.kommun)));
    }
    let mut hold = |key: String, recipient: &RecipientId| {
        if !known.contains(recipient) {
            let words = format!("{recipient} is nobody's: parties.toml has no login of it, and no agreement names it");
            faults.push(NamedFault { key, words });
        }
    };
    for (index, relay) in config.relays.iter().enumerate() {
        hold(format!("relay[{index}].recipient"), &relay.recipient);
    }
    for (index, client) in config.feed.iter().flat_map(|feed| &feed.tls.clients).enumerate() {
        hold(format!("feed.clients[{index}].recipient"), &client.recipient);
    }
}
