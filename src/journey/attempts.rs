//! A transaction that another stood in the way of is begun again, and how often.

/// Counts how often a transaction was begun again because another stood in its way.
#[derive(Debug, Default)]
pub(super) struct Attempts(u8);

impl Attempts {
    /// Whether to begin once more. Each time one transaction of those that collided goes through, so few are enough; after
    /// that it is a fault to wait out like any other.
    pub(super) const fn again(&mut self) -> bool {
        self.0 = self.0.saturating_add(1);
        self.0 < 10
    }
}
