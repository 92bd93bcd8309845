//! Recorded consents that were judged before. Every report asks for its participant's consents, and to open and judge them
//! anew each time costs more than the report itself.
//!
//! What a message was judged to be is a function of its sealed bytes, its envelope and the set of contracts. An entry is found
//! by a digest of the first and compared with the second; the third is the journey's own, and a journey of another set
//! remembers nothing. Whether the participant's key still stands is asked each time, by the one who recalls: an erasure is
//! never overlooked. What is remembered are dates, categories and keyed digests, no text of a message.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::domain::{ConsentRevision, Envelope};
use crate::seal::{SealedBytes, SealedDigest};

/// Entries of one generation. The older generation goes when the newer is full, so that at most twice as many are kept.
const GENERATION: usize = 20_000;

/// Judged consents, found by what they were judged from.
#[derive(Default)]
pub(super) struct Recall(Mutex<Generations>);

#[derive(Default)]
struct Generations {
    newer: HashMap<SealedDigest, (Envelope, ConsentRevision)>,
    older: HashMap<SealedDigest, (Envelope, ConsentRevision)>,
}

impl Generations {
    fn keep(&mut self, digest: SealedDigest, known: (Envelope, ConsentRevision)) {
        if self.newer.len() >= GENERATION {
            self.older = std::mem::take(&mut self.newer);
        }
        self.newer.insert(digest, known);
    }
}

impl Recall {
    /// What these bytes under this envelope were judged to be.
    pub(super) fn recall(&self, sealed: &SealedBytes, envelope: &Envelope) -> Option<ConsentRevision> {
        let digest = sealed.digest();
        let mut generations = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, revision)) = generations.newer.get(&digest) {
            return (of == envelope).then(|| revision.clone());
        }
        let known = generations.older.remove(&digest)?;
        let revision = (known.0 == *envelope).then(|| known.1.clone());
        generations.keep(digest, known);
        revision
    }

    /// Remembers it.
    pub(super) fn remember(&self, sealed: &SealedBytes, envelope: &Envelope, revision: &ConsentRevision) {
        let mut generations = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        generations.keep(sealed.digest(), (envelope.clone(), revision.clone()));
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use uuid::Uuid;

    use super::{GENERATION, Recall};
    use crate::domain::{
        Categories, ConsentKind, ConsentRevision, Envelope, Login, OrganisationNumber, Party, ReportKey, Syntax, Trace,
    };
    use crate::seal::SealedBytes;

    fn envelope(id: u128) -> Envelope {
        Envelope {
            login: Login::try_from("a-login".to_owned()).expect("a login"),
            message_id: Uuid::from_u128(id),
            contract: "consent.v1".parse().expect("a contract"),
            syntax: Syntax::Json,
            message_time: Timestamp::UNIX_EPOCH,
            received_at: Timestamp::UNIX_EPOCH,
            trace: Trace::default(),
        }
    }

    fn revision(number: i64) -> ConsentRevision {
        ConsentRevision {
            key: ReportKey::from_slice(&[1; 32]).expect("32 bytes"),
            organisation: "212000-1942".parse::<OrganisationNumber>().expect("a number"),
            revision: number,
            kind: ConsentKind::SecrecyWaiver,
            disclosing: String::new(),
            receiving: Party::Arbetsformedlingen,
            categories: Categories::NONE,
            agreement: String::new(),
            from: jiff::civil::date(2026, 1, 1),
            to: jiff::civil::date(2026, 1, 2),
            given_at: Timestamp::UNIX_EPOCH,
            confirmed_at: None,
            revoked_at: None,
            revoked_categories: None,
        }
    }

    fn sealed(number: u64) -> SealedBytes {
        SealedBytes::from_stored(number.to_be_bytes().to_vec())
    }

    #[test]
    fn other_bytes_and_another_envelope_are_never_recalled() {
        let recall = Recall::default();
        recall.remember(&sealed(1), &envelope(1), &revision(7));
        assert_eq!(recall.recall(&sealed(1), &envelope(1)), Some(revision(7)));
        assert_eq!(recall.recall(&sealed(2), &envelope(1)), None, "one byte was changed");
        assert_eq!(recall.recall(&sealed(1), &envelope(2)), None, "the row is another's");
    }

    #[test]
    fn what_is_asked_for_stays_and_the_rest_goes() {
        let recall = Recall::default();
        recall.remember(&sealed(0), &envelope(0), &revision(1));
        recall.remember(&sealed(1), &envelope(0), &revision(1));
        let most = u64::try_from(GENERATION * 3).expect("a number");
        for number in 2..most {
            recall.remember(&sealed(number), &envelope(0), &revision(1));
            if number % 1_000 == 0 {
                assert!(recall.recall(&sealed(0), &envelope(0)).is_some(), "it was asked for all the time");
            }
        }
        assert_eq!(recall.recall(&sealed(1), &envelope(0)), None, "nobody has asked for it");
    }
}
