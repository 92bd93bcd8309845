//! Checkpoints: how far the chain had come, signed with Ed25519, to be kept where nobody reaches who can write to the store.

use std::fmt;

use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use super::chain::Head;
use super::digest::{Digest, hex, unhex};

/// What stands before what is signed.
const SIGNED: &[u8] = b"brygga.audit.checkpoint.v1";

/// The form of a checkpoint's file.
const FORMAT: &str = "brygga-audit-checkpoint/1";

/// Why a checkpoint or its key cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointFault {
    /// A signing key is 32 bytes in base64.
    #[error("a signing key is 32 bytes in base64")]
    SigningKey,
    /// A public key is 32 bytes in base64.
    #[error("a public key is 32 bytes in base64")]
    PublicKey,
    /// The system gives no random numbers.
    #[error("the system gives no random numbers")]
    Random,
    /// The file is not one that Brygga has written.
    #[error("it is no checkpoint of the form {FORMAT}")]
    Form,
    /// The signature is not of this key and this content.
    #[error("the signature does not hold: the checkpoint was changed, or another key has signed it")]
    Signature,
}

/// How far the chain had come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The newest link.
    pub number: i64,
    /// Its hash.
    pub hash: Digest,
    /// When that was looked at.
    pub at: Timestamp,
    /// The epoch of the content: a restore begins another.
    pub epoch: u32,
}

/// The file, key by key.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    format: String,
    number: i64,
    hash: String,
    at: Timestamp,
    epoch: u32,
    signature: String,
}

impl Checkpoint {
    /// The chain's end, at a time, in an epoch.
    #[must_use]
    pub const fn of(head: Head, at: Timestamp, epoch: u32) -> Self {
        Self { number: head.number, hash: head.hash, at, epoch }
    }

    fn signed(&self) -> Vec<u8> {
        let mut bytes = SIGNED.to_vec();
        bytes.extend(self.number.to_be_bytes());
        bytes.extend(self.hash.as_bytes());
        bytes.extend(self.at.as_microsecond().to_be_bytes());
        bytes.extend(self.epoch.to_be_bytes());
        bytes
    }

    /// The text of its file: one line of JSON.
    ///
    /// # Errors
    /// None in practice: what is written here can always be.
    pub fn to_text(&self, key: &SigningKey) -> Result<String, CheckpointFault> {
        let signature = hex(key.pair.sign(&self.signed()).as_ref());
        let (number, hash, at, epoch) = (self.number, self.hash.to_hex(), self.at, self.epoch);
        let written = Written { format: FORMAT.to_owned(), number, hash, at, epoch, signature };
        serde_json::to_string(&written).map(|line| line + "\n").map_err(|_| CheckpointFault::Form)
    }

    /// Reads a file, and believes it only when the key has signed it.
    ///
    /// # Errors
    /// Where it is no checkpoint, or not of this key.
    pub fn read(text: &str, key: &PublicKey) -> Result<Self, CheckpointFault> {
        let written: Written = serde_json::from_str(text.trim_end()).map_err(|_| CheckpointFault::Form)?;
        let (hash, signature) = (Digest::from_hex(&written.hash), unhex(&written.signature));
        let (Some(hash), Some(signature), FORMAT) = (hash, signature, written.format.as_str()) else {
            return Err(CheckpointFault::Form);
        };
        let checkpoint = Self { number: written.number, hash, at: written.at, epoch: written.epoch };
        let key = UnparsedPublicKey::new(&ED25519, &key.0);
        key.verify(&checkpoint.signed(), &signature).map_err(|_| CheckpointFault::Signature)?;
        Ok(checkpoint)
    }
}

/// What checkpoints are signed with.
pub struct SigningKey {
    pair: Ed25519KeyPair,
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(..)")
    }
}

impl SigningKey {
    /// A new secret, in base64 as a file holds it.
    ///
    /// # Errors
    /// Where the system gives no random numbers.
    pub fn new_secret() -> Result<SecretString, CheckpointFault> {
        let mut seed = [0; 32];
        SystemRandom::new().fill(&mut seed).map_err(|_| CheckpointFault::Random)?;
        Ok(SecretString::from(STANDARD.encode(seed)))
    }

    /// Reads a secret.
    ///
    /// # Errors
    /// Where it is no key.
    pub fn read(secret: &SecretString) -> Result<Self, CheckpointFault> {
        let seed = STANDARD.decode(secret.expose_secret().trim()).map_err(|_| CheckpointFault::SigningKey)?;
        let pair = Ed25519KeyPair::from_seed_unchecked(&seed).map_err(|_| CheckpointFault::SigningKey)?;
        Ok(Self { pair })
    }

    /// What its signatures are checked with.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey(self.pair.public_key().as_ref().to_vec())
    }
}

/// What signatures are checked with; it is no secret, and is kept where the checkpoints are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey(Vec<u8>);

impl PublicKey {
    /// Reads base64.
    ///
    /// # Errors
    /// Where it is no key.
    pub fn read(text: &str) -> Result<Self, CheckpointFault> {
        let bytes = STANDARD.decode(text.trim()).map_err(|_| CheckpointFault::PublicKey)?;
        if bytes.len() == 32 { Ok(Self(bytes)) } else { Err(CheckpointFault::PublicKey) }
    }

    /// The key in base64.
    #[must_use]
    pub fn to_text(&self) -> String {
        STANDARD.encode(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::{Checkpoint, CheckpointFault, PublicKey, SigningKey};
    use crate::audit::Digest;

    #[test]
    fn a_checkpoint_that_was_changed_or_signed_by_another_is_not_believed() {
        let key = SigningKey::read(&SigningKey::new_secret().expect("random numbers")).expect("a key");
        let at: Timestamp = "2026-03-02T12:00:00.000001Z".parse().expect("an instant");
        let checkpoint = Checkpoint { number: 7, hash: Digest::ZERO, at, epoch: 2 };
        let text = checkpoint.to_text(&key).expect("written");
        let public = PublicKey::read(&key.public().to_text()).expect("a key");
        assert_eq!(Checkpoint::read(&text, &public), Ok(checkpoint));
        for (from, to) in [("\"number\":7", "\"number\":8"), (":2,", ":3,"), ("00000", "00001"), ("12:00", "12:01")] {
            assert_eq!(Checkpoint::read(&text.replacen(from, to, 1), &public), Err(CheckpointFault::Signature), "{from}");
        }
        let other = SigningKey::read(&SigningKey::new_secret().expect("random numbers")).expect("a key");
        assert_eq!(Checkpoint::read(&text, &other.public()), Err(CheckpointFault::Signature));
        assert_eq!(Checkpoint::read("{}", &public), Err(CheckpointFault::Form));
        assert_eq!(PublicKey::read("c2hvcnQ="), Err(CheckpointFault::PublicKey));
    }
}
