//! Organisations, logins, systems and recipients, each parsed once.

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;

/// A Swedish organisation number of a state, region or municipal body or any other legal person, kept as ten digits.
///
/// Taken as ten digits or as `16` and ten digits, with or without `-` before the last four. The third digit is at least
/// 2, and the last is a Luhn check digit (SFS 1974:174; the form of twelve digits is SSBTEK's).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OrganisationNumber([u8; 10]);

impl OrganisationNumber {
    /// The ten digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl FromStr for OrganisationNumber {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let digits: Vec<u8> = text.bytes().filter(|b| *b != b'-').collect();
        let dash_is_right = match text.bytes().filter(|b| *b == b'-').count() {
            0 => true,
            1 => text.len() > 5 && text.as_bytes().get(text.len() - 5) == Some(&b'-'),
            _ => false,
        };
        let ten = match digits.len() {
            10 => digits.as_slice(),
            12 => digits.strip_prefix(b"16").ok_or(())?,
            _ => return Err(()),
        };
        let number: [u8; 10] = ten.try_into().map_err(|_| ())?;
        let third = number.get(2).copied().unwrap_or(b'0');
        if dash_is_right && number.iter().all(u8::is_ascii_digit) && third >= b'2' && luhn(&number) {
            Ok(Self(number))
        } else {
            Err(())
        }
    }
}

impl fmt::Display for OrganisationNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for OrganisationNumber {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|()| serde::de::Error::custom("not a valid organisation number"))
    }
}

/// Whether the ASCII digits end in their Luhn check digit (ISO/IEC 7812-1).
pub(super) fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(index, digit)| {
            let value = u32::from(digit - b'0') * if index % 2 == 1 { 2 } else { 1 };
            value / 10 + value % 10
        })
        .sum();
    sum.is_multiple_of(10)
}

/// A kommun's four-digit code (SCB).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct KommunCode(String);

impl KommunCode {
    /// The four digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for KommunCode {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        if text.len() == 4 && text.bytes().all(|b| b.is_ascii_digit()) {
            Ok(Self(text))
        } else {
            Err("a kommun code is four digits")
        }
    }
}

/// Who the transport vouches for: a message broker's login or a folder of the spool.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct Login(String);

impl Login {
    /// The login's name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Login {
    /// Stands where a message's sender could not be told. `parties.toml` can give nobody this login.
    #[must_use]
    pub fn unknown() -> Self {
        Self("unknown-sender".to_owned())
    }
}

impl TryFrom<String> for Login {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if !text.is_empty() && text.len() <= 64 && text.bytes().all(plain) {
            Ok(Self(text))
        } else {
            Err("a login is of a-z, 0-9 and -, at most 64 characters")
        }
    }
}

impl fmt::Display for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The two kinds of upstream systems in a kommun.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum System {
    /// The labour-market unit's case system.
    Ame,
    /// The försörjningsstöd system.
    Forsorjningsstod,
}

impl System {
    /// The name in contracts and routing keys.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ame => "ame",
            Self::Forsorjningsstod => "forsorjningsstod",
        }
    }

    /// The feed of what goes back to this system of a kommun. The försörjningsstöd system's is also the one in which its
    /// nämnd is disclosed to: one system, one feed.
    #[must_use]
    pub fn recipient(self, kommun: &KommunCode) -> RecipientId {
        RecipientId(format!("{}.{}", kommun.as_str(), self.as_str()))
    }
}

/// Who receives: the parties that a gate and a matrix can be written for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Party {
    /// Arbetsförmedlingen, one for the whole country.
    Arbetsformedlingen,
    /// The nämnd that decides on försörjningsstöd in the sender's kommun.
    Forsorjningsstod,
}

impl Party {
    /// The name in contracts, consents and outputs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Arbetsformedlingen => "arbetsformedlingen",
            Self::Forsorjningsstod => "forsorjningsstod",
        }
    }

    /// The recipient's feed: AF has one, each kommun's försörjningsstöd has its own.
    #[must_use]
    pub fn recipient(self, kommun: &KommunCode) -> RecipientId {
        match self {
            Self::Arbetsformedlingen => RecipientId(self.as_str().to_owned()),
            Self::Forsorjningsstod => RecipientId(format!("{}.{}", kommun.as_str(), self.as_str())),
        }
    }
}

/// One recipient's feed: `arbetsformedlingen`, or a system's: `1863.forsorjningsstod`, `1863.ame`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RecipientId(String);

impl RecipientId {
    /// Takes a name that a store or a configuration holds.
    #[must_use]
    pub fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// Arbetsförmedlingen's feed.
    #[must_use]
    pub fn arbetsformedlingen() -> Self {
        Self(Party::Arbetsformedlingen.as_str().to_owned())
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The party that is disclosed to in this feed; none for a system that only gets answers.
    #[must_use]
    pub fn party(&self) -> Option<Party> {
        if self.0 == Party::Arbetsformedlingen.as_str() {
            return Some(Party::Arbetsformedlingen);
        }
        let is_forsorjningsstod = self.0.ends_with(Party::Forsorjningsstod.as_str());
        is_forsorjningsstod.then_some(Party::Forsorjningsstod)
    }

    /// Whether this is the feed of a kommun's system: `<kommunkod>.ame` or `<kommunkod>.forsorjningsstod`.
    #[must_use]
    pub fn is_a_systems(&self) -> bool {
        self.0.split_once('.').is_some_and(|(kommun, system)| {
            let is_system = [System::Ame, System::Forsorjningsstod].iter().any(|known| known.as_str() == system);
            is_system && KommunCode::try_from(kommun.to_owned()).is_ok()
        })
    }

    /// Whether Brygga delivers this feed; AF polls its own.
    #[must_use]
    pub fn is_pushed(&self) -> bool {
        self.party() != Some(Party::Arbetsformedlingen)
    }
}

impl fmt::Display for RecipientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::{KommunCode, OrganisationNumber, Party, RecipientId, System};

    #[test]
    fn a_system_has_one_feed_and_only_afs_is_polled() {
        let kommun = KommunCode::try_from("1863".to_owned()).expect("a code");
        let (ame, fs) = (System::Ame.recipient(&kommun), System::Forsorjningsstod.recipient(&kommun));
        assert_eq!((ame.as_str(), ame.party(), ame.is_pushed()), ("1863.ame", None, true));
        assert_eq!(fs, Party::Forsorjningsstod.recipient(&kommun));
        assert_eq!((fs.party(), fs.is_pushed()), (Some(Party::Forsorjningsstod), true));
        let af = RecipientId::arbetsformedlingen();
        assert_eq!((af.party(), af.is_pushed()), (Some(Party::Arbetsformedlingen), false));
    }

    #[test]
    fn all_forms_of_an_organisation_number_are_one() {
        let expected: OrganisationNumber = "2120001942".parse().expect("valid");
        for form in ["212000-1942", "162120001942", "16212000-1942"] {
            assert_eq!(form.parse(), Ok(expected), "{form}");
        }
    }

    #[test]
    fn a_wrong_organisation_number_is_refused() {
        for bad in ["2120001943", "212000-194", "21-20001942", "2100001942", "172120001942", "", "212000--1942", "21200019４2"]
        {
            assert!(bad.parse::<OrganisationNumber>().is_err(), "{bad} was taken");
        }
    }
}
