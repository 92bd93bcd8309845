//! Who looks and acts at the operators' desk: a name, a role with its rights, and the part of the kommuner that is theirs.
//!
//! Whoever signs people in makes an [`Operator`]; the acts of the desk take it as a plain value and ask it. What a role may
//! do stands in one table, here.

use super::named::named;
use super::party::KommunCode;

named!(
    /// What a person is at the desk.
    Role {
        /// Sees how it goes, and letters through the mask.
        Viewer = "viewer",
        /// Mends what was refused.
        Operator = "operator",
        /// Looks after protected persons and the audit log.
        Privacy = "privacy",
        /// Looks after the accounts.
        Admin = "admin",
    }
);

named!(
    /// What a role may do.
    Right {
        /// See counts, lists and letters through the mask.
        Look = "look",
        /// See one masked value of an ordinary letter, for a reason.
        Unmask = "unmask",
        /// Run letters again, set them aside, comment on them.
        Mend = "mend",
        /// See what is kept apart: restricted letters and diverted reports.
        Apart = "apart",
        /// Read who looked at whom.
        Audit = "audit",
        /// Make, change and end accounts.
        Accounts = "accounts",
    }
);

impl Role {
    /// Whether the role has a right.
    #[must_use]
    pub const fn may(self, right: Right) -> bool {
        match right {
            Right::Look => true,
            Right::Mend => matches!(self, Self::Operator),
            Right::Unmask => matches!(self, Self::Operator | Self::Privacy),
            Right::Apart | Right::Audit => matches!(self, Self::Privacy),
            Right::Accounts => matches!(self, Self::Admin),
        }
    }
}

/// A kommun, or one nämnd of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Area {
    /// The kommun.
    pub kommun: KommunCode,
    /// The nämnd by its name in the contracts; the whole kommun where none is named.
    pub namnd: Option<String>,
}

/// Whose messages a person sees.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Scope {
    /// Everybody's: who runs the service for all its kommuner.
    Everything,
    /// Those of these areas; of nobody where there is none.
    Areas(Vec<Area>),
}

impl Scope {
    /// Whether what belongs to a kommun, and to a nämnd where that is known, lies inside. What belongs to no known nämnd is
    /// only seen by who sees the whole kommun.
    #[must_use]
    pub fn covers(&self, kommun: &KommunCode, namnd: Option<&str>) -> bool {
        match self {
            Self::Everything => true,
            Self::Areas(areas) => {
                areas.iter().any(|area| area.kommun == *kommun && area.namnd.as_deref().is_none_or(|its| Some(its) == namnd))
            }
        }
    }
}

/// Who acts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operator {
    /// The name that the audit log keeps.
    pub name: String,
    /// What they are.
    pub role: Role,
    /// Whose messages they see.
    pub scope: Scope,
}

impl Operator {
    /// Who works on the host itself: they could read the configuration and its keys, and see what an operator sees; what is
    /// kept apart stays apart.
    #[must_use]
    pub fn on_the_host(name: &str) -> Self {
        Self { name: name.to_owned(), role: Role::Operator, scope: Scope::Everything }
    }

    /// Whether they have a right.
    #[must_use]
    pub const fn may(&self, right: Right) -> bool {
        self.role.may(right)
    }
}

#[cfg(test)]
mod tests {
    use super::{Area, Right, Role, Scope};
    use crate::domain::KommunCode;

    #[test]
    fn every_role_looks_and_no_role_has_every_right() {
        for role in Role::ALL {
            assert_eq!(Role::from_stored(role.as_str()), Some(*role));
            assert!(role.may(Right::Look));
            assert!(!Right::ALL.iter().all(|right| role.may(*right)), "{role:?} may do everything");
        }
        let who = |right: Right| Role::ALL.iter().filter(|role| role.may(right)).map(|role| role.as_str()).collect::<Vec<_>>();
        assert_eq!(who(Right::Unmask), ["operator", "privacy"]);
        assert_eq!((who(Right::Mend), who(Right::Apart)), (vec!["operator"], vec!["privacy"]));
        assert_eq!((who(Right::Audit), who(Right::Accounts)), (vec!["privacy"], vec!["admin"]));
    }

    #[test]
    fn a_scope_covers_its_own_and_what_has_no_known_namnd_belongs_to_the_whole_kommun() {
        let kommun = |code: &str| KommunCode::try_from(code.to_owned()).expect("a code");
        let scope =
            |namnd: Option<&str>| Scope::Areas(vec![Area { kommun: kommun("1863"), namnd: namnd.map(ToOwned::to_owned) }]);
        let (whole, one) = (scope(None), scope(Some("Socialnämnden")));
        assert!(whole.covers(&kommun("1863"), None) && whole.covers(&kommun("1863"), Some("Socialnämnden")));
        assert!(one.covers(&kommun("1863"), Some("Socialnämnden")));
        assert!(!one.covers(&kommun("1863"), Some("Arbetslivsnämnden")) && !one.covers(&kommun("1863"), None));
        assert!(!whole.covers(&kommun("1273"), None) && !Scope::Areas(Vec::new()).covers(&kommun("1863"), None));
        assert!(Scope::Everything.covers(&kommun("1273"), None));
    }
}
