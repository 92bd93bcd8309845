//! The console's pages: what each is filled with. Pure: what is given is what is shown.

use askama::Template;

use super::overview::Overview;
use super::text::Texts;

/// What every page has around it.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) t: &'static Texts,
    /// The page's own path, to which a change of language comes back.
    pub(super) path: &'static str,
    pub(super) who: Option<Who>,
}

/// Who is signed in, as every page shows it.
#[derive(Debug)]
pub(super) struct Who {
    pub(super) name: String,
    /// What every form carries.
    pub(super) form: String,
    pub(super) sees_people: bool,
}

impl Frame {
    /// The frame of a page for whoever is not signed in.
    pub(super) const fn open(t: &'static Texts, path: &'static str) -> Self {
        Self { t, path, who: None }
    }
}

#[derive(Template)]
#[template(path = "console/page/sign_in.html")]
struct SignInPage<'a> {
    frame: &'a Frame,
    problem: &'a str,
}

#[derive(Template)]
#[template(path = "console/page/overview.html")]
struct OverviewPage<'a> {
    frame: &'a Frame,
    overview: &'a Overview,
}

/// One's own account.
#[derive(Debug)]
pub(super) struct Own {
    pub(super) role: &'static str,
    pub(super) scope: Vec<String>,
    pub(super) since: String,
}

#[derive(Template)]
#[template(path = "console/page/account.html")]
struct AccountPage<'a> {
    frame: &'a Frame,
    own: &'a Own,
    problem: &'a str,
}

/// An account among others.
#[derive(Debug)]
pub(super) struct Listed {
    pub(super) name: String,
    pub(super) role: &'static str,
    pub(super) scope: Vec<String>,
    pub(super) password_at: String,
    pub(super) is_disabled: bool,
}

#[derive(Template)]
#[template(path = "console/page/people.html")]
struct PeoplePage<'a> {
    frame: &'a Frame,
    people: &'a [Listed],
}

#[derive(Template)]
#[template(path = "console/page/help.html")]
struct HelpPage<'a> {
    frame: &'a Frame,
}

#[derive(Template)]
#[template(path = "console/page/accessibility.html")]
struct AccessibilityPage<'a> {
    frame: &'a Frame,
}

#[derive(Template)]
#[template(path = "console/page/error.html")]
struct ErrorPage<'a> {
    frame: &'a Frame,
    title: &'a str,
    words: &'a str,
}

type Made = Result<String, askama::Error>;

pub(super) fn sign_in(frame: &Frame, problem: &str) -> Made {
    SignInPage { frame, problem }.render()
}

pub(super) fn overview(frame: &Frame, overview: &Overview) -> Made {
    OverviewPage { frame, overview }.render()
}

pub(super) fn account(frame: &Frame, own: &Own, problem: &str) -> Made {
    AccountPage { frame, own, problem }.render()
}

pub(super) fn people(frame: &Frame, people: &[Listed]) -> Made {
    PeoplePage { frame, people }.render()
}

pub(super) fn help(frame: &Frame) -> Made {
    HelpPage { frame }.render()
}

pub(super) fn accessibility(frame: &Frame) -> Made {
    AccessibilityPage { frame }.render()
}

pub(super) fn error(frame: &Frame, title: &str, words: &str) -> Made {
    ErrorPage { frame, title, words }.render()
}
