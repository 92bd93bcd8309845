//! The scope of an account as people and stores write it: `all`, a kommun code, or one nämnd of a kommun.

use crate::domain::{Area, KommunCode, RecipientId, Scope};

/// The word for everybody's messages.
const ALL: &str = "all";

/// The longest name of a nämnd, in bytes.
const LONGEST: usize = 200;

/// A text is no part of a scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a scope is `all` alone, or kommun codes as in 1863 and nämnder of a kommun as in 1863:Socialnämnden")]
pub struct ScopeFault;

/// Reads one text for each area; `all` stands alone.
///
/// # Errors
/// [`ScopeFault`] where one is none, or where there is none.
pub fn read_scope<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Scope, ScopeFault> {
    let texts: Vec<&str> = texts.into_iter().collect();
    match texts.as_slice() {
        [] => Err(ScopeFault),
        [ALL] => Ok(Scope::Everything),
        areas => areas.iter().map(|text| area(text)).collect::<Result<_, _>>().map(Scope::Areas),
    }
}

fn area(text: &str) -> Result<Area, ScopeFault> {
    let (kommun, namnd) = text.split_once(':').map_or((text, None), |(kommun, namnd)| (kommun, Some(namnd.trim())));
    let kommun = KommunCode::try_from(kommun.to_owned()).map_err(|_| ScopeFault)?;
    let is_name = |name: &str| !name.is_empty() && name.len() <= LONGEST && !name.chars().any(char::is_control);
    if namnd.is_some_and(|name| !is_name(name)) {
        return Err(ScopeFault);
    }
    Ok(Area { kommun, namnd: namnd.map(str::to_owned) })
}

/// One text for each area, as [`read_scope`] reads them.
#[must_use]
pub fn scope_texts(scope: &Scope) -> Vec<String> {
    let text = |area: &Area| match &area.namnd {
        Some(namnd) => format!("{}:{namnd}", area.kommun.as_str()),
        None => area.kommun.as_str().to_owned(),
    };
    match scope {
        Scope::Everything => vec![ALL.to_owned()],
        Scope::Areas(areas) => areas.iter().map(text).collect(),
    }
}

/// Whether how a feed stands may be seen: that of a system whose whole kommun is inside. A feed that is for all kommuner
/// together is for those who see them all.
#[must_use]
pub fn covers_feed(scope: &Scope, recipient: &RecipientId) -> bool {
    let kommun = recipient.as_str().split_once('.').and_then(|(code, _)| KommunCode::try_from(code.to_owned()).ok());
    *scope == Scope::Everything || kommun.is_some_and(|kommun| scope.covers(&kommun, None))
}

#[cfg(test)]
mod tests {
    use super::{covers_feed, read_scope, scope_texts};
    use crate::domain::{RecipientId, Scope};

    #[test]
    fn a_scope_is_read_back_as_it_was_written() {
        for texts in [vec!["all"], vec!["1863"], vec!["1863:Socialnämnden", "1273"]] {
            let scope = read_scope(texts.iter().copied()).expect("a scope");
            assert_eq!(scope_texts(&scope), texts);
        }
        for bad in [vec![], vec![""], vec!["186"], vec!["1863:"], vec!["all", "1863"], vec!["1863:a\nb"]] {
            assert!(read_scope(bad.iter().copied()).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn how_a_feed_stands_is_seen_by_who_sees_its_whole_kommun() {
        let scope = read_scope(["1863:Socialnämnden", "1273"]).expect("a scope");
        let seen = |scope: &Scope, name: &str| covers_feed(scope, &RecipientId::from_stored(name.to_owned()));
        assert!(seen(&scope, "1273.ame") && !seen(&scope, "1863.ame"));
        assert!(!seen(&scope, "arbetsformedlingen") && !seen(&scope, "0180.ame"));
        assert!(seen(&Scope::Everything, "arbetsformedlingen"));
    }
}
