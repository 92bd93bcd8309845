//! `parties.toml`: organisations with their numbers, and the logins that may send for them.

use std::collections::{HashMap, HashSet};

use serde::Deserialize;
use toml::Spanned;

use crate::domain::{Files, Flaws, KommunCode, Login, OrganisationNumber, Scope, System};

const FILE: &str = "parties.toml";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    organisation: Vec<WrittenOrganisation>,
    login: Vec<WrittenLogin>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenOrganisation {
    name: String,
    number: Spanned<String>,
    #[serde(default)]
    kommun: Option<KommunCode>,
    verified: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenLogin {
    name: Spanned<Login>,
    kommun: KommunCode,
    system: System,
    #[serde(default)]
    namnd: Option<String>,
    sends: Vec<Spanned<String>>,
}

/// A kommun that sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kommun {
    /// Its name.
    pub name: String,
    /// Its code.
    pub code: KommunCode,
    /// Its organisation number.
    pub organisation: OrganisationNumber,
    /// Whether a first-hand source confirms the number.
    pub verified: bool,
}

/// A login: for which kommun and which system it sends what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sender {
    /// The login.
    pub login: Login,
    /// The kommun it belongs to.
    pub kommun: Kommun,
    /// The system it belongs to.
    pub system: System,
    /// The nämnd that runs the system, where that is told. Who looks after one nämnd sees what its systems have sent.
    pub namnd: Option<String>,
    /// The names of the contracts it may send.
    pub sends: Vec<String>,
}

/// Everybody who may send.
#[derive(Debug, Clone, Default)]
pub struct Parties {
    senders: HashMap<Login, Sender>,
    kommuner: Vec<Kommun>,
}

impl Parties {
    /// Reads `parties.toml`; `known` are the names of the incoming contracts.
    pub(super) fn load(files: &Files, known: &HashSet<String>, flaws: &mut Flaws) -> Self {
        let Some(text) = files.get(FILE) else {
            flaws.add(FILE, 1, "the file is missing");
            return Self::default();
        };
        let written: Written = match toml::from_str(text) {
            Ok(written) => written,
            Err(error) => {
                flaws.add_at(FILE, text, error.span().map_or(0, |span| span.start), error.message());
                return Self::default();
            }
        };
        let mut kommuner: Vec<Kommun> = Vec::new();
        for organisation in written.organisation {
            let Ok(number) = organisation.number.get_ref().parse() else {
                flaws.add_at(FILE, text, organisation.number.span().start, "not a valid organisation number");
                continue;
            };
            let Some(code) = organisation.kommun else { continue };
            kommuner.push(Kommun { name: organisation.name, code, organisation: number, verified: organisation.verified });
        }
        let mut senders = HashMap::new();
        for login in written.login {
            let at = login.name.span().start;
            if *login.name.get_ref() == Login::unknown() {
                flaws.add_at(FILE, text, at, "this login stands for senders that cannot be told; choose another");
                continue;
            }
            let Some(kommun) = kommuner.iter().find(|kommun| kommun.code == login.kommun) else {
                flaws.add_at(FILE, text, at, "the login's kommun is no organisation here");
                continue;
            };
            for sends in &login.sends {
                if !known.contains(sends.get_ref()) {
                    flaws.add_at(
                        FILE,
                        text,
                        sends.span().start,
                        format!("no incoming contract is called `{}`", sends.get_ref()),
                    );
                }
            }
            let sends = login.sends.into_iter().map(Spanned::into_inner).collect();
            let name = login.name.into_inner();
            let (kommun, system, namnd) = (kommun.clone(), login.system, login.namnd);
            let sender = Sender { login: name.clone(), kommun, system, namnd, sends };
            if senders.insert(name, sender).is_some() {
                flaws.add_at(FILE, text, at, "the login stands twice");
            }
        }
        Self { senders, kommuner }
    }

    /// Who a login is.
    #[must_use]
    pub fn sender(&self, login: &Login) -> Option<&Sender> {
        self.senders.get(login)
    }

    /// Every login, in the order of their names.
    #[must_use]
    pub fn senders(&self) -> Vec<&Sender> {
        let mut all: Vec<&Sender> = self.senders.values().collect();
        all.sort_by(|a, b| a.login.cmp(&b.login));
        all
    }

    /// The logins whose messages lie inside a scope, in the order of their names.
    #[must_use]
    pub fn logins_within(&self, scope: &Scope) -> Vec<Login> {
        let inside = |sender: &&Sender| scope.covers(&sender.kommun.code, sender.namnd.as_deref());
        self.senders().into_iter().filter(inside).map(|sender| sender.login.clone()).collect()
    }

    /// The kommun of a code.
    #[must_use]
    pub fn kommun(&self, code: &KommunCode) -> Option<&Kommun> {
        self.kommuner.iter().find(|kommun| kommun.code == *code)
    }
}
