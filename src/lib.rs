//! **Brygga** carries participant activity reports from a Swedish municipality to Arbetsförmedlingen (AF), under a signed
//! cooperation agreement and the participant's consent, and shows to nobody more than that nobody may see.
//!
//! # In what order to read
//! The modules below stand in the order of the floors; a file uses lower floors only, and a test proves it.
//!
//! - Floor 0, [`domain`]: the words of the field as types.
//! - Floor 1, [`config`] and [`telemetry`]: checked values; one struct for each happening that is logged. `faults`: the
//!   fail points of the fault runs, which are not in this build unless its feature is on.
//! - Floor 2, the stages, pure and in the order of the way: [`intake`] > [`protection`] > [`contract`] > [`law`] >
//!   [`agreement`] > [`consent`] > [`filter`] > [`translate`] > [`feed`].
//! - Floor 3, the way as a whole: [`account`], [`answer`], [`seal`], [`store`] (the port), [`audit`], [`journey`],
//!   [`receipt`], [`dead_letter`], [`change`], [`records`], [`subject`].
//! - Floor 4, the outside world: [`store::sqlite`], [`amqp`], [`spool`], [`http`], [`console`], [`remote`], [`page`].
//! - Floor 5, wiring: [`app`], [`cli`], [`shutdown`].
//!
//! # One message on its way
//! A supplier drops `inbox/hallefors-ame/activity-report.v1.<id>.json`. [`spool::Inbox`] hands its bytes to
//! [`journey::Journey::take`], which opens one transaction for a batch. [`intake::decode`] makes a neutral document of the
//! bytes, [`protection::identify`] reads whom it is about and diverts protected persons, [`contract::check`] holds it
//! against its versioned contract, and [`agreement::cover`] fans it out to the recipients of the dated terms. For each leg
//! [`consent::permit`] asks the gate, [`filter::disclose`] builds a new document of allowed fields alone,
//! [`translate::render`] writes it in the recipient's format, and the participant's data key
//! ([`seal::DataKey`]) seals it. [`store::Feeds::publish`] gives it
//! a position in the recipient's feed, the transaction commits, and only then is the file deleted. When AF asks
//! [`http`] for its feed, [`journey::Journey::page`] asks once more whether each entry may be served. The sender's system gets
//! an [`answer`] in a feed of its own, and [`spool::Outbox`], [`amqp::AmqpCourier`] or [`remote::HttpsCourier`] delivers it.
//!
//! Every stage takes the one before by value; nobody can skip one, because only the module that does the work can make its
//! result. What a message comes to is decided anew from all that is recorded ([`journey::Journey::settle_report`]), so the
//! order of arrival does not matter.
//!
//! # What is deliberately absent
//! No field is ever removed from a full document: the filter builds new ones. No `Serialize` and no telling `Debug` on
//! documents and persons. No clock below the store's. No way into a feed but a sealed rendition, or an answer that has no content.

pub mod domain;

pub mod config;
mod faults;
pub mod telemetry;

pub mod intake;

pub mod protection;

pub mod contract;

pub mod law;

pub mod agreement;

pub mod consent;

pub mod filter;

pub mod translate;

pub mod feed;

pub mod account;
pub mod answer;
pub mod audit;
pub mod seal;
pub mod store;

pub mod receipt;

pub mod journey;

pub mod change;
pub mod dead_letter;
pub mod subject;

pub mod records;

pub mod amqp;
pub mod console;
pub mod http;
pub mod page;
pub mod remote;
pub mod spool;

pub mod app;
pub mod cli;
pub mod shutdown;
