//! Floor 0: the words of the field as types.
//!
//! Nothing here does I/O, has a clock of its own or knows a library of the outside world. A value that exists is a
//! value that was checked: every type is parsed once, at the door, and carries the proof from there on.

mod category;
mod code;
mod consent;
mod document;
mod envelope;
mod files;
mod gate;
mod id;
mod named;
mod operator;
mod party;
mod path;
mod person;
mod place;
mod receipt;
mod refusal;
mod shape;
mod time;
mod trace;

pub use category::{Categories, Category, Sensitivity};
pub use code::{Code, UnknownCode};
pub use consent::{ConsentKind, ConsentRevision};
pub use document::Document;
pub use envelope::{ContractRef, Envelope, Syntax};
pub use files::{Files, Flaw, Flaws};
pub use gate::GateKind;
pub use id::{Fingerprint, Keys, LegId, MessageNumber, Position, ReportKey, Subject};
pub(crate) use named::named;
pub use operator::{Area, Operator, Right, Role, Scope};
pub use party::{KommunCode, Login, OrganisationNumber, Party, RecipientId, System};
pub use path::FieldPath;
pub use person::{BirthDate, PersonError, PersonKey, PersonNumber};
pub use place::{Place, Step};
pub use receipt::ReceiptKind;
pub use refusal::{Refusal, Violation};
pub use shape::{Field, Format, Leaf, LeafKind, List, Object, Outline, Roles, Shape};
pub use time::{STOCKHOLM, TimeError, activity_instant, calendar_date, date_of};
pub use trace::{Trace, TraceParent};
