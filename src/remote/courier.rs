//! Posts what goes back to one of the municipality's systems.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE};
use reqwest::{RequestBuilder, Response};
use tokio::sync::Mutex;

use super::answer;
use super::client::{self, Files, Kept, SystemFault};
use crate::config::Https;
use crate::domain::RecipientId;
use crate::feed::Method;
use crate::journey::{Courier, Delivery, Parcel};
use crate::telemetry::{Event as _, Part, SystemFilesKept, SystemFilesRenewed};

/// The most bytes of an answer's body that are read to be thrown away, so that the connection can be used again.
const MOST_BYTES: usize = 64 * 1024;

/// How long that may take.
const DRAINING: Duration = Duration::from_millis(500);

/// Delivers to one system's address.
#[derive(Clone)]
pub struct HttpsCourier(Arc<Inner>);

struct Inner {
    recipient: RecipientId,
    settings: Https,
    kept: Mutex<Kept>,
    /// Whether the files of certificates can be used as they lie there now.
    part: Part,
}

impl std::fmt::Debug for HttpsCourier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("HttpsCourier").field(&self.0.recipient).finish()
    }
}

impl HttpsCourier {
    /// Reads the files of certificates; nothing is opened yet. `part` tells how they stand.
    ///
    /// # Errors
    /// Where the files cannot be used.
    pub fn new(recipient: RecipientId, settings: Https, part: Part) -> Result<Self, SystemFault> {
        let kept = Mutex::new(Kept::open(&settings)?);
        part.up();
        Ok(Self(Arc::new(Inner { recipient, settings, kept, part })))
    }

    /// Every fault of the files of certificates, each with its key in the table; without any effect.
    #[must_use]
    pub fn check(settings: &Https) -> Vec<(&'static str, SystemFault)> {
        client::check(settings)
    }

    /// The client in use, made anew where the files have changed.
    async fn client(&self) -> reqwest::Client {
        let mut kept = self.0.kept.lock().await;
        if kept.is_due() {
            let inner = Arc::clone(&self.0);
            // Files may lie on something slow.
            let read = tokio::task::spawn_blocking(move || Files::read(&inner.settings)).await;
            let recipient = self.0.recipient.as_str();
            match read.map(|files| kept.take(files, &self.0.settings)) {
                Ok(Ok(renewed)) => {
                    self.0.part.up();
                    if renewed {
                        SystemFilesRenewed { recipient }.emit();
                    }
                }
                Ok(Err(cause)) => {
                    if self.0.part.down(cause.to_string()) {
                        SystemFilesKept { recipient, cause: &cause }.emit();
                    }
                }
                // The service is stopping.
                Err(_) => {}
            }
        }
        kept.client.clone()
    }

    async fn post(&self, parcel: &Parcel) -> reqwest::Result<Response> {
        let client = self.client().await;
        described(client.post(self.0.settings.address.as_str()), parcel).body(parcel.document.clone()).send().await
    }
}

impl Courier for HttpsCourier {
    async fn deliver(&self, parcel: &Parcel) -> Delivery {
        match tokio::time::timeout(self.0.settings.timeout, self.post(parcel)).await {
            Ok(Ok(answer)) => {
                let delivery = answer::delivery(answer.status(), answer.headers());
                throw_away(answer).await;
                delivery
            }
            Ok(Err(error)) => Delivery::later(words(&error)),
            Err(_) => Delivery::later("the system did not answer in time"),
        }
    }
}

/// The attributes of the event as headers. They are the same at every attempt.
fn described(request: RequestBuilder, parcel: &Parcel) -> RequestBuilder {
    let mut request = request
        // A string of Structured Fields (RFC 9651); an id is base64url, so nothing in it is escaped.
        .header("idempotency-key", format!("\"{}\"", parcel.event_id))
        .header("ce-specversion", "1.0")
        .header("ce-id", &parcel.event_id)
        .header("ce-source", "urn:brygga")
        .header("ce-type", &parcel.contract)
        .header("ce-subject", parcel.subject.to_hex());
    if let Some(id) = parcel.correlation_id {
        request = request.header("ce-correlationid", id.to_string());
    }
    if parcel.illustrative {
        // Nobody may take an illustration for an agreement.
        request = request.header("ce-illustrative", "true");
    }
    match parcel.method {
        Method::Put => request.header(CONTENT_TYPE, parcel.syntax.media_type()),
        // A server may refuse a POST that does not say how long it is (411).
        Method::Delete => request.header("ce-method", Method::Delete.as_str()).header(CONTENT_LENGTH, 0),
    }
}

/// Reads what a system says besides its status, within bounds, and keeps nothing of it: anything may stand there, and what was
/// sent may stand there again.
async fn throw_away(mut answer: Response) {
    let reading = async {
        let mut read = 0;
        while let Ok(Some(part)) = answer.chunk().await {
            read += part.len();
            if read > MOST_BYTES {
                return;
            }
        }
    };
    // The connection is closed where there is more, or where it comes too slowly.
    drop(tokio::time::timeout(DRAINING, reading).await);
}

/// Why there was no answer: the innermost cause, which says most and holds neither address nor content.
fn words(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        let what = if error.is_connect() { "no connection to the system in time" } else { "the system did not answer in time" };
        return what.to_owned();
    }
    let mut cause: &dyn Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    let what = if error.is_connect() { "the system cannot be reached" } else { "the connection to the system broke" };
    if error.source().is_some() { format!("{what}: {cause}") } else { what.to_owned() }
}
