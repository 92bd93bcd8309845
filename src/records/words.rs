//! The Swedish words of the records. Codes stay beside them where a reader looks something up in the contracts.

use crate::agreement::{GateKind, Status};
use crate::domain::{Category, Sensitivity};

/// Disclosed in everything that the gate allows.
pub(super) const ALWAYS: &str = "alltid";

/// Disclosed where the consent names it.
pub(super) const WITH_CONSENT: &str = "bara när samtycket nämner det";

/// Never disclosed.
pub(super) const NEVER: &str = "aldrig";

/// A category's name, and what it is.
pub(super) const fn category(category: Category) -> (&'static str, &'static str) {
    match category {
        Category::Report => ("Rapporten", "Rapportens beteckningar och avsändare"),
        Category::Identity => ("Identitet", "Vem deltagaren är"),
        Category::Protection => ("Skyddade personuppgifter", "Att en identitet är skyddad; lämnas aldrig ut"),
        Category::Case => ("Ärende", "Kommunens ärende"),
        Category::Placement => ("Placering", "Var, vad och i vilken omfattning"),
        Category::Attendance => ("Närvaro", "Planerad och närvarande tid"),
        Category::Absence => ("Frånvaro", "Tider för frånvaro, utan orsak"),
        Category::AbsenceReason => ("Frånvaroorsak", "Varför någon var borta; kan röra hälsa"),
        Category::Progress => ("Progression", "Steg i kommunens egen modell"),
        Category::Plan => ("Planering", "Planering och uppföljning"),
        Category::Assessment => ("Bedömning", "Vad någon har bedömt om deltagaren"),
        Category::Support => ("Stöd", "Bidrag och stöd"),
        Category::Outcome => ("Resultat", "Hur en placering slutade"),
        Category::FreeText => ("Fritext", "Text där vad som helst kan stå, även känsliga uppgifter"),
        Category::Consent => ("Samtycke", "Vad som har samtyckts till, när och av vem"),
    }
}

/// How worthy of protection something is.
pub(super) const fn sensitivity(sensitivity: Sensitivity) -> &'static str {
    match sensitivity {
        Sensitivity::Ordinary => "personuppgifter",
        Sensitivity::ExtraProtected => "extra skyddsvärda personuppgifter",
        Sensitivity::Sensitive => "känsliga personuppgifter (artikel 9)",
    }
}

/// Whether anybody has signed.
pub(super) const fn status(status: Status) -> &'static str {
    match status {
        Status::Signed => "undertecknad",
        Status::Illustrative => "illustration, inte undertecknad",
    }
}

/// What opens towards a recipient.
pub(super) const fn gate(kind: GateKind) -> &'static str {
    match kind {
        GateKind::Waiver => "deltagarens samtycke till att sekretess bryts",
        GateKind::StatutoryDuty => "uppgiftsskyldighet i lag",
        GateKind::NoSecrecyBoundary => "ingen sekretessgräns mellan utlämnande och mottagande nämnd",
    }
}
