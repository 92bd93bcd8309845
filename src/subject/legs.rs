//! What a leg has come to, and what it rests on, in an extract.

use serde::Serialize;
use serde_json::Value;

use crate::store::LegRow;

/// What a message came to for one recipient.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Leg {
    /// For whom.
    pub recipient: String,
    /// Its state.
    pub state: String,
    /// Why, where the state has a reason.
    pub code: Option<String>,
    /// The agreement, with the version of its terms.
    pub agreement: Option<String>,
    /// What opens to this recipient, and by which rule.
    pub gate: Option<String>,
    /// What the data are processed for.
    pub purpose: Option<String>,
    /// The legal ground.
    pub legal_ground: Option<String>,
    /// The consents that it rests on, by their keyed digests.
    pub consents: Vec<String>,
    /// The fields that were withheld.
    pub withheld: Vec<String>,
    /// Everything that was recorded of what it rests on.
    pub basis: Value,
}

impl Leg {
    pub(super) fn of(row: &LegRow) -> Self {
        let basis: Value = serde_json::from_str(&row.basis).unwrap_or_default();
        let text = |name: &str| basis.get(name).and_then(Value::as_str).map(str::to_owned);
        let texts = |name: &str| -> Vec<String> {
            let items = basis.get(name).and_then(Value::as_array).into_iter().flatten();
            items.filter_map(Value::as_str).map(str::to_owned).collect()
        };
        let version = basis.get("version").and_then(Value::as_u64);
        let agreement =
            text("agreement").map(|name| version.map_or_else(|| name.clone(), |version| format!("{name}, villkor {version}")));
        let gate = text("gate").map(|gate| text("rule").map_or_else(|| gate.clone(), |rule| format!("{gate} ({rule})")));
        Self {
            recipient: row.id.recipient.to_string(),
            state: row.state.as_str().to_owned(),
            code: row.code.map(|code| code.to_string()),
            agreement,
            gate,
            purpose: text("purpose"),
            legal_ground: text("legalGround"),
            consents: texts("consents"),
            withheld: texts("withheld"),
            basis,
        }
    }
}
