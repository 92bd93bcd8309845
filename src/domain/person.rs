//! Personnummer and samordningsnummer (SKV 704, SKV 707), and the keyed hash by which alone a person is found.
//!
//! A samordningsnummer has 60 added to its day. Where the birth date is unknown its month may be 00 and its day 60, and
//! official numbers exist that are no calendar dates; so those are taken with month 00–12 and day 60–91, and their age
//! is then unknown. `Debug` of everything here prints nothing of the person, and nothing here has `Display`.

use std::fmt;

use jiff::civil::Date;

use super::party::luhn;

/// Why a text is no personnummer or samordningsnummer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PersonError {
    /// Not 10 or 12 digits with at most one `-` or `+` in its place, or a date that does not exist.
    #[error("not the form of a personnummer")]
    Form,
    /// The last digit does not check the nine before it.
    #[error("wrong check digit")]
    CheckDigit,
}

/// What a number tells of a birth date.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum BirthDate {
    /// A day of the calendar.
    Known(Date),
    /// A samordningsnummer whose date is not a day of the calendar.
    Unknown,
}

impl BirthDate {
    /// The age in whole years on a day, where it is known.
    #[must_use]
    pub fn age_on(self, day: Date) -> Option<i16> {
        let Self::Known(born) = self else { return None };
        let had_birthday = (day.month(), day.day()) >= (born.month(), born.day());
        Some(day.year() - born.year() - i16::from(!had_birthday))
    }
}

impl fmt::Debug for BirthDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BirthDate(..)")
    }
}

/// A checked personnummer or samordningsnummer, kept as twelve digits.
#[derive(Clone, PartialEq, Eq)]
pub struct PersonNumber([u8; 12]);

impl PersonNumber {
    /// Reads 10 or 12 digits, with or without `-` or `+` before the last four.
    ///
    /// `today` is the day of the message: of ten digits with `-` or none, the century is the latest that is not after it;
    /// `+` says that the person has turned, or turns that year, a hundred (SKV 704). Twelve digits with `+` are taken
    /// as they stand.
    ///
    /// # Errors
    /// [`PersonError::Form`] for a wrong form or date, [`PersonError::CheckDigit`] for a wrong Luhn digit.
    pub fn parse(text: &str, today: Date) -> Result<Self, PersonError> {
        let bytes = text.as_bytes();
        let sign_at = bytes.len().checked_sub(5).ok_or(PersonError::Form)?;
        let sign = bytes.get(sign_at).copied().filter(|b| matches!(b, b'-' | b'+'));
        let digits: Vec<u8> = match sign {
            Some(_) => bytes.iter().enumerate().filter(|(at, _)| *at != sign_at).map(|(_, b)| *b).collect(),
            None => bytes.to_vec(),
        };
        if !digits.iter().all(u8::is_ascii_digit) {
            return Err(PersonError::Form);
        }
        let twelve: [u8; 12] = match digits.len() {
            12 => digits.try_into().map_err(|_| PersonError::Form)?,
            10 => with_century(&digits, sign == Some(b'+'), today)?,
            _ => return Err(PersonError::Form),
        };
        let number = Self(twelve);
        let birth = number.birth_date().ok_or(PersonError::Form)?;
        if let BirthDate::Known(born) = birth
            && !(1840..=today.year().saturating_add(1)).contains(&born.year())
        {
            return Err(PersonError::Form);
        }
        if luhn(twelve.get(2..).unwrap_or_default()) { Ok(number) } else { Err(PersonError::CheckDigit) }
    }

    /// The twelve digits, for the outputs that may carry them.
    #[must_use]
    pub fn digits(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// Whether 60 is added to the day.
    #[must_use]
    pub fn is_samordningsnummer(&self) -> bool {
        self.part(6, 8) >= 60
    }

    /// The birth date; `None` for a date that neither kind of number can have.
    fn birth_date(&self) -> Option<BirthDate> {
        let (year, month, day) = (self.part(0, 4), self.part(4, 6), self.part(6, 8));
        let date = |day: i16| Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok();
        if day >= 60 {
            let plausible = month <= 12 && day <= 91;
            plausible.then(|| date(day - 60).map_or(BirthDate::Unknown, BirthDate::Known))
        } else {
            date(day).map(BirthDate::Known)
        }
    }

    /// What the number tells of the birth date.
    #[must_use]
    pub fn birth(&self) -> BirthDate {
        self.birth_date().unwrap_or(BirthDate::Unknown)
    }

    fn part(&self, from: usize, to: usize) -> i16 {
        self.0.get(from..to).unwrap_or_default().iter().fold(0, |sum, digit| sum * 10 + i16::from(digit - b'0'))
    }
}

/// Puts the century before ten digits: the latest year that is not after the day of the message, or 100 years earlier with `+`.
fn with_century(ten: &[u8], plus: bool, today: Date) -> Result<[u8; 12], PersonError> {
    let two: i16 = ten.iter().take(2).fold(0, |sum, digit| sum * 10 + i16::from(digit - b'0'));
    let month_day: i16 = ten.iter().skip(2).take(4).fold(0, |sum, digit| sum * 10 + i16::from(digit - b'0'));
    let mut year = today.year() - today.year().rem_euclid(100) + two;
    // The day of a samordningsnummer counts without its 60; an unknown day counts as before the first.
    let born = if month_day % 100 >= 60 { month_day - 60 } else { month_day };
    let day_of_message = i16::from(today.month()) * 100 + i16::from(today.day());
    if (year, born) > (today.year(), day_of_message) {
        year -= 100;
    }
    if plus {
        year -= 100;
    }
    let text = format!("{:02}", year / 100);
    let mut twelve = [0; 12];
    for (slot, byte) in twelve.iter_mut().zip(text.bytes().chain(ten.iter().copied())) {
        *slot = byte;
    }
    if text.len() == 2 && ten.len() == 10 { Ok(twelve) } else { Err(PersonError::Form) }
}

impl fmt::Debug for PersonNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PersonNumber(..)")
    }
}

/// The keyed hash of a person: how stores find the person's rows without holding the number.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PersonKey([u8; 32]);

impl PersonKey {
    /// Takes the bytes of a keyed hash.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes, for a store.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The digest in hexadecimal.
    #[must_use]
    pub fn to_hex(&self) -> String {
        let digits = self.0.iter().flat_map(|byte| [byte >> 4, byte & 15]);
        digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect()
    }
}

impl fmt::Debug for PersonKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PersonKey(..)")
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::{BirthDate, PersonError, PersonNumber};

    fn parse(text: &str) -> Result<PersonNumber, PersonError> {
        PersonNumber::parse(text, date(2026, 3, 2))
    }

    #[test]
    fn all_written_forms_are_one_number() {
        let expected = parse("199610042393").expect("valid");
        for form in ["19961004-2393", "961004-2393", "9610042393"] {
            assert!(parse(form) == Ok(expected.clone()), "a form differs");
        }
        let old = parse("190005289814").expect("valid");
        assert!(parse("000528+9814") == Ok(old), "+ means a hundred years and more");
    }

    #[test]
    fn the_century_comes_from_the_day_of_the_message() {
        let century = |today| PersonNumber::parse("160603-2397", today).map(|n| n.digits().split_at(2).0.to_owned());
        assert_eq!(century(date(2017, 1, 1)).as_deref(), Ok("20"));
        let before = PersonNumber::parse("160603-2397", date(2016, 6, 2)).map(|n| n.digits().to_owned());
        assert_eq!(before.as_deref().map(|d| d.split_at(2).0), Ok("19"), "the day before the birth is a century earlier");
    }

    #[test]
    fn a_samordningsnummer_may_lack_month_and_day() {
        let unknown_month = parse("197500912386").expect("month 00 is taken");
        assert!(unknown_month.birth() == BirthDate::Unknown);
        assert!(unknown_month.birth().age_on(date(2026, 1, 1)).is_none());
        assert!(unknown_month.is_samordningsnummer());
        let unknown_day = parse("202303752394").expect("a day of 75 is the fifteenth");
        assert!(matches!(unknown_day.birth(), BirthDate::Known(_)));
        let known = parse("201211702392").expect("valid");
        assert_eq!(known.birth().age_on(date(2026, 11, 10)), Some(14));
        assert_eq!(known.birth().age_on(date(2026, 11, 9)), Some(13));
    }

    #[test]
    fn impossible_dates_letters_and_wrong_check_digits_are_told_apart() {
        assert_eq!(parse("199602302393").err(), Some(PersonError::Form));
        assert_eq!(parse("T9961004239").err(), Some(PersonError::Form));
        assert_eq!(parse("199610042394").err(), Some(PersonError::CheckDigit));
        assert_eq!(parse("").err(), Some(PersonError::Form));
        assert_eq!(parse("1996-10042393").err(), Some(PersonError::Form));
    }

    #[test]
    fn debug_prints_nothing_of_the_person() {
        let number = parse("199610042393").expect("valid");
        assert_eq!(format!("{number:?} {:?}", number.birth()), "PersonNumber(..) BirthDate(..)");
    }
}
