//! What an answer's status says of an entry (RFC 9110 section 15), and how long the system asks to be left alone.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::StatusCode;
use reqwest::header::{DATE, HeaderMap, HeaderName, RETRY_AFTER};

use crate::journey::Delivery;

/// The longest time that a system can ask to be left alone: what it asks for by mistake must not stop its feed for days.
const LONGEST: Duration = Duration::from_mins(5);

/// What becomes of the entry that was answered so.
pub(super) fn delivery(status: StatusCode, headers: &HeaderMap) -> Delivery {
    let code = status.as_u16();
    match code {
        200..=299 => Delivery::Arrived,
        300..=399 => Delivery::later(format!("the system answered {code}: redirects are not followed; is its address right?")),
        // Too slow, too early, too many: they say when, not what.
        408 | 425 | 429 => waits(code, headers),
        400..=499 => Delivery::Refused(format!("status {code}")),
        _ => waits(code, headers),
    }
}

fn waits(code: u16, headers: &HeaderMap) -> Delivery {
    Delivery::Later { why: format!("the system answered {code}"), after: asked(headers) }
}

/// `Retry-After` (RFC 9110 section 10.2.3) in seconds, or as a date, which is read against the answer's own `Date`: the clocks of
/// two machines are not compared.
fn asked(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let asked = match text.parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => Duration::try_from(date(headers, &RETRY_AFTER)?.duration_since(date(headers, &DATE)?)).ok()?,
    };
    Some(asked.min(LONGEST))
}

fn date(headers: &HeaderMap, name: &HeaderName) -> Option<Timestamp> {
    let text = headers.get(name)?.to_str().ok()?;
    jiff::fmt::rfc2822::parse(text).ok().map(|zoned| zoned.timestamp())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use reqwest::StatusCode;
    use reqwest::header::{DATE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};

    use super::delivery;
    use crate::journey::Delivery;

    fn after(said: &[(HeaderName, &'static str)]) -> Option<Duration> {
        let headers: HeaderMap = said.iter().map(|(name, text)| (name.clone(), HeaderValue::from_static(text))).collect();
        match delivery(StatusCode::TOO_MANY_REQUESTS, &headers) {
            Delivery::Later { after, .. } => after,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_status_says_whether_an_entry_has_arrived_waits_or_is_refused() {
        for code in 200..600 {
            let status = StatusCode::from_u16(code).expect("a status");
            let wanted = match code {
                200..=299 => "arrived",
                408 | 425 | 429 | 300..=399 | 500.. => "later",
                _ => "refused",
            };
            assert_eq!(delivery(status, &HeaderMap::new()).as_str(), wanted, "{code}");
        }
    }

    #[test]
    fn a_system_is_left_alone_as_long_as_it_asks_but_never_for_days() {
        assert_eq!(after(&[]), None);
        assert_eq!(after(&[(RETRY_AFTER, "7")]), Some(Duration::from_secs(7)));
        assert_eq!(after(&[(RETRY_AFTER, "864000")]), Some(Duration::from_mins(5)));
        let date = (RETRY_AFTER, "Sun, 06 Nov 1994 08:50:37 GMT");
        assert_eq!(after(&[date.clone(), (DATE, "Sun, 06 Nov 1994 08:49:37 GMT")]), Some(Duration::from_mins(1)));
        assert_eq!(after(std::slice::from_ref(&date)), None, "against no clock of ours");
        assert_eq!(after(&[date, (DATE, "Sun, 06 Nov 1994 08:59:37 GMT")]), None);
        for odd in ["", "-1", "soon", "1.5"] {
            assert_eq!(after(&[(RETRY_AFTER, odd)]), None, "{odd}");
        }
    }
}
