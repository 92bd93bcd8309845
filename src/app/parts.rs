//! The parts of a running service, by name: one that ends before the service is told to stop has failed.

use std::collections::HashMap;
use std::future::Future;

use tokio::task::{Id, JoinSet};

/// Tasks that each are a part of the service.
#[derive(Debug, Default)]
pub(super) struct Parts {
    tasks: JoinSet<()>,
    names: HashMap<Id, &'static str>,
}

impl Parts {
    /// Starts a part.
    pub(super) fn spawn(&mut self, name: &'static str, part: impl Future<Output = ()> + Send + 'static) {
        let id = self.tasks.spawn(part).id();
        self.names.insert(id, name);
    }

    /// Waits until one of them has ended, in whatever way, and says which; `None` where none is left.
    pub(super) async fn ended(&mut self) -> Option<&'static str> {
        let id = match self.tasks.join_next_with_id().await? {
            Ok((id, ())) => id,
            // Where it failed is in the log already, by the hook for panics.
            Err(error) => error.id(),
        };
        Some(self.names.remove(&id).unwrap_or("a part"))
    }
}

#[cfg(test)]
mod tests {
    use super::Parts;

    #[tokio::test]
    async fn a_part_that_panics_is_told_by_its_name() {
        let mut parts = Parts::default();
        parts.spawn("endless", std::future::pending());
        parts.spawn("broken", async { panic!("on purpose") });
        assert_eq!(parts.ended().await, Some("broken"));
    }

    #[tokio::test]
    async fn where_no_part_is_left_none_has_ended() {
        let mut parts = Parts::default();
        parts.spawn("short", async {});
        assert_eq!((parts.ended().await, parts.ended().await), (Some("short"), None));
    }
}
