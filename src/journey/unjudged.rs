//! Reports that cannot be judged any more, because the contracts have changed under them or their key is gone.

use super::{Journey, KeyedTx};
use crate::domain::{Code, ReportKey};
use crate::store::{LegState, Stored, StoredMessage, Tx};

impl Journey {
    /// Leaves a message's legs alone until something comes.
    pub(super) async fn rest<T: Tx>(&self, tx: &mut KeyedTx<T>, stored: &StoredMessage) -> Stored<()> {
        for mut leg in tx.legs(stored.number).await? {
            leg.due_at = None;
            tx.put_leg(&leg).await?;
        }
        Ok(())
    }

    /// Withdraws a report that cannot be judged any more.
    pub(super) async fn shut<T: Tx>(&self, tx: &mut KeyedTx<T>, stored: &StoredMessage, report: &ReportKey) -> Stored<()> {
        self.take_back(tx, stored, report, Code::ConsentRevoked).await?;
        for mut leg in tx.legs(stored.number).await? {
            if matches!(leg.state, LegState::Published | LegState::Held) {
                (leg.state, leg.code, leg.documents) = (LegState::Withdrawn, Some(Code::ConsentRevoked), 0);
            }
            leg.due_at = None;
            self.put_changed(tx, &leg, None).await?;
        }
        Ok(())
    }
}
