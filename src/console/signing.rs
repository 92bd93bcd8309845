//! What changes something about the person who comes: signing in and out, the own password, the language.

use std::time::Instant;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use secrecy::SecretString;

use super::gate::Passed;
use super::routes::{HOME, SIGN_IN, known};
use super::{Console, answer, cookies, view};
use crate::account::{
    AccountError, PasswordFault, SignIn, Try, change_password, open_for, sign_in as try_in, sign_out, sign_out_everywhere,
};
use crate::store::Store;

type Done = Result<Response, AccountError>;

pub(super) async fn sign_in<S: Store>(console: &Console<S>, passed: &Passed) -> Done {
    let password = SecretString::from(passed.form.text("password"));
    let name = passed.form.text("name");
    let one = Try { name, password: &password, from: passed.from, at: Instant::now(), former: passed.shown.as_ref() };
    let texts = passed.texts;
    match try_in(&console.store, &console.passwords, &console.throttle, one).await? {
        SignIn::Open(_, token) => Ok(answer::lead(HOME, cookies::set_session(&token, console.is_secure))),
        SignIn::Refused => Ok(view::sign_in(passed, StatusCode::FORBIDDEN, texts.sign_in_refused)),
        SignIn::Wait(wait) => {
            let mut response = view::sign_in(passed, StatusCode::TOO_MANY_REQUESTS, texts.sign_in_wait);
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(wait.as_secs().saturating_add(1)));
            Ok(response)
        }
        SignIn::Busy => Ok(view::sign_in(passed, StatusCode::SERVICE_UNAVAILABLE, texts.sign_in_busy)),
    }
}

/// A link that was used, or never was, looks like a page that is not there.
pub(super) async fn by_link<S: Store>(console: &Console<S>, passed: &Passed) -> Done {
    let Some(name) = console.link.take(passed.form.text("link")) else {
        return Ok(answer::error(StatusCode::NOT_FOUND, passed.texts));
    };
    let token = open_for(&console.store, &name).await?;
    Ok(answer::lead(HOME, cookies::set_session(&token, console.is_secure)))
}

pub(super) async fn sign_out_here<S: Store>(console: &Console<S>, passed: &Passed) -> Done {
    if let Some((_, entered)) = &passed.who {
        sign_out(&console.store, &entered.session).await?;
    }
    Ok(answer::lead(SIGN_IN, cookies::clear_session(console.is_secure)))
}

pub(super) async fn sign_out_of_all<S: Store>(console: &Console<S>, passed: &Passed) -> Done {
    if let Some((_, entered)) = &passed.who {
        sign_out_everywhere(&console.store, &entered.account.name).await?;
    }
    Ok(answer::lead(SIGN_IN, cookies::clear_session(console.is_secure)))
}

pub(super) async fn change_own_password<S: Store>(console: &Console<S>, passed: &Passed) -> Done {
    let Some((_, entered)) = &passed.who else { return Ok(answer::lead(SIGN_IN, None)) };
    let texts = passed.texts;
    let name = &entered.account.name;
    // Whoever has found an open session must not guess the password in it.
    if console.throttle.begin(Some(name), passed.from, Instant::now()).is_err() {
        return Ok(view::account(passed, StatusCode::TOO_MANY_REQUESTS, texts.sign_in_wait));
    }
    let (present, new) = (passed.form.text("present"), passed.form.text("new"));
    if new != passed.form.text("again") {
        return Ok(view::account(passed, StatusCode::UNPROCESSABLE_ENTITY, texts.password_differs));
    }
    let (present, new) = (SecretString::from(present), SecretString::from(new));
    let words = match change_password(&console.store, &console.passwords, &entered.account, &present, &new).await {
        Ok(_) => {
            console.throttle.succeeded(name, passed.from);
            return Ok(answer::lead(SIGN_IN, cookies::clear_session(console.is_secure)));
        }
        Err(AccountError::Wrong) => texts.password_wrong,
        Err(AccountError::Password(PasswordFault::Short)) => texts.password_short,
        Err(AccountError::Password(_)) => texts.password_weak,
        Err(fault) => return Err(fault),
    };
    Ok(view::account(passed, StatusCode::UNPROCESSABLE_ENTITY, words))
}

pub(super) fn language<S>(console: &Console<S>, passed: &Passed) -> Response {
    let back = known(passed.form.text("back"));
    answer::lead(back, cookies::set_language(passed.form.text("language") == "en", console.is_secure))
}
