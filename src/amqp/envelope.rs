//! Reads a message's envelope: who sent it, its id, type, time and content type, and whether its routing key is the
//! sender's own. What is not whole is marked, so that it becomes a dead letter, and is never lost.

use jiff::Timestamp;
use lapin::BasicProperties;
use lapin::types::{AMQPValue, ShortString};
use uuid::Uuid;

use crate::contract::Parties;
use crate::domain::{Code, ContractRef, Login, Syntax, Trace, TraceParent};
use crate::intake::MAX_BYTES;
use crate::journey::{Arrival, Defect, Journey};

/// A delivered message as an arrival. `now` stands in for a time that is missing.
pub(super) fn arrival(
    journey: &Journey,
    routing_key: &str,
    properties: &BasicProperties,
    bytes: Vec<u8>,
    now: Timestamp,
) -> Arrival {
    let login = properties.user_id().as_ref().and_then(|text| Login::try_from(text.as_str().to_owned()).ok());
    let message_id = properties.message_id().as_ref().and_then(uuid);
    let contract = properties.kind().as_ref().and_then(|text| text.as_str().parse::<ContractRef>().ok());
    let syntax = properties.content_type().as_ref().and_then(|text| syntax(text.as_str()));
    let message_time = properties.timestamp().and_then(time);
    let correlation_id = properties.correlation_id().as_ref().map(uuid);
    let trace = Trace { parent: traceparent(properties), correlation_id: correlation_id.flatten() };
    let restricted = login.is_none();
    let whole = (login, message_id, contract, syntax, message_time);
    let code = match &whole {
        (Some(login), Some(_), Some(contract), Some(_), Some(_)) if correlation_id != Some(None) => {
            let parties = journey.set().catalogue.parties();
            (!is_own(routing_key, login, contract, parties)).then_some(Code::TransportRoutingKey)
        }
        _ => Some(Code::TransportEnvelope),
    };
    // What is too large to read is too large to keep, whatever else is wrong with it.
    let code = code.map(|code| if bytes.len() > MAX_BYTES { Code::TransportOversize } else { code });
    let (login, message_id, contract, syntax, message_time) = whole;
    Arrival {
        login: login.unwrap_or_else(Login::unknown),
        message_id: match (code, message_id) {
            (None, Some(id)) => id,
            _ => journey.id_of_bytes(&bytes),
        },
        contract: contract.unwrap_or_else(ContractRef::unknown),
        syntax: syntax.unwrap_or(Syntax::Json),
        message_time: message_time.unwrap_or(now),
        bytes,
        trace,
        defect: code.map(|code| Defect { code, restricted }),
    }
}

/// A UUID in its usual form of 36 characters (RFC 9562, 4).
fn uuid(text: &ShortString) -> Option<Uuid> {
    if text.as_str().len() == 36 { Uuid::try_parse(text.as_str()).ok() } else { None }
}

/// The syntax of a media type; parameters such as `charset` say nothing that the decoder does not see for itself.
fn syntax(media_type: &str) -> Option<Syntax> {
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    [Syntax::Json, Syntax::Xml].into_iter().find(|syntax| syntax.media_type().eq_ignore_ascii_case(essence))
}

/// Seconds since 1970-01-01T00:00:00Z, as AMQP 0-9-1 writes times.
fn time(seconds: u64) -> Option<Timestamp> {
    Timestamp::from_second(i64::try_from(seconds).ok()?).ok()
}

fn traceparent(properties: &BasicProperties) -> Option<TraceParent> {
    let headers = properties.headers().as_ref()?;
    match headers.inner().get("traceparent")? {
        AMQPValue::LongString(text) => std::str::from_utf8(text.as_bytes()).ok()?.parse().ok(),
        AMQPValue::ShortString(text) => text.as_str().parse().ok(),
        _ => None,
    }
}

/// Whether a routing key is `<kommunkod>.<system>.<message>` of this login and this contract. A login that is not known
/// here has no key of its own to hold it against; the way refuses it for being unknown.
fn is_own(routing_key: &str, login: &Login, contract: &ContractRef, parties: &Parties) -> bool {
    let Some(sender) = parties.sender(login) else { return true };
    let wanted = [sender.kommun.code.as_str(), sender.system.as_str(), contract.name()];
    routing_key.splitn(3, '.').eq(wanted)
}

#[cfg(test)]
mod tests {
    use super::{syntax, time};
    use crate::domain::Syntax;

    #[test]
    fn a_media_type_is_json_or_xml_or_not_taken() {
        assert_eq!(syntax("application/json"), Some(Syntax::Json));
        assert_eq!(syntax("Application/XML; charset=utf-8"), Some(Syntax::Xml));
        for bad in ["", "text/xml", "application/octet-stream", "json"] {
            assert_eq!(syntax(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_time_beyond_the_calendar_is_no_time() {
        assert!(time(1_773_658_800).is_some());
        assert!(time(u64::MAX).is_none());
    }
}
