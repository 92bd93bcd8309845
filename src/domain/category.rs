//! Categories of data and their sensitivity: the annotation that every leaf of every contract carries.
//!
//! The filter, the masking of dead letters, logs and exports all read this one source.

use std::fmt;
use std::str::FromStr;

macro_rules! categories {
    ($($variant:ident = $text:literal, $words:literal;)*) => {
        /// A category of data. Matrices and consents speak of these and of nothing finer.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Category {
            $(#[doc = $words] $variant,)*
        }

        impl Category {
            /// All categories.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name in contracts, agreements and consents.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }

        impl FromStr for Category {
            type Err = ();
            fn from_str(text: &str) -> Result<Self, ()> {
                match text { $($text => Ok(Self::$variant),)* _ => Err(()) }
            }
        }
    };
}

categories! {
    Report = "report", "Ids of the report and its sender.";
    Identity = "identity", "Who the participant is.";
    Protection = "protection", "That an identity is protected; never disclosed.";
    Case = "case", "The municipality's case.";
    Placement = "placement", "Where, what and how much.";
    Attendance = "attendance", "Planned and attended time.";
    Absence = "absence", "Times of absence, without reasons.";
    AbsenceReason = "absence-reason", "Why somebody was away.";
    Progress = "progress", "Steps of the municipality's own model.";
    Plan = "plan", "Planning and follow-up.";
    Assessment = "assessment", "What somebody judged of the participant.";
    Support = "support", "Benefits and support.";
    Outcome = "outcome", "How a placement ended.";
    FreeText = "free-text", "Anything may stand here.";
    Consent = "consent", "What was consented to.";
}

impl fmt::Display for Category {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A set of categories.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Categories(u32);

impl Categories {
    /// The empty set: nothing may be seen.
    pub const NONE: Self = Self(0);

    /// The set with one more category.
    #[must_use]
    pub const fn with(self, category: Category) -> Self {
        Self(self.0 | 1 << category as u32)
    }

    /// The set without a category.
    #[must_use]
    pub const fn without(self, category: Category) -> Self {
        Self(self.0 & !(1 << category as u32))
    }

    /// Whether the category is in the set.
    #[must_use]
    pub const fn contains(self, category: Category) -> bool {
        self.0 & 1 << category as u32 != 0
    }

    /// Whether every category of the other set is in this one.
    #[must_use]
    pub const fn contains_all(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Both sets together.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What is in both sets.
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// This set without what is in the other.
    #[must_use]
    pub const fn minus(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether nothing is in the set.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The categories in the set.
    pub fn iter(self) -> impl Iterator<Item = Category> {
        Category::ALL.iter().copied().filter(move |category| self.contains(*category))
    }
}

impl FromIterator<Category> for Categories {
    fn from_iter<I: IntoIterator<Item = Category>>(categories: I) -> Self {
        categories.into_iter().fold(Self::NONE, Self::with)
    }
}

/// How much a leaf is protected by law, whatever its category.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Sensitivity {
    /// Personal data like any other.
    Ordinary,
    /// Worth extra protection: personnummer (dataskyddslagen 3:10), social matters.
    ExtraProtected,
    /// Sensitive under `PuL` 13 § and GDPR art. 9.
    Sensitive,
}

impl Sensitivity {
    /// The name in contracts.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ordinary => "ordinary",
            Self::ExtraProtected => "extra-protected",
            Self::Sensitive => "sensitive",
        }
    }
}

impl FromStr for Sensitivity {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "ordinary" => Ok(Self::Ordinary),
            "extra-protected" => Ok(Self::ExtraProtected),
            "sensitive" => Ok(Self::Sensitive),
            _ => Err(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Categories, Category};

    #[test]
    fn a_set_holds_what_was_put_in_and_nothing_else() {
        let set: Categories = [Category::Identity, Category::FreeText].into_iter().collect();
        assert_eq!(set.iter().collect::<Vec<_>>(), [Category::Identity, Category::FreeText]);
        assert!(!set.contains(Category::Attendance));
        assert!(set.contains_all(Categories::NONE.with(Category::Identity)));
        assert!(set.without(Category::Identity).without(Category::FreeText).is_empty());
        for category in Category::ALL {
            assert_eq!(category.as_str().parse(), Ok(*category));
        }
    }
}
