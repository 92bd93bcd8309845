//! What is known of a message before it is opened: who sent it, its id, its contract, its time. Never its content.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::Date;
use uuid::Uuid;

use super::party::Login;
use super::time::date_of;
use super::trace::Trace;

/// The two syntaxes of every contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Syntax {
    /// `application/json` (RFC 8259).
    Json,
    /// `application/xml` (XML 1.0, namespaces).
    Xml,
}

impl Syntax {
    /// The file extension, which is also how the store names it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Xml => "xml",
        }
    }

    /// The media type.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Xml => "application/xml",
        }
    }
}

impl FromStr for Syntax {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "json" => Ok(Self::Json),
            "xml" => Ok(Self::Xml),
            _ => Err(()),
        }
    }
}

/// A contract's name and version, written `activity-report.v1`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ContractRef {
    name: String,
    version: u16,
}

impl ContractRef {
    /// The contract's name, without the version.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The contract's version, from 1.
    #[must_use]
    pub const fn version(&self) -> u16 {
        self.version
    }

    /// Stands where a message's contract could not be read. No contract of this name is ever loaded.
    #[must_use]
    pub fn unknown() -> Self {
        Self { name: "unknown".to_owned(), version: 1 }
    }

    /// The XML namespace that goes with the contract.
    #[must_use]
    pub fn namespace(&self) -> String {
        format!("urn:brygga:{}:v{}", self.name, self.version)
    }
}

impl fmt::Display for ContractRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.v{}", self.name, self.version)
    }
}

impl FromStr for ContractRef {
    type Err = ();

    /// Reads `name.vN`; the name is of lower-case letters, digits, `-` and `.`, at most 80 characters.
    fn from_str(text: &str) -> Result<Self, ()> {
        let (name, version) = text.rsplit_once(".v").ok_or(())?;
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '.';
        if name.is_empty() || name.len() > 80 || !name.chars().all(plain) {
            return Err(());
        }
        if version.starts_with('0') || !version.chars().all(|c| c.is_ascii_digit()) {
            return Err(());
        }
        Ok(Self { name: name.to_owned(), version: version.parse().map_err(|_| ())? })
    }
}

impl Envelope {
    /// The Swedish day of the message: decides the century of a ten-digit personnummer. A message cannot come from the
    /// future, so a sender's wrong clock cannot move anybody into another century.
    #[must_use]
    pub fn day(&self) -> Date {
        date_of(self.message_time.min(self.received_at))
    }
}

/// What stands outside the message: all of it is verified or checked before the content is opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// Who the transport says has sent it.
    pub login: Login,
    /// The sender's id of the message.
    pub message_id: Uuid,
    /// The contract that the sender claims.
    pub contract: ContractRef,
    /// The syntax of the bytes.
    pub syntax: Syntax,
    /// When the sender made it; decides the century of a ten-digit personnummer.
    pub message_time: Timestamp,
    /// When it arrived, by the store's clock; decides lateness.
    pub received_at: Timestamp,
    /// What ties it to others.
    pub trace: Trace,
}

#[cfg(test)]
mod tests {
    use super::ContractRef;

    #[test]
    fn a_contract_reference_reads_back_as_itself() {
        for text in ["activity-report.v1", "af.deltaganderapport.v12"] {
            let parsed: ContractRef = text.parse().expect("a good reference");
            assert_eq!(parsed.to_string(), text);
        }
        for bad in ["", "activity-report", "activity-report.v", "activity-report.v01", "Åtgärd.v1", ".v1", "a.v99999"] {
            assert!(bad.parse::<ContractRef>().is_err(), "{bad} was taken");
        }
    }
}
