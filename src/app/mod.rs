//! Floor 5: wiring: the only place that knows every concrete type.

pub mod embedded;
mod folder;
pub mod restore;
mod sampler;
mod scenario;
mod service;
mod sweeper;

pub use folder::{DataFolder, FolderError};
pub use sampler::sample;
pub use scenario::{Scenario, ScenarioError, ScenarioMessage, name_parts};
pub use service::Service;
pub use sweeper::sweep;
