//! Real servers, private to the tests: on free loopback ports, in folders of their own, gone with the test process.

pub(crate) mod keeper;
pub(crate) mod postgres;
pub(crate) mod rabbit;
