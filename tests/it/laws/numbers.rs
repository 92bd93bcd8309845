//! Personnummer and samordningsnummer: each is taken in all its forms, and none with one digit changed.

use brygga::domain::PersonNumber;
use jiff::civil::{Date, date};

/// Official test numbers: personnummer, then samordningsnummer, some without month or day of birth.
const NUMBERS: [&str; 30] = [
    "189003099810",
    "189711269804",
    "190005289814",
    "190810179812",
    "192705219240",
    "194806172682",
    "197701082385",
    "197807232397",
    "198603152391",
    "199610042393",
    "200101072395",
    "200411052384",
    "191401682396",
    "192202752388",
    "193407672389",
    "194001602392",
    "194405702392",
    "195600752389",
    "197004642398",
    "197412772381",
    "197500912386",
    "197504772380",
    "201100672383",
    "200704692383",
    "201211702392",
    "202204672394",
    "202209882386",
    "202212632398",
    "202203752395",
    "202308612395",
];

const TODAY: Date = date(2026, 3, 2);

/// The forms in which a number may be written on that day.
fn forms(number: &str) -> Vec<String> {
    let (day, last) = number.split_at(8);
    let (_, short) = day.split_at(2);
    // Whoever has turned a hundred is written with a plus, everybody else with a minus or nothing.
    let is_hundred = number < "192603";
    let ten =
        if is_hundred { vec![format!("{short}+{last}")] } else { vec![format!("{short}-{last}"), format!("{short}{last}")] };
    [vec![number.to_owned(), format!("{day}-{last}"), format!("{day}+{last}")], ten].concat()
}

#[test]
fn each_number_is_taken_in_all_its_forms() {
    for number in NUMBERS {
        for form in forms(number) {
            let read = PersonNumber::parse(&form, TODAY).map(|read| read.digits().to_owned());
            assert_eq!(read.as_deref(), Ok(number), "{form}");
        }
    }
}

#[test]
fn any_changed_digit_of_the_last_ten_is_refused() {
    for number in NUMBERS {
        for form in forms(number) {
            let places: Vec<usize> = form.char_indices().filter(|(_, c)| c.is_ascii_digit()).map(|(at, _)| at).collect();
            for at in places.iter().rev().take(10) {
                for digit in '0'..='9' {
                    let mut changed = form.clone();
                    changed.replace_range(at..=at, digit.encode_utf8(&mut [0; 1]));
                    if changed != form {
                        assert!(PersonNumber::parse(&changed, TODAY).is_err(), "{changed} was taken for {form}");
                    }
                }
            }
        }
    }
}
