//! What opens towards a recipient: agreements choose it, and the law's dated rows say which rules go with it.

use serde::Deserialize;

/// What opens towards a recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GateKind {
    /// The participant's own waiver of secrecy (OSL 10:1, 12:2).
    Waiver,
    /// A duty in law to disclose (OSL 10:28); the rule is cited.
    StatutoryDuty,
    /// No secrecy stands between disclosing and receiving nämnd (OSL 8:2); the assessment is cited.
    NoSecrecyBoundary,
}

impl GateKind {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::Waiver, Self::StatutoryDuty, Self::NoSecrecyBoundary];

    /// The word in agreements and outputs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiver => "waiver",
            Self::StatutoryDuty => "statutory-duty",
            Self::NoSecrecyBoundary => "no-secrecy-boundary",
        }
    }
}
