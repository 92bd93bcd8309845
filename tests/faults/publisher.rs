//! Posts messages as the municipality's systems do: with confirms, and again what was not confirmed.

use std::collections::BTreeMap;
use std::time::Duration;

use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel, Confirmation, Connection};

use super::load::Message;
use super::rabbit;

/// A publisher with a connection for each login.
pub(crate) struct Publisher {
    port: u16,
    channels: BTreeMap<&'static str, (Connection, Channel)>,
    /// Posts that were confirmed; a message that was posted twice counts twice.
    pub(crate) confirmed: usize,
    /// Posts that were tried again, because no confirm came.
    pub(crate) repeated: usize,
}

impl Publisher {
    /// A publisher to a port, past every proxy or through one.
    pub(crate) const fn to(port: u16) -> Self {
        Self { port, channels: BTreeMap::new(), confirmed: 0, repeated: 0 }
    }

    /// Posts messages, in order, until every one of them is confirmed.
    pub(crate) async fn post(&mut self, messages: &[Message]) {
        let mut left: Vec<&Message> = messages.iter().collect();
        while !left.is_empty() {
            let confirmed = self.attempt(&left).await;
            self.confirmed += confirmed.iter().filter(|confirmed| **confirmed).count();
            let mut each = confirmed.into_iter();
            left.retain(|_| !each.next().unwrap_or(false));
            if !left.is_empty() {
                self.repeated += left.len();
                self.channels.clear();
                tokio::time::sleep(Duration::from_millis(300)).await;
            }
        }
    }

    /// Posts all, then waits for the confirms; says of each whether it came.
    async fn attempt(&mut self, messages: &[&Message]) -> Vec<bool> {
        let mut waiting = Vec::new();
        for message in messages {
            let posted = tokio::time::timeout(Duration::from_secs(5), self.send(message)).await;
            waiting.push(posted.ok().and_then(Result::ok));
        }
        let mut confirmed = Vec::new();
        for confirm in waiting {
            let Some(confirm) = confirm else {
                confirmed.push(false);
                continue;
            };
            let answer = tokio::time::timeout(Duration::from_secs(5), confirm).await;
            // What comes back with its confirm could be routed nowhere: no queue has it.
            confirmed.push(matches!(answer, Ok(Ok(Confirmation::Ack(None)))));
        }
        confirmed
    }

    async fn send(&mut self, message: &Message) -> lapin::Result<lapin::PublisherConfirm> {
        if !self.channels.contains_key(message.login) {
            let connection = rabbit::connect(self.port, message.login).await?;
            let channel = connection.create_channel().await?;
            channel.confirm_select(ConfirmSelectOptions::default()).await?;
            self.channels.insert(message.login, (connection, channel));
        }
        let (_, channel) = &self.channels[message.login];
        let id = message.id.to_string();
        let properties = BasicProperties::default()
            .with_message_id(id.clone().into())
            .with_correlation_id(id.into())
            .with_timestamp(1_750_000_000)
            .with_type(message.contract.into())
            .with_content_type("application/json".into())
            .with_user_id(message.login.into())
            .with_delivery_mode(2)
            .with_headers(FieldTable::default());
        let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
        let key = message.routing_key();
        channel.basic_publish("brygga.in".into(), key.into(), options, &message.bytes, properties).await
    }
}
