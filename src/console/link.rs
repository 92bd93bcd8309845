//! A link by which whoever sits at the machine enters once, without a password: for the demo on loopback.

use std::sync::{Arc, Mutex, PoisonError};

use crate::account::{AccountError, AccountName, SessionToken};

/// What is left of a link: nothing once it was used. A service has none.
#[derive(Debug, Clone, Default)]
pub struct SignInLink(Arc<Mutex<Option<(SessionToken, AccountName)>>>);

impl SignInLink {
    /// A new link for an account, with what stands behind `?link=` in its address.
    ///
    /// # Errors
    /// Where the system gives no random numbers.
    pub fn new(account: AccountName) -> Result<(Self, String), AccountError> {
        let token = SessionToken::random()?;
        let text = token.text();
        Ok((Self(Arc::new(Mutex::new(Some((token, account))))), text))
    }

    /// Whose account a link opens. It is used up by that, and by nothing else.
    pub(super) fn take(&self, text: &str) -> Option<AccountName> {
        let shown = SessionToken::read(text)?;
        let mut left = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Digests are compared, so that how long it takes says nothing of the link.
        if left.as_ref().is_some_and(|(token, _)| token.digest() == shown.digest()) {
            return left.take().map(|(_, account)| account);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::SignInLink;

    #[test]
    fn a_link_is_good_once_and_no_other_is() {
        let (link, text) = SignInLink::new("demo".parse().expect("a name")).expect("random numbers");
        let (_, other) = SignInLink::new("demo".parse().expect("a name")).expect("random numbers");
        assert!(link.take(&other).is_none() && link.take("").is_none());
        assert_eq!(link.clone().take(&text).map(|name| name.to_string()).as_deref(), Some("demo"));
        assert!(link.take(&text).is_none(), "it was used");
        assert!(SignInLink::default().take(&text).is_none());
    }
}
