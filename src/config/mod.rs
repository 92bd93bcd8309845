//! Floor 1: checked values of configuration. What exists here was checked before anything had an effect.

mod amqp;
mod audit;
mod console;
mod feed;
mod keys;
mod password;
mod relay;
mod retention;
mod section;
mod service;
mod store;

pub use amqp::{Amqp, BrokerUrl, BrokerUrlError};
pub use audit::Audit;
pub use console::{ConsoleConfig, ConsoleTls};
pub use feed::{
    ACKNOWLEDGE_WITHIN_HOURS, ClientMark, CrlSource, FeedAbout, FeedClient, FeedConfig, FeedConnections, FeedLimits, FeedTls,
};
pub use keys::{KeyStorePlace, KeysConfig};
pub use password::Password;
pub use relay::{Https, Relay, SystemAddress, SystemAddressError, Via};
pub use retention::RetentionConfig;
pub use section::{ConfigFault, Machine, Section, Surroundings};
pub use service::{Config, Contracts, Management, Spool};
pub use store::{DatabaseTls, Postgres, Store};

use std::net::SocketAddr;
use std::str::FromStr;

/// An address that may be listened on without TLS: on this machine alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoopbackAddr(SocketAddr);

/// An address that is not of this machine alone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Not an address and a port.
    #[error("an address is written 127.0.0.1:8480")]
    Form,
    /// Reachable from elsewhere.
    #[error("without TLS Brygga listens on loopback alone (127.0.0.0/8 or [::1]); any other address needs mutual TLS")]
    NotLoopback,
}

impl LoopbackAddr {
    /// The address.
    #[must_use]
    pub const fn get(self) -> SocketAddr {
        self.0
    }
}

impl FromStr for LoopbackAddr {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let address: SocketAddr = text.parse().map_err(|_| AddressError::Form)?;
        if address.ip().is_loopback() { Ok(Self(address)) } else { Err(AddressError::NotLoopback) }
    }
}

#[cfg(test)]
mod tests {
    use super::{AddressError, LoopbackAddr};

    #[test]
    fn only_loopback_is_taken_without_tls() {
        assert!("127.0.0.1:0".parse::<LoopbackAddr>().is_ok());
        assert!("[::1]:8480".parse::<LoopbackAddr>().is_ok());
        for elsewhere in ["0.0.0.0:8480", "192.0.2.1:8480", "[::]:8480"] {
            assert_eq!(elsewhere.parse::<LoopbackAddr>(), Err(AddressError::NotLoopback));
        }
        assert_eq!("localhost".parse::<LoopbackAddr>(), Err(AddressError::Form));
    }
}
