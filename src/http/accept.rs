//! Which media type an answer gets: the client's `Accept` against what a route can give (RFC 9110 section 12.5.1).

use axum::http::{HeaderMap, header};

/// Chooses one of the offered media types, the first where the client does not mind; `None` where it takes none of them.
pub(super) fn choose(headers: &HeaderMap, offered: &[&'static str]) -> Option<&'static str> {
    let mut stated = headers.get_all(header::ACCEPT).iter().peekable();
    if stated.peek().is_none() {
        return offered.first().copied();
    }
    // What is not text names no media type.
    let ranges: Vec<Range<'_>> =
        stated.filter_map(|value| value.to_str().ok()).flat_map(|text| text.split(',')).filter_map(Range::read).collect();
    let mut best: Option<(&'static str, u16)> = None;
    for media in offered {
        let weight = weight(&ranges, media);
        if weight > 0 && best.is_none_or(|(_, other)| weight > other) {
            best = Some((media, weight));
        }
    }
    best.map(|(media, _)| media)
}

/// The weight of the most specific range that covers a media type, in thousandths.
fn weight(ranges: &[Range<'_>], media: &str) -> u16 {
    let covering = ranges.iter().filter_map(|range| range.covers(media).map(|specific| (specific, range.weight)));
    covering.max_by_key(|(specific, _)| *specific).map_or(0, |(_, weight)| weight)
}

struct Range<'a> {
    media: &'a str,
    weight: u16,
}

impl<'a> Range<'a> {
    fn read(text: &'a str) -> Option<Self> {
        let mut parts = text.split(';').map(str::trim);
        let media = parts.next().filter(|media| !media.is_empty())?;
        let stated = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
        let weight = match stated {
            Some(text) => text.parse::<f32>().ok().filter(|weight| (0.0..=1.0).contains(weight))?,
            None => 1.0,
        };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 1000 by the check above")]
        Some(Self { media, weight: (weight * 1000.0).round() as u16 })
    }

    /// How specifically the range covers a media type: 3 the type itself, 2 `type/*`, 1 `*/*`.
    fn covers(&self, media: &str) -> Option<u8> {
        if self.media.eq_ignore_ascii_case(media) {
            return Some(3);
        }
        if self.media == "*/*" {
            return Some(1);
        }
        let kind = self.media.strip_suffix("/*")?;
        media.split('/').next().is_some_and(|own| own.eq_ignore_ascii_case(kind)).then_some(2)
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderValue, header};

    use super::choose;

    #[test]
    fn the_clients_wish_decides_and_a_wish_that_cannot_be_met_is_told() {
        const BATCH: &str = "application/cloudevents-batch+json";
        const JSON: &str = "application/json";
        for (accept, expected) in [
            ("*/*", Some(BATCH)),
            ("application/*", Some(BATCH)),
            ("application/json", Some(JSON)),
            ("application/json, application/cloudevents-batch+json", Some(BATCH)),
            ("application/json, application/cloudevents-batch+json;q=0.5", Some(JSON)),
            ("text/html, */*;q=0.1", Some(BATCH)),
            ("application/cloudevents-batch+json;q=0, */*", Some(JSON)),
            ("text/html", None),
            ("application/json;q=0", None),
            ("application/json;q=x", None),
            ("", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT, HeaderValue::from_static(accept));
            assert_eq!(choose(&headers, &[BATCH, JSON]), expected, "{accept}");
        }
        assert_eq!(choose(&HeaderMap::new(), &[BATCH, JSON]), Some(BATCH));
    }
}
