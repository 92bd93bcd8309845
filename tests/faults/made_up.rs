//! What loads are made of, here and in the benchmark: people who do not exist, and a copy of the contracts to change.

use std::path::Path;

/// A personnummer with the birth number 980, which no real person has, with its check digit (SKV 704). Its holder is between 16
/// and 29 years of age for some years to come.
pub(crate) fn number(index: usize) -> String {
    let (year, month, day) = (1999 + index % 9, 1 + index / 9 % 12, 1 + index / 108 % 28);
    let digits = format!("{year:04}{month:02}{day:02}98{}", index / 3024 % 10);
    let sum: u32 = digits
        .bytes()
        .skip(2)
        .enumerate()
        .map(|(place, digit)| {
            let value = u32::from(digit - b'0') * if place % 2 == 0 { 2 } else { 1 };
            value / 10 + value % 10
        })
        .sum();
    format!("{digits}{}", (10 - sum % 10) % 10)
}

/// Copies a folder with all that is in it.
pub(crate) fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder") {
        let path = entry.expect("an entry").path();
        let target = to.join(path.file_name().expect("a name"));
        if path.is_dir() {
            copy(&path, &target);
        } else {
            std::fs::copy(&path, &target).expect("copied");
        }
    }
}
