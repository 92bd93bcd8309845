//! One happening, one struct: `emit` writes its line.

/// A happening that can be logged.
pub trait Event {
    /// Writes the line.
    fn emit(&self);
}

/// A message was taken and is durable.
#[derive(Debug)]
pub struct MessageTaken {
    /// The store's number of it.
    pub number: i64,
    /// What became of it: a word of a closed set.
    pub state: &'static str,
}

impl Event for MessageTaken {
    fn emit(&self) {
        tracing::info!(message.number = self.number, message.state = self.state, "message taken");
    }
}

/// A file of the spool has a name that tells neither contract nor message id. The name itself is not logged: anything may
/// stand in it.
#[derive(Debug)]
pub struct FileUnreadable<'a> {
    /// In whose folder it lay.
    pub login: &'a str,
}

impl Event for FileUnreadable<'_> {
    fn emit(&self) {
        tracing::warn!(sender.login = self.login, "a file's name cannot be read; it lies in failed/ now");
    }
}

/// A file of the spool can be neither read, moved nor deleted; it is left alone until the service starts again.
#[derive(Debug)]
pub struct FileStuck<'a> {
    /// In whose folder it lies.
    pub login: &'a str,
}

impl Event for FileStuck<'_> {
    fn emit(&self) {
        tracing::error!(sender.login = self.login, "a file cannot be read, moved or deleted; look at its rights");
    }
}

/// Store or files could not be used; nothing is acknowledged until they can.
#[derive(Debug)]
pub struct Waiting<'a> {
    /// Who waits for it.
    pub part: &'static str,
    /// Why, in words that hold no values of rows.
    pub cause: &'a dyn std::error::Error,
}

impl Event for Waiting<'_> {
    fn emit(&self) {
        tracing::error!(part = self.part, cause = %self.cause, "waiting for the cause to end");
    }
}

/// Due reports were settled.
#[derive(Debug)]
pub struct Swept {
    /// How many.
    pub reports: usize,
}

impl Event for Swept {
    fn emit(&self) {
        tracing::info!(reports = self.reports, "due reports settled");
    }
}

/// What had been kept for its period was blanked.
#[derive(Debug)]
pub struct RetentionRan {
    /// The retention class.
    pub kind: &'static str,
    /// How many contents.
    pub gone: usize,
}

impl Event for RetentionRan {
    fn emit(&self) {
        tracing::info!(retention.class = self.kind, gone = self.gone, "what may be kept no longer is blanked");
    }
}

/// A transaction has committed.
#[derive(Debug)]
pub struct Committed {
    /// The transaction's name.
    pub transaction: &'static str,
}

impl Event for Committed {
    fn emit(&self) {
        tracing::debug!(transaction.name = self.transaction, "committed");
    }
}

/// The service listens and takes up its work.
#[derive(Debug)]
pub struct Started {
    /// Where its health can be asked.
    pub management: std::net::SocketAddr,
}

impl Event for Started {
    fn emit(&self) {
        tracing::info!(management.listen = %self.management, "started");
    }
}

/// A part of the service has ended that nobody told to; the service stops.
#[derive(Debug)]
pub struct PartFailed {
    /// Its name.
    pub part: &'static str,
}

impl Event for PartFailed {
    fn emit(&self) {
        tracing::error!(part = self.part, "a part of the service has failed; the service stops");
    }
}

/// Something that is due cannot be settled; it is tried again later, and the rest goes on.
#[derive(Debug)]
pub struct PutOff<'a> {
    /// The store's number of the message that it is about.
    pub message: i64,
    /// Why, in words without values.
    pub cause: &'a dyn std::error::Error,
}

impl Event for PutOff<'_> {
    fn emit(&self) {
        tracing::error!(
            message.number = self.message,
            cause = %self.cause,
            "what is due of a message cannot be settled; it is tried again in an hour, and the rest goes on"
        );
    }
}

/// The service has stopped.
#[derive(Debug)]
pub struct Stopped {
    /// Whether every part had ended its work when the time for that was over.
    pub in_time: bool,
}

impl Event for Stopped {
    fn emit(&self) {
        tracing::info!(stop.in_time = self.in_time, "stopped");
    }
}
