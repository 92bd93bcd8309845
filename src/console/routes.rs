//! Every route of the console in one table, each with what it asks of the person who comes. A test walks it.

use crate::domain::Right;

/// What a route asks of whoever comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// Nothing: what it shows is of nobody.
    Nothing,
    /// That somebody is signed in.
    Account,
    /// A right.
    Right(Right),
}

/// What a route shows or does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Page {
    /// How everything stands.
    Overview,
    /// The form to sign in.
    SignIn,
    /// Signs in.
    DoSignIn,
    /// Signs in by a link that is good once.
    Link,
    /// Signs out here.
    SignOut,
    /// Signs out everywhere.
    SignOutEverywhere,
    /// One's own account.
    Account,
    /// Changes one's own password.
    Password,
    /// Everybody's accounts.
    People,
    /// What alarms mean, and what helps.
    Help,
    /// How accessible the console is.
    Accessibility,
    /// Chooses a language.
    Language,
    /// The stylesheet.
    Style,
}

/// A route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route {
    /// Its path.
    pub path: &'static str,
    /// Whether it changes something: then it is a form that is sent (POST), and else a page that is read (GET).
    pub changes: bool,
    /// What it asks for.
    pub needs: Needs,
    /// What it shows or does.
    pub page: Page,
}

const fn shows(path: &'static str, needs: Needs, page: Page) -> Route {
    Route { path, changes: false, needs, page }
}

const fn does(path: &'static str, needs: Needs, page: Page) -> Route {
    Route { path, changes: true, needs, page }
}

/// The first page.
pub const HOME: &str = "/console/";

/// Where one signs in.
pub const SIGN_IN: &str = "/console/sign-in";

/// Where a link leads to that is good once.
pub const LINK: &str = "/console/enter";

/// Every route.
pub const ROUTES: [Route; 13] = [
    shows(HOME, Needs::Right(Right::Look), Page::Overview),
    shows(SIGN_IN, Needs::Nothing, Page::SignIn),
    does(SIGN_IN, Needs::Nothing, Page::DoSignIn),
    shows(LINK, Needs::Nothing, Page::Link),
    does("/console/sign-out", Needs::Account, Page::SignOut),
    does("/console/sign-out-everywhere", Needs::Account, Page::SignOutEverywhere),
    shows("/console/account", Needs::Account, Page::Account),
    does("/console/account/password", Needs::Account, Page::Password),
    shows("/console/people", Needs::Right(Right::Accounts), Page::People),
    shows("/console/help", Needs::Nothing, Page::Help),
    shows("/console/accessibility", Needs::Nothing, Page::Accessibility),
    does("/console/language", Needs::Nothing, Page::Language),
    shows("/console/style.css", Needs::Nothing, Page::Style),
];

/// The path of a page that is read, as the table has it: whatever else a text names leads to the first page, so that no link
/// leads away from here.
#[must_use]
pub fn known(path: &str) -> &'static str {
    let pages = ROUTES.iter().filter(|route| !route.changes && !matches!(route.page, Page::Link | Page::Style));
    pages.map(|route| route.path).find(|known| *known == path).unwrap_or(HOME)
}

#[cfg(test)]
mod tests {
    use super::{HOME, known};

    #[test]
    fn a_way_back_leads_to_a_page_of_the_table_and_nowhere_else() {
        assert_eq!(known("/console/help"), "/console/help");
        for elsewhere in [
            "",
            "//evil.example/",
            "https://evil.example/console/help",
            "/console/help/..",
            "/console/sign-out",
            "/console/enter",
        ] {
            assert_eq!(known(elsewhere), HOME, "{elsewhere}");
        }
    }
}
