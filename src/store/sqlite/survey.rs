//! What the embedded store tells of the whole, in a transaction.

use jiff::Timestamp;

use super::{SqliteTx, Stored, audit, census, entries};
use crate::audit::{Chained, Head};
use crate::domain::{MessageNumber, RecipientId};
use crate::store::{AuditedAct, Census, HeldLeg, Standing, StoredMessage, Survey};

impl Survey for SqliteTx {
    async fn recipients(&mut self) -> Stored<Vec<RecipientId>> {
        entries::recipients(self.db()).await
    }

    async fn audited(&mut self, message: MessageNumber) -> Stored<Vec<AuditedAct>> {
        audit::of_message(self.db(), message).await
    }

    async fn audit_head(&mut self) -> Stored<Option<Head>> {
        audit::head(self.db()).await
    }

    async fn audit_links(&mut self, after: i64, limit: i64) -> Stored<Vec<Chained>> {
        audit::links(self.db(), after, limit).await
    }

    async fn audit_strays(&mut self) -> Stored<i64> {
        audit::strays(self.db()).await
    }

    async fn census(&mut self) -> Stored<Census> {
        census::census(self.db()).await
    }

    async fn standing(&mut self) -> Stored<Standing> {
        let now = self.now;
        census::standing(self.db(), now).await
    }

    async fn last_served(&mut self) -> Stored<Vec<(RecipientId, Option<Timestamp>)>> {
        census::last_served(self.db()).await
    }

    async fn recorded_consents(&mut self, limit: i64) -> Stored<Vec<StoredMessage>> {
        census::recorded_consents(self.db(), limit).await
    }

    async fn protected(&mut self) -> Stored<i64> {
        census::protected(self.db()).await
    }

    async fn held(&mut self) -> Stored<Vec<HeldLeg>> {
        census::held(self.db()).await
    }
}
