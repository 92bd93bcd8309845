//! The message broker, on a real RabbitMQ: messages in, what goes back, and every fault that a broker has.

mod courier;
mod envelopes;
mod faults;
mod flow;
mod poison;
mod shared;
mod tls;
pub(crate) mod world;
