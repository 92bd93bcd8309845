//! What ties a message to others: the trace that it is part of, and the message that it belongs to. Neither decides anything.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

/// A `traceparent` of W3C Trace Context (level 1, section 3.2), as it was sent. One that breaks the form is dropped whole,
/// as the recommendation asks for, so nothing else than hexadecimal digits can hide in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceParent(String);

impl TraceParent {
    /// The header's value.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for TraceParent {
    type Err = ();

    /// Reads version 00, `00-<32 digits>-<16 digits>-<2 digits>`, in lower case, neither id all zeros. What a later version
    /// would add is not known here, and is not taken.
    fn from_str(text: &str) -> Result<Self, ()> {
        let hex = |part: &str, length: usize| {
            part.len() == length && part.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'a'..=b'f'))
        };
        let is_some_id = |part: &str| part.bytes().any(|b| b != b'0');
        let parts: Vec<&str> = text.split('-').collect();
        match parts.as_slice() {
            ["00", trace, parent, flags]
                if hex(trace, 32) && hex(parent, 16) && hex(flags, 2) && is_some_id(trace) && is_some_id(parent) =>
            {
                Ok(Self(text.to_owned()))
            }
            _ => Err(()),
        }
    }
}

/// What ties a message to others, as far as its sender says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Trace {
    /// The trace that it is part of.
    pub parent: Option<TraceParent>,
    /// The message that it belongs to.
    pub correlation_id: Option<Uuid>,
}

#[cfg(test)]
mod tests {
    use super::TraceParent;

    #[test]
    fn a_traceparent_is_taken_as_it_is_or_not_at_all() {
        let good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        assert_eq!(good.parse::<TraceParent>().map(|parent| parent.to_string()), Ok(good.to_owned()));
        for bad in [
            "",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "00-4bf92f3577b34da6a3ce929d0e0e473é-00f067aa0ba902b7-01",
        ] {
            assert_eq!(bad.parse::<TraceParent>(), Err(()), "{bad}");
        }
    }
}
