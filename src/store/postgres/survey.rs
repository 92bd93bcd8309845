//! What the shared store tells of the whole, in a transaction.

use jiff::Timestamp;

use super::fault::away;
use super::read::recipient as recipient_of;
use super::{PgTx, audit, census, sql};
use crate::audit::{Chained, Head};
use crate::domain::{MessageNumber, RecipientId};
use crate::store::{AuditedAct, Census, HeldLeg, Standing, Stored, StoredMessage, Survey};

impl Survey for PgTx {
    async fn recipients(&mut self) -> Stored<Vec<RecipientId>> {
        self.write_out().await?;
        let found = sqlx::query(sql::RECIPIENTS).fetch_all(self.db()).await.map_err(away)?;
        found.iter().map(|row| recipient_of(row, "recipient")).collect()
    }

    async fn audited(&mut self, message: MessageNumber) -> Stored<Vec<AuditedAct>> {
        self.audited_of(message).await
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
        self.write_out().await?;
        census::census(self.db()).await
    }

    async fn standing(&mut self) -> Stored<Standing> {
        self.write_out().await?;
        let now = self.now;
        census::standing(self.db(), now).await
    }

    async fn last_served(&mut self) -> Stored<Vec<(RecipientId, Option<Timestamp>)>> {
        self.write_out().await?;
        census::last_served(self.db()).await
    }

    async fn recorded_consents(&mut self, limit: i64) -> Stored<Vec<StoredMessage>> {
        self.write_out().await?;
        census::recorded_consents(self.db(), limit).await
    }

    async fn protected(&mut self) -> Stored<i64> {
        census::protected(self.db()).await
    }

    async fn held(&mut self) -> Stored<Vec<HeldLeg>> {
        self.write_out().await?;
        census::held(self.db()).await
    }
}
