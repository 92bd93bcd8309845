//! The one way to every page: who comes, what the route asks for, and, where something is changed, whether its own person
//! meant it.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::body::to_bytes;
use axum::extract::{ConnectInfo, Request};
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::Response;

use super::form::Form;
use super::routes::{Needs, Page, Route, SIGN_IN};
use super::text::Texts;
use super::{Console, answer, cookies, signing, style, view};
use crate::account::{AccountError, Entered, SessionToken, enter};
use crate::store::{Store, StoreError};
use crate::telemetry::{Event as _, Waiting};

/// The most bytes of a form.
const MOST_BODY: usize = 16 * 1024;

/// A request that has passed.
pub(super) struct Passed {
    /// Who comes, where somebody is signed in.
    pub(super) who: Option<(SessionToken, Entered)>,
    /// What the form says, or the query of a page.
    pub(super) form: Form,
    /// The texts in the person's language.
    pub(super) texts: &'static Texts,
    /// From where.
    pub(super) from: IpAddr,
    /// The session that was shown, good or not.
    pub(super) shown: Option<SessionToken>,
}

/// Asks who comes and what they may, and then shows or does what the route is for.
pub(super) async fn take<S: Store>(console: Console<S>, route: &'static Route, request: Request) -> Response {
    let texts = answer::texts(request.headers());
    let shown = cookies::session(request.headers(), console.is_secure);
    let from = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let from = from.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |from| from.0.ip());
    // Whoever only looks at a link has not followed it.
    if route.page == Page::Link && request.method() == Method::HEAD {
        return answer::error(StatusCode::METHOD_NOT_ALLOWED, texts);
    }
    if route.page == Page::Style {
        return style::answer();
    }
    if route.changes && !is_from_here(request.headers(), request.uri(), console.is_secure) {
        return answer::error(StatusCode::FORBIDDEN, texts);
    }
    let Some(form) = read(request, route.changes).await else { return answer::error(StatusCode::BAD_REQUEST, texts) };
    let who = match who(&console, shown.as_ref()).await {
        Ok(who) => who,
        Err(fault) => return fallen(&fault, texts),
    };
    if let Some(refused) = refused(route, who.as_ref(), &form, texts, console.is_secure) {
        return refused;
    }
    let passed = Passed { who, form, texts, from, shown };
    let done = match route.page {
        Page::Style | Page::SignIn | Page::Help | Page::Accessibility => Ok(view::open(&passed, route)),
        Page::Overview => view::overview(&console, &passed).await,
        Page::Account => Ok(view::account(&passed, StatusCode::OK, "")),
        Page::People => view::people(&console, &passed).await,
        Page::DoSignIn => signing::sign_in(&console, &passed).await,
        Page::Link => signing::by_link(&console, &passed).await,
        Page::SignOut => signing::sign_out_here(&console, &passed).await,
        Page::SignOutEverywhere => signing::sign_out_of_all(&console, &passed).await,
        Page::Password => signing::change_own_password(&console, &passed).await,
        Page::Language => Ok(signing::language(&console, &passed)),
    };
    done.unwrap_or_else(|fault| fallen(&fault, texts))
}

/// What the route asks for and whoever comes has not.
fn refused(
    route: &Route,
    who: Option<&(SessionToken, Entered)>,
    form: &Form,
    texts: &'static Texts,
    is_secure: bool,
) -> Option<Response> {
    match (route.needs, who) {
        (Needs::Nothing, _) => return None,
        (_, None) => return Some(answer::lead(SIGN_IN, cookies::clear_session(is_secure))),
        (Needs::Right(right), Some((_, entered))) if !entered.account.may(right) => {
            return Some(answer::error(StatusCode::FORBIDDEN, texts));
        }
        _ => {}
    }
    let meant = !route.changes || who.is_some_and(|(token, _)| token.made_form(form.text("form")));
    (!meant).then(|| answer::error(StatusCode::FORBIDDEN, texts))
}

/// Whose session was shown.
async fn who<S: Store>(
    console: &Console<S>,
    shown: Option<&SessionToken>,
) -> Result<Option<(SessionToken, Entered)>, AccountError> {
    let Some(token) = shown else { return Ok(None) };
    Ok(enter(&console.store, token).await?.map(|entered| (token.clone(), entered)))
}

/// Whether a form was sent from a page of this very origin. Every browser says so of what it sends by POST; who says nothing
/// is none.
fn is_from_here(headers: &HeaderMap, uri: &Uri, is_secure: bool) -> bool {
    let text = |name: header::HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    if headers.get("sec-fetch-site").is_some_and(|site| site != "same-origin") {
        return false;
    }
    // HTTP/2 names the host in the address.
    let host = uri.authority().map(axum::http::uri::Authority::as_str).or_else(|| text(header::HOST));
    let scheme = if is_secure { "https" } else { "http" };
    let own = host.map(|host| format!("{scheme}://{host}"));
    own.is_some() && text(header::ORIGIN) == own.as_deref()
}

/// The form, or the query of a page; `None` where it is too long or none.
async fn read(request: Request, changes: bool) -> Option<Form> {
    if !changes {
        return Form::read(request.uri().query().unwrap_or_default().as_bytes());
    }
    let media_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if media_type.split(';').next().map(str::trim) != Some("application/x-www-form-urlencoded") {
        return None;
    }
    let bytes = to_bytes(request.into_body(), MOST_BODY).await.ok()?;
    Form::read(&bytes)
}

/// What could not be done: the store is away, or the program has failed.
fn fallen(fault: &AccountError, texts: &'static Texts) -> Response {
    Waiting { part: "console", cause: fault }.emit();
    let waits = matches!(fault, AccountError::Store(StoreError::Away(_) | StoreError::Contended | StoreError::Behind(_)));
    let status = if waits { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::INTERNAL_SERVER_ERROR };
    answer::error(status, texts)
}
