//! Messages about a participant: reports, waivers and their revocations, protection flags.

use brygga::domain::{Category, Login, Party, Syntax};
use brygga::journey::Arrival;
use serde_json::{Value, json};
use uuid::Uuid;

use super::world::{AGREEMENT, NAMND, ORGANISATION, start};

/// The categories that a consent can name.
pub(super) const CONSENTABLE: [Category; 13] = [
    Category::Report,
    Category::Identity,
    Category::Case,
    Category::Placement,
    Category::Attendance,
    Category::Absence,
    Category::AbsenceReason,
    Category::Progress,
    Category::Plan,
    Category::Assessment,
    Category::Support,
    Category::Outcome,
    Category::FreeText,
];

/// A message with an id of its own.
pub(super) fn arrival(id: u128, contract: &str, syntax: Syntax, text: String) -> Arrival {
    Arrival {
        login: Login::try_from("hallefors-ame".to_owned()).expect("a login"),
        message_id: Uuid::from_u128(id),
        contract: contract.parse().expect("a contract"),
        syntax,
        message_time: start(),
        bytes: text.into_bytes(),
        trace: brygga::domain::Trace::default(),
        defect: None,
    }
}

/// A report as JSON.
pub(super) fn report(id: u128, tree: &Value) -> Arrival {
    arrival(id, "activity-report.v1", Syntax::Json, tree.to_string())
}

/// A protection flag.
pub(super) fn flag(id: u128, person: &str) -> Arrival {
    let tree = json!({
        "sender": { "organisation": ORGANISATION, "namnd": NAMND },
        "participant": { "personNumber": person },
        "kind": "sekretessmarkering",
        "from": "2026-01-01",
    });
    arrival(id, "protection.v1", Syntax::Json, tree.to_string())
}

/// A revision of a waiver, in force unless something is changed.
#[derive(Debug, Clone)]
pub(super) struct Waiver {
    pub(super) person: &'static str,
    pub(super) id: String,
    pub(super) revision: i64,
    pub(super) kind: &'static str,
    pub(super) namnd: &'static str,
    pub(super) agreement: &'static str,
    pub(super) party: Party,
    pub(super) categories: Vec<Category>,
    pub(super) from: &'static str,
    pub(super) to: &'static str,
    /// What is revoked: nothing, these categories, or all where none is named.
    pub(super) revoked: Option<Vec<Category>>,
}

impl Waiver {
    pub(super) fn new(person: &'static str, id: &str, party: Party, categories: &[Category]) -> Self {
        Self {
            person,
            id: id.to_owned(),
            revision: 1,
            kind: "secrecy-waiver",
            namnd: NAMND,
            agreement: AGREEMENT,
            party,
            categories: categories.to_vec(),
            from: "2026-01-01",
            to: "2026-12-31",
            revoked: None,
        }
    }

    /// A later revision that takes back some categories, or all where none is named.
    pub(super) fn revoking(&self, revision: i64, categories: &[Category]) -> Self {
        Self { revision, revoked: Some(categories.to_vec()), ..self.clone() }
    }

    pub(super) fn arrival(&self, id: u128) -> Arrival {
        let names = |categories: &[Category]| categories.iter().map(|category| category.as_str()).collect::<Vec<_>>();
        let mut tree = json!({
            "consentId": self.id,
            "revision": self.revision,
            "sender": { "organisation": ORGANISATION, "namnd": NAMND },
            "participant": { "personNumber": self.person },
            "kind": self.kind,
            "givenBy": "participant",
            "competence": "Prov",
            "disclosingNamnd": self.namnd,
            "collectingNamnd": self.namnd,
            "receivingParty": self.party.as_str(),
            "categories": names(&self.categories),
            "purpose": "Prov",
            "agreement": self.agreement,
            "from": self.from,
            "to": self.to,
            "wordingId": "prov-1",
            "wordingSha256": "976de3175e8c01b41152f203868984a2cd5e0873ac53f008d68c9a7faa8016b5",
            "form": "written",
            "givenAt": "2026-01-01T10:00:00",
        });
        if let Some(revoked) = &self.revoked {
            tree["revokedAt"] = json!("2026-02-20T10:00:00");
            if !revoked.is_empty() {
                tree["revokedCategories"] = json!(names(revoked));
            }
        }
        arrival(id, "consent.v1", Syntax::Json, tree.to_string())
    }
}
