//! Floor 3: what is held about one participant, gathered for the participant (GDPR article 15), and what was disclosed of
//! whom, gathered for the authority that has to be told of a breach (article 33).
//!
//! Both are readings by a person, with a reason, and leave rows in the audit log.

mod breach;
mod extract;
mod legs;

pub use breach::{Breach, Disclosed, Span, breach};
pub use extract::{Act, Content, Extract, Held, Sent, extract};
pub use legs::Leg;
