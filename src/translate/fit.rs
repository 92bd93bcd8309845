//! Whether every value of a shared field fits the outgoing field that it is written to: shown once, when a recipe is loaded,
//! so that nothing has to be checked again for each document.

use super::recipe::Convert;
use crate::agreement::Codes;
use crate::domain::{Format, Leaf, LeafKind, Outline};

/// The pattern of a time of day in an outgoing contract.
const TIME: &str = "^([01][0-9]|2[0-3]):[0-5][0-9]$";

/// The list of shared activity codes.
const ACTIVITIES: &str = "activities";

/// Digits before the point of hours, `^[0-9]{1,N}\.[0-9]{2}$`; `None` for any other kind of field.
pub(super) fn hour_digits(target: &Leaf) -> Option<usize> {
    let LeafKind::Text { max, pattern: Some(pattern), .. } = &target.kind else { return None };
    let digits: usize = pattern.strip_prefix("^[0-9]{1,")?.strip_suffix("}\\.[0-9]{2}$")?.parse().ok()?;
    (u64::try_from(digits + 3).ok()? <= *max).then_some(digits)
}

/// Whether all values that the conversion gives for the shared field fit the outgoing one.
pub(super) fn always_fits(shared: &Leaf, target: &Leaf, convert: &Convert, from: &Outline, codes: &Codes) -> bool {
    match convert {
        Convert::Copy => copy_fits(shared, target, from),
        Convert::Date => is_format(shared, Format::CalendarDate) && is_format(target, Format::CalendarDate),
        Convert::Time => {
            let pattern =
                matches!(&target.kind, LeafKind::Text { min: 0, max: 5.., pattern: Some(pattern) } if pattern == TIME);
            is_format(shared, Format::LocalDateTime) && pattern
        }
        // Hours are counted from minutes, and a sum may be too long for the field: that alone is looked at when it is written.
        Convert::Hours(digits) => matches!(shared.kind, LeafKind::Integer { .. }) && hour_digits(target) == Some(*digits),
        Convert::Activity => match codes.list(ACTIVITIES) {
            Some(list) => list.iter().all(|(code, _)| word_fits(code, target)),
            None => false,
        },
        Convert::Reason(name) => match codes.list(name) {
            Some(list) => list.iter().all(|(_, code)| code.value.as_deref().is_some_and(|value| word_fits(value, target))),
            None => false,
        },
    }
}

fn is_format(leaf: &Leaf, format: Format) -> bool {
    leaf.kind == LeafKind::Formatted(format)
}

fn word_fits(word: &str, target: &Leaf) -> bool {
    match &target.kind {
        LeafKind::OneOf(words) => words.iter().any(|known| known == word),
        LeafKind::Text { min, max, pattern: None } => (*min..=*max).contains(&(word.chars().count() as u64)),
        _ => false,
    }
}

fn copy_fits(shared: &Leaf, target: &Leaf, from: &Outline) -> bool {
    let is_role =
        |role: fn(&crate::domain::Roles) -> &String| from.roles.as_ref().is_some_and(|roles| *role(roles) == *shared.path);
    match (&shared.kind, &target.kind) {
        (LeafKind::Boolean, LeafKind::Boolean) => true,
        (LeafKind::Integer { min, max }, LeafKind::Integer { min: least, max: most }) => least <= min && max <= most,
        (LeafKind::OneOf(words), _) => words.iter().all(|word| word_fits(word, target)),
        (LeafKind::Text { min, max, pattern }, LeafKind::Text { min: least, max: most, pattern: wanted }) => {
            // A conforming document has these two numbers in one form, whatever the sender wrote.
            let digits = [(is_role(|roles| &roles.person), 12), (is_role(|roles| &roles.organisation), 10)];
            match digits.into_iter().find(|(is_role, _)| *is_role) {
                Some((_, count)) => {
                    let form = wanted.as_ref().is_none_or(|wanted| *wanted == format!("^[0-9]{{{count}}}$"));
                    form && (*least..=*most).contains(&count)
                }
                None => least <= min && max <= most && (wanted.is_none() || wanted == pattern),
            }
        }
        _ => false,
    }
}
