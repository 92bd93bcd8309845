//! Who reads: the recipient whose feed it is, and the connection that vouches for it. Decided by the listener alone.

use std::sync::Arc;

use super::problem::Problem;
use super::tls::{Peer, Trust};
use crate::domain::RecipientId;

/// The reader of one request.
#[derive(Debug, Clone)]
pub(super) struct Reader {
    recipient: RecipientId,
    /// Over mutual TLS, who the other end is and who decides whether it is let in.
    vouched: Option<(Trust, Arc<Peer>)>,
}

impl Reader {
    /// Whoever reaches a listener on loopback.
    pub(super) const fn local(recipient: RecipientId) -> Self {
        Self { recipient, vouched: None }
    }

    /// The holder of a certificate, if it is let in now.
    ///
    /// # Errors
    /// [`Problem::Certificate`] or [`Problem::Client`].
    pub(super) fn of_peer(trust: &Trust, peer: &Arc<Peer>) -> Result<Self, Problem> {
        let recipient = trust.admit(peer)?;
        Ok(Self { recipient, vouched: Some((trust.clone(), Arc::clone(peer))) })
    }

    /// Whose feed it reads.
    pub(super) const fn recipient(&self) -> &RecipientId {
        &self.recipient
    }

    /// Whether it is still let in, and still to the same feed.
    ///
    /// # Errors
    /// As [`of_peer`](Self::of_peer).
    pub(super) fn admitted(&self) -> Result<(), Problem> {
        let Some((trust, peer)) = &self.vouched else { return Ok(()) };
        if trust.admit(peer)? == self.recipient { Ok(()) } else { Err(Problem::Client) }
    }
}
