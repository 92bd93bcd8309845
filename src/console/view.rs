//! What is read: each page of the console, filled for whoever has passed.

use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::gate::Passed;
use super::overview::seen_by;
use super::pages::{self, Frame, Listed, Own, Who};
use super::routes::{HOME, Page, Route, SIGN_IN};
use super::text::Texts;
use super::{Console, answer};
use crate::account::{Account, AccountError, list, scope_texts};
use crate::domain::{Right, Role, STOCKHOLM, Scope};
use crate::store::Store;

type Done = Result<Response, AccountError>;

/// A time as people in Sweden read it, with the offset, so that the hour that comes twice can be told.
pub(super) fn at(time: Timestamp) -> String {
    let zone = TimeZone::get(STOCKHOLM).unwrap_or(TimeZone::UTC);
    time.to_zoned(zone).strftime("%Y-%m-%d %H:%M %:z").to_string()
}

/// How long ago it was, in one unit.
pub(super) fn age(since: Timestamp, now: Timestamp, texts: &'static Texts) -> String {
    let seconds = now.duration_since(since).as_secs().max(0);
    let (count, words) = match seconds {
        0..120 => (seconds, texts.seconds),
        120..7_200 => (seconds / 60, texts.minutes),
        7_200..172_800 => (seconds / 3_600, texts.hours),
        _ => (seconds / 86_400, texts.days),
    };
    filled(words, &[&count.to_string()])
}

/// A text with its values.
pub(super) fn filled(text: &str, values: &[&str]) -> String {
    let mut parts = text.split("{}");
    let mut whole = parts.next().unwrap_or_default().to_owned();
    for (part, value) in parts.zip(values) {
        whole.push_str(value);
        whole.push_str(part);
    }
    whole
}

fn frame(passed: &Passed, path: &'static str) -> Frame {
    let who = passed.who.as_ref().map(|(token, entered)| Who {
        name: entered.account.name.to_string(),
        form: token.form().as_str().to_owned(),
        sees_people: entered.account.may(Right::Accounts),
    });
    Frame { t: passed.texts, path, who }
}

/// A template is compiled in: where it cannot be filled, the program is at fault.
fn shown(status: StatusCode, html: Result<String, askama::Error>, texts: &'static Texts) -> Response {
    match html {
        Ok(html) => answer::page(status, html),
        Err(_) => answer::error(StatusCode::INTERNAL_SERVER_ERROR, texts),
    }
}

/// Pages that are of nobody.
pub(super) fn open(passed: &Passed, route: &'static Route) -> Response {
    let frame = frame(passed, route.path);
    let html = match route.page {
        Page::Help => pages::help(&frame),
        Page::Accessibility => pages::accessibility(&frame),
        _ => return sign_in(passed, StatusCode::OK, ""),
    };
    shown(StatusCode::OK, html, passed.texts)
}

pub(super) fn sign_in(passed: &Passed, status: StatusCode, problem: &str) -> Response {
    shown(status, pages::sign_in(&frame(passed, SIGN_IN), problem), passed.texts)
}

pub(super) async fn overview<S: Store>(console: &Console<S>, passed: &Passed) -> Done {
    let Some((_, entered)) = &passed.who else { return Ok(answer::lead(SIGN_IN, None)) };
    let snapshot = console.snapshots.take(&console.store).await?;
    let overview = seen_by(&entered.account, &snapshot, &console.health, passed.texts);
    Ok(shown(StatusCode::OK, pages::overview(&frame(passed, HOME), &overview), passed.texts))
}

const fn role(account: &Account, texts: &'static Texts) -> &'static str {
    match account.role {
        Role::Viewer => texts.role_viewer,
        Role::Operator => texts.role_operator,
        Role::Privacy => texts.role_privacy,
        Role::Admin => texts.role_admin,
    }
}

fn scope(account: &Account, texts: &'static Texts) -> Vec<String> {
    match &account.scope {
        Scope::Everything => vec![texts.scope_all.to_owned()],
        areas @ Scope::Areas(_) => scope_texts(areas),
    }
}

pub(super) fn account(passed: &Passed, status: StatusCode, problem: &str) -> Response {
    let Some((_, entered)) = &passed.who else { return answer::lead(SIGN_IN, None) };
    let own = Own {
        role: role(&entered.account, passed.texts),
        scope: scope(&entered.account, passed.texts),
        since: at(entered.session.created_at),
    };
    shown(status, pages::account(&frame(passed, "/console/account"), &own, problem), passed.texts)
}

pub(super) async fn people<S: Store>(console: &Console<S>, passed: &Passed) -> Done {
    let listed = |account: &Account| Listed {
        name: account.name.to_string(),
        role: role(account, passed.texts),
        scope: scope(account, passed.texts),
        password_at: at(account.password_at),
        is_disabled: account.disabled_at.is_some(),
    };
    let people: Vec<Listed> = list(&console.store).await?.iter().map(listed).collect();
    Ok(shown(StatusCode::OK, pages::people(&frame(passed, "/console/people"), &people), passed.texts))
}

#[cfg(test)]
mod tests {
    use super::{age, at, filled};
    use crate::console::text::{EN, SV};

    #[test]
    fn times_are_swedish_with_the_offset_also_in_the_hour_that_comes_twice() {
        let shown = |text: &str| at(text.parse().expect("a time"));
        assert_eq!(shown("2026-07-01T10:00:00Z"), "2026-07-01 12:00 +02:00");
        assert_eq!(shown("2026-10-25T00:30:00Z"), "2026-10-25 02:30 +02:00");
        assert_eq!(shown("2026-10-25T01:30:00Z"), "2026-10-25 02:30 +01:00");
    }

    #[test]
    fn an_age_has_one_unit() {
        let now = "2026-03-02T12:00:00Z".parse().expect("a time");
        for (since, sv, en) in [
            ("2026-03-02T12:00:05Z", "0 s", "0 s"),
            ("2026-03-02T11:59:01Z", "59 s", "59 s"),
            ("2026-03-02T11:00:00Z", "60 min", "60 min"),
            ("2026-03-01T12:00:00Z", "24 tim", "24 h"),
            ("2026-02-20T12:00:00Z", "10 dygn", "10 days"),
        ] {
            let since = since.parse().expect("a time");
            assert_eq!((age(since, now, &SV), age(since, now, &EN)), (sv.to_owned(), en.to_owned()));
        }
        assert_eq!(filled("{} av {}", &["{}", "två"]), "{} av två", "a value is not filled in turn");
    }
}
