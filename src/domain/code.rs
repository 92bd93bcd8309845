//! Every stable code that a message or a leg can end in, with its plain words.
//!
//! A code is contract: suppliers and operators act on it, so it is never renamed. The words may change. `docs/refusals.md`
//! explains each code; a test proves that page and list agree.

use std::fmt;
use std::str::FromStr;

/// A text that is no code of ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no such code")]
pub struct UnknownCode;

macro_rules! codes {
    ($($variant:ident = $text:literal, $words:literal;)*) => {
        /// A stable code: `stage.cause`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Code {
            $(#[doc = $words] $variant,)*
        }

        impl Code {
            /// All codes, in the order of the way.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The code as it stands in answers, stores and documents.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            /// What it means, in one plain sentence without any value of the message.
            #[must_use]
            pub const fn words(self) -> &'static str {
                match self { $(Self::$variant => $words,)* }
            }
        }

        impl FromStr for Code {
            type Err = UnknownCode;
            fn from_str(text: &str) -> Result<Self, UnknownCode> {
                match text { $($text => Ok(Self::$variant),)* _ => Err(UnknownCode) }
            }
        }
    };
}

codes! {
    TransportEnvelope = "transport.envelope", "The envelope lacks what every message must carry: an id, a type, a time, or a known content type.";
    TransportOversize = "transport.oversize", "The message is larger than this service takes.";
    TransportSender = "transport.sender", "This login may not send this kind of message.";
    TransportRoutingKey = "transport.routing-key", "The routing key does not name the kommun and system of the login and the message of the type.";
    TransportUnknownContract = "transport.unknown-contract", "No message contract of this name and version exists here.";
    TransportConflict = "transport.conflict", "Another message with the same id but other content came before; the first one stands.";
    TransportDeliveryLimit = "transport.delivery-limit", "The program failed on this message again and again; it is kept, and it is our fault.";

    DecodeEmpty = "decode.empty", "The message has no content.";
    DecodeNotUtf8 = "decode.not-utf8", "The bytes are not UTF-8.";
    DecodeUtf16 = "decode.utf16", "The bytes are UTF-16 or UTF-32; only UTF-8 is taken.";
    DecodeEncodingDeclaration = "decode.encoding-declaration", "The XML declaration names another encoding than UTF-8.";
    DecodeNul = "decode.nul", "The message contains a character that may not stand in it, such as NUL.";
    DecodeTruncated = "decode.truncated", "The message ends before it is complete.";
    DecodeSyntax = "decode.syntax", "The message is not well-formed.";
    DecodeTrailing = "decode.trailing", "Something follows after the end of the document.";
    DecodeSeveralRoots = "decode.several-roots", "The document has more than one root element.";
    DecodeRoot = "decode.root", "The root element is not the contract's.";
    DecodeNamespace = "decode.namespace", "An element or attribute is in a wrong namespace.";
    DecodeDoctype = "decode.doctype", "A DOCTYPE is never taken.";
    DecodeEntity = "decode.entity", "Only the five predefined entities and character references are taken.";
    DecodeInstruction = "decode.instruction", "Processing instructions are never taken.";
    DecodeAttribute = "decode.attribute", "The contract has no attributes.";
    DecodeMixedContent = "decode.mixed-content", "Text stands where only elements may stand, or an element where only text may stand.";
    DecodeDuplicateKey = "decode.duplicate-key", "The same field stands twice in one object.";
    DecodeDepth = "decode.depth", "The document is nested deeper than any contract needs.";
    DecodeTooManyNodes = "decode.too-many-nodes", "The document has more parts than any contract allows.";
    DecodeNumber = "decode.number", "A number is not a plain integer that fits in 64 bits.";

    IdentityUnreadable = "identity.unreadable", "The message says of nobody whom it is about, so it is kept apart and shown to no one.";
    IdentityPersonNumber = "identity.person-number", "The personnummer or samordningsnummer does not have a known form, or its date does not exist.";
    IdentityCheckDigit = "identity.check-digit", "The check digit of the personnummer or samordningsnummer is wrong.";
    IdentityOrganisation = "identity.organisation-number", "The organisation number is not valid.";
    IdentitySender = "identity.sender", "The organisation in the message is not the one that the login belongs to.";

    ContractUnknownField = "contract.unknown-field", "The contract has no such field.";
    ContractMissing = "contract.missing", "A required field is missing.";
    ContractType = "contract.type", "A field has the wrong type.";
    ContractValue = "contract.value", "A field has a value that is not in the contract's list.";
    ContractPattern = "contract.pattern", "A field does not have the form that the contract asks for.";
    ContractLength = "contract.length", "A text is too short or too long.";
    ContractRange = "contract.range", "A number is too small or too large.";
    ContractItems = "contract.items", "A list has too few or too many items.";
    ContractDate = "contract.date", "A date does not exist or is not written as YYYY-MM-DD.";
    ContractTime = "contract.time", "A time is not written as RFC 3339 (the offset may be left out).";
    ContractTimeGap = "contract.time-gap", "A time without offset does not exist in Swedish time that day: the clock was put forward.";
    ContractTimeAmbiguous = "contract.time-ambiguous", "A time without offset exists twice in Swedish time that day: state the offset.";
    ContractDaysMissing = "contract.days-missing", "Only a cancellation may leave out the days.";
    ContractPlacementOrder = "contract.placement-order", "The placement ends before it begins.";
    ContractPeriodOrder = "contract.period-order", "The period ends before it begins.";
    ContractPeriodOutsidePlacement = "contract.period-outside-placement", "The reporting period is not inside the placement.";
    ContractDayOutsidePeriod = "contract.day-outside-period", "A day or an absence is outside the reporting period.";
    ContractDuplicateDay = "contract.duplicate-day", "The same day stands twice.";
    ContractDuplicateAbsence = "contract.duplicate-absence", "The same absence id stands twice.";
    ContractAttendanceTimes = "contract.attendance-times", "Expected or attended times are not in order, overlap, or are of another day.";
    ContractAbsenceTimes = "contract.absence-times", "An absence that is not of the whole day needs from and to in order; one of the whole day has neither.";
    ContractAbsenceOutsideExpected = "contract.absence-outside-expected", "An absence is not inside the day's expected attendance.";
    ContractConsentPeriod = "contract.consent-period", "The consent ends before it begins.";
    ContractConsentCollector = "contract.consent-collector", "A waiver counts only when the disclosing nämnd itself collected it.";
    ContractConsentRevocation = "contract.consent-revocation", "Revoked categories need the time of the revocation.";
    ContractConsentCompetence = "contract.consent-competence", "For a participant under 18 it must be said who was competent to give the consent.";
    ContractRevisionConflict = "contract.revision-conflict", "The same revision came before with other content; the first one stands. Send a new revision.";

    AgreementNone = "agreement.none", "No agreement covers this sender and nämnd.";
    AgreementIllustrative = "agreement.illustrative", "The only agreement that would cover this is an illustration, and this service does not use it.";
    AgreementPeriod = "agreement.period", "The activity's dates are not inside the terms of any agreement with this sender.";
    AgreementLate = "agreement.late", "The report came after the terms' last day for late reports.";
    AgreementActivity = "agreement.activity", "The agreement does not know this word for an activity.";
    AgreementActivityDate = "agreement.activity-date", "The activity's code is not valid on the activity's dates.";
    AgreementAge = "agreement.age", "The participant's age on the activity's dates is outside the agreement's target group.";
    AgreementAgeUnknown = "agreement.age-unknown", "The agreement has an age limit, and the samordningsnummer does not tell the age.";
    AgreementNotEnded = "agreement.not-ended", "Held: the activity has not ended yet.";

    ConsentMissing = "consent.missing", "Held: no waiver that opens this recipient's gate has come yet.";
    ConsentUnconfirmed = "consent.unconfirmed", "Held: the consent that the agreement's legal ground needs is from before the law changed, and has not been confirmed.";
    ConsentNotYet = "consent.not-yet", "Held: the waiver is not in force yet.";
    ConsentCategories = "consent.categories", "Held: no document for this recipient can be made of the categories that may be shown now.";
    ConsentExpired = "consent.expired", "The waiver had ended before the report could be disclosed.";
    ConsentRevoked = "consent.revoked", "Withdrawn: the participant has revoked the waiver.";
    ConsentHoldExpired = "consent.hold-expired", "What the report waited for did not come within the agreement's hold period.";

    TranslateReason = "translate.reason", "The absence reason has no code at the recipient; it is never guessed.";
    TranslateValue = "translate.value", "A permitted value does not fit the recipient's format.";

    RelayRefused = "relay.refused", "The system that this is for does not take it as it is.";

    RecipientRejected = "recipient.rejected", "The recipient has the document and does not take it; its own code says why.";

    JourneySuperseded = "journey.superseded", "A higher revision of the same report has replaced this one.";
    JourneyLapsed = "journey.lapsed", "The time in which it might be disclosed has passed.";
    JourneyTerms = "journey.terms-changed", "The terms that it was decided under have changed; it is decided anew and shown only as they are now.";
    JourneyCancelled = "journey.cancelled", "The sender has cancelled the report.";
    JourneyErased = "journey.erased", "What is held of the participant was erased on request.";
    JourneyRetention = "journey.retention", "The period for which it may be kept is over.";
    JourneyFailed = "journey.failed", "The program failed on this message; it is kept, and it is our fault.";
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::Code;

    #[test]
    fn every_code_reads_back_as_itself_and_names_its_stage() {
        for code in Code::ALL {
            assert_eq!(code.as_str().parse(), Ok(*code));
            assert!(code.as_str().contains('.'), "{code} names no stage");
            assert!(code.words().ends_with('.'), "{code} has no full sentence");
        }
    }
}
