//! One revision of a consent, as a conforming consent message states it.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Deserialize;

use super::category::Categories;
use super::id::ReportKey;
use super::party::{OrganisationNumber, Party};

/// The two legal things that are called consent and must not be mixed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ConsentKind {
    /// The participant's waiver of secrecy (OSL 10:1, 12:2): opens a gate.
    SecrecyWaiver,
    /// A legal ground for processing (GDPR art. 6.1 a, 9.2 a): opens no gate by itself.
    GdprConsent,
}

impl ConsentKind {
    /// The word in contracts and outputs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SecrecyWaiver => "secrecy-waiver",
            Self::GdprConsent => "gdpr-consent",
        }
    }
}

/// One revision of one consent. Revisions of one id are combined by `consent`, whatever their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsentRevision {
    /// Names the consent: sender, participant and consent id under a key.
    pub key: ReportKey,
    /// The kommun that sent it: it opens gates of that kommun's reports only.
    pub organisation: OrganisationNumber,
    /// The revision, from 1.
    pub revision: i64,
    /// What kind of consent.
    pub kind: ConsentKind,
    /// The nämnd whose disclosure it concerns.
    pub disclosing: String,
    /// Who may receive.
    pub receiving: Party,
    /// Which categories may be disclosed.
    pub categories: Categories,
    /// The agreement under which it was given.
    pub agreement: String,
    /// First day on which it may be relied on.
    pub from: Date,
    /// Last day on which it may be relied on.
    pub to: Date,
    /// When it was given.
    pub given_at: Timestamp,
    /// When a consent of an earlier law was confirmed to the present one's standard (GDPR recital 171).
    pub confirmed_at: Option<Timestamp>,
    /// When it was revoked, wholly or in part.
    pub revoked_at: Option<Timestamp>,
    /// The categories that the revocation ends; all of them where none is named.
    pub revoked_categories: Option<Categories>,
}
