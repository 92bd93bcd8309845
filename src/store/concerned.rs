//! What a transaction is about to touch.

use uuid::Uuid;

use crate::domain::{Login, PersonKey, ReportKey};

/// What a transaction is about to touch: whose rows it locks, and what a store may read ahead.
#[derive(Debug, Clone, Default)]
pub struct Concerned {
    /// Participants of whom anything is stored or settled.
    pub persons: Vec<PersonKey>,
    /// Those of them of whom every report may be settled: a gate may open or shut, or protection begin.
    pub whole: Vec<PersonKey>,
    /// Reports that are settled.
    pub reports: Vec<ReportKey>,
    /// Ids under which messages come.
    pub receipts: Vec<(Login, Uuid)>,
}

impl Concerned {
    /// A participant with every report.
    #[must_use]
    pub fn whole(person: PersonKey) -> Self {
        Self { persons: vec![person], whole: vec![person], ..Self::default() }
    }

    /// The same, sorted and each once: locks are taken in this order.
    #[must_use]
    pub fn sorted(mut self) -> Self {
        for persons in [&mut self.persons, &mut self.whole] {
            persons.sort();
            persons.dedup();
        }
        self.reports.sort();
        self.reports.dedup();
        self.receipts.sort();
        self.receipts.dedup();
        self
    }
}
