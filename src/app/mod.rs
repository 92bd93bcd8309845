//! Floor 5: wiring: the only place that knows every concrete type.

pub mod checked;
mod checkpoints;
mod desk;
mod drops;
pub mod embedded;
pub mod erasure;
mod folder;
pub mod migrate;
mod opened;
mod parts;
pub mod production;
mod relays;
mod reload;
pub mod restore;
pub mod retention;
mod sampler;
mod scenario;
mod service;
mod sweeper;
mod tireless;
mod wrapping_files;

pub use checkpoints::{Checkpoints, PUBLIC_KEY, WriteFault, public_keys};
pub use desk::{ConsoleFault, LinkedConsole};
pub use folder::{DataFolder, FolderError};
pub use opened::{OpenFault, Opened, alone, beside};
pub use scenario::{Scenario, ScenarioError, ScenarioMessage, name_parts};
pub use service::Service;
pub use wrapping_files::{HeldWrappingFiles, WrappingFiles};
