//! The operators' console of a service: its place is taken and its certificate read before anything is touched; pages are shown
//! once the stores are open.

use std::future::Future;
use std::net::SocketAddr;

use tokio::sync::watch;

use super::parts::Parts;
use crate::account::{self, AccountError, AccountName, Passwords, generate_password};
use crate::config::{ConsoleConfig, LoopbackAddr};
use crate::console::{Console, LINK, SignInLink};
use crate::domain::{Role, Scope};
use crate::http::{PagesBound, Shown, TlsPlace, TrustFault};
use crate::store::Store;
use crate::telemetry::Health;

/// Why a console cannot be started as it is configured.
#[derive(Debug, thiserror::Error)]
pub enum ConsoleFault {
    /// Its address cannot be listened on.
    #[error("{0} cannot be listened on: {1}")]
    Listen(SocketAddr, std::io::Error),
    /// Its certificate.
    #[error("the console's certificate cannot be used:\n{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Certificate(Vec<TrustFault>),
}

/// Where the console will be shown, and by which certificate.
#[derive(Debug)]
pub(super) struct ConsoleParts {
    listen: SocketAddr,
    place: TlsPlace,
    shown: Option<Shown>,
}

impl ConsoleParts {
    /// Takes the place and reads the certificate; nobody is heard yet.
    pub(super) fn take(config: &ConsoleConfig, health: &Health) -> Result<Self, ConsoleFault> {
        let shown = config.tls.as_ref().map(|tls| Shown::open(tls, health)).transpose();
        let only = |faults: Vec<(_, TrustFault)>| faults.into_iter().map(|(_, fault)| fault).collect();
        let shown = shown.map_err(|faults| ConsoleFault::Certificate(only(faults)))?;
        let listen = config.listen;
        let place = TlsPlace::take(listen).map_err(|error| ConsoleFault::Listen(listen, error))?;
        Ok(Self { listen, place, shown })
    }

    /// Shows pages over a store from now on.
    pub(super) fn start<S: Store>(
        self,
        store: S,
        health: &Health,
        stopping: &watch::Receiver<bool>,
        parts: &mut Parts,
    ) -> Result<(), ConsoleFault> {
        let bound = PagesBound::listen(self.place).map_err(|error| ConsoleFault::Listen(self.listen, error))?;
        let router = Console::new(store, health.clone(), self.shown.is_some()).router();
        if let Some(shown) = &self.shown {
            parts.spawn("console.tls", shown.clone().watch(stopping.clone()));
        }
        parts.spawn("console", bound.serve(router, self.shown, stopping.clone()));
        Ok(())
    }
}

/// A console on loopback that whoever sits at the machine enters by a link: the demo's.
#[derive(Debug)]
pub struct LinkedConsole {
    bound: PagesBound,
}

impl LinkedConsole {
    /// Binds an address; port 0 takes a free one.
    ///
    /// # Errors
    /// Where the address cannot be had.
    pub fn bind(address: LoopbackAddr) -> std::io::Result<Self> {
        Ok(Self { bound: PagesBound::listen(TlsPlace::take(address.get())?)? })
    }

    /// Shows pages over a store until told to stop. Gives the link, which is good once, and what shows them.
    ///
    /// # Errors
    /// Where the store is away, the system gives no random numbers, or does not tell the address.
    pub async fn open<S: Store>(
        self,
        store: S,
        role: Role,
        stopping: watch::Receiver<bool>,
    ) -> Result<(String, impl Future<Output = ()> + Send + 'static), AccountError> {
        let name = of_the_link(&store, role).await?;
        let (link, text) = SignInLink::new(name)?;
        let address = self.bound.address().map_err(|_| AccountError::Random)?;
        let router = Console::new(store, Health::default(), false).with_link(link).router();
        Ok((format!("http://{address}{LINK}?link={text}"), self.bound.serve(router, None, stopping)))
    }
}

/// The account that a link opens. Nobody knows its password.
async fn of_the_link<S: Store>(store: &S, role: Role) -> Result<AccountName, AccountError> {
    let name: AccountName = "demo".parse().map_err(|_| AccountError::Unknown)?;
    let password = generate_password()?;
    let new = (name.clone(), role, Scope::Everything);
    match account::add(store, &Passwords::default(), "brygga", new, &password).await {
        Ok(_) | Err(AccountError::Taken) => Ok(name),
        Err(fault) => Err(fault),
    }
}
