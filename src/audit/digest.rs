//! SHA-256 as a value, with its hexadecimal form.

use std::fmt;

use aws_lc_rs::digest::{Context, SHA256};

/// A SHA-256.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest([u8; Self::LENGTH]);

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({})", hex(&self.0))
    }
}

impl Digest {
    /// Bytes of a digest.
    pub const LENGTH: usize = 32;

    /// What stands before the first link.
    pub const ZERO: Self = Self([0; Self::LENGTH]);

    pub(super) fn finish(context: Context) -> Self {
        let mut digest = [0; Self::LENGTH];
        digest.copy_from_slice(context.finish().as_ref());
        Self(digest)
    }

    /// Takes stored bytes; `None` where the length is wrong.
    #[must_use]
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// Reads the hexadecimal form, in small letters alone.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        Self::from_slice(&unhex(text)?)
    }

    /// The bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The hexadecimal form, in small letters.
    #[must_use]
    pub fn to_hex(&self) -> String {
        hex(&self.0)
    }
}

/// SHA-256 over parts, one after the other: whoever asks sees to it that their lengths are known.
pub(super) fn sha256(parts: &[&[u8]]) -> Digest {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(part);
    }
    Digest::finish(context)
}

/// Bytes in hexadecimal, in small letters.
pub(super) fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect()
}

/// Reads hexadecimal in small letters.
pub(super) fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: &u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    pairs.iter().map(|[high, low]| Some((digit(high)? << 4) | digit(low)?)).collect()
}
