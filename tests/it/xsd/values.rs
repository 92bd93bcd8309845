//! Values at and beyond what a leaf takes, as they would stand in XML.

use brygga::domain::{Format, LeafKind};

/// Values that say something about a kind of leaf; `now` is the value that the sample has.
pub(super) fn of(kind: &LeafKind, now: &str) -> Vec<String> {
    let own: Vec<String> = match kind {
        LeafKind::Boolean => owned(BOOLEANS),
        LeafKind::Integer { min, max } => {
            let near = [min - 1, *min, min + 1, max - 1, *max, max + 1].map(|value| value.to_string());
            let padded = near
                .iter()
                .flat_map(|value| [format!("0{value}"), format!("+{value}"), format!("{value}.0"), format!("{value} ")]);
            near.iter().cloned().chain(padded).chain(owned(INTEGERS)).collect()
        }
        LeafKind::Formatted(Format::CalendarDate) => zoned(DATES, "2026-04-01"),
        LeafKind::Formatted(Format::LocalDateTime) => zoned(TIMES, "2026-04-01T08:00:00"),
        LeafKind::OneOf(values) => {
            values.iter().flat_map(|value| [value.clone(), value.to_uppercase(), format!("{value}s")]).collect()
        }
        LeafKind::Text { min, max, .. } => [*min, *max]
            .into_iter()
            .flat_map(|length| [length.saturating_sub(1), length, length + 1])
            .filter_map(|length| usize::try_from(length).ok())
            .flat_map(|length| ["a", "1", "å", "\u{1f642}", "&#229;", " ", "\r\n"].map(|unit| unit.repeat(length)))
            .chain(owned(TEXTS))
            .collect(),
    };
    own.into_iter().chain(around(now)).collect()
}

/// The sample's own value with something round it, inside it or taken from it.
fn around(now: &str) -> Vec<String> {
    let mut values = vec![now.to_uppercase(), now.to_lowercase(), format!("{now}{now}"), String::new()];
    for edge in [
        " ",
        "\t",
        "\n",
        "\r\n",
        "&#32;",
        "&#13;",
        "&#x9;",
        "\u{a0}",
        "<!-- -->",
        "<![CDATA[]]>",
        "<![CDATA[ ]]>",
        "x",
        "\u{301}",
    ] {
        values.extend([format!("{edge}{now}"), format!("{now}{edge}"), format!("{edge}{now}{edge}")]);
        let middle = (1..now.len()).find(|at| now.is_char_boundary(*at)).unwrap_or(0);
        let (start, end) = now.split_at(middle);
        values.push(format!("{start}{edge}{end}"));
        values.push(end.to_owned());
    }
    values
}

fn owned(values: &[&str]) -> Vec<String> {
    values.iter().map(|value| (*value).to_owned()).collect()
}

fn zoned(values: &[&str], good: &str) -> Vec<String> {
    owned(values).into_iter().chain(ZONES.iter().map(|zone| format!("{good}{zone}"))).collect()
}

const BOOLEANS: &[&str] = &[
    "true",
    "false",
    "TRUE",
    "True",
    "1",
    "0",
    "yes",
    "true true",
    "tr ue",
    "tr<!-- -->ue",
    "tr<![CDATA[ue]]>",
    "tru&#101;",
    "null",
    "ja",
    "t",
    "truefalse",
];

const INTEGERS: &[&str] = &[
    "0",
    "-0",
    "+0",
    "00",
    "1",
    "01",
    "1e1",
    "1E0",
    "1.",
    ".1",
    "1,0",
    "0x1",
    "１",
    "١",
    "1 1",
    "1<!-- -->1",
    "&#49;",
    "<![CDATA[1]]>",
    "-1",
    "--1",
    "- 1",
    "999999999999999999",
    "1000000000000000000",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "99999999999999999999999999999999999999",
    "000000000000000000000000000001",
    "NaN",
    "INF",
    "true",
    "ett",
];

const DATES: &[&str] = &[
    "2026-02-28",
    "2026-02-29",
    "2024-02-29",
    "2000-02-29",
    "1900-02-29",
    "2026-04-31",
    "2026-12-31",
    "2026-00-10",
    "2026-13-01",
    "2026-01-00",
    "2026-01-32",
    "0001-01-01",
    "0000-01-01",
    "-0001-01-01",
    "+2026-01-01",
    "9999-12-31",
    "10000-01-01",
    "02026-01-01",
    "26-01-01",
    "026-01-01",
    "2026-1-1",
    "2026-01-1",
    "20260101",
    "2026/01/01",
    "2026-01",
    "2026",
    "01-01-2026",
    "2026--01-01",
    "2026-01-01T00:00:00",
    "2026-01-01T",
    "2026-W01-1",
    "2026-001",
    "2026- 01-01",
    "2026−01−01",
    "２026-01-01",
    "2026-01-0１",
    "2026-0<!-- -->1-01",
    "1994-02-30",
    "i dag",
];

const TIMES: &[&str] = &[
    "2026-04-01T00:00:00",
    "2026-04-01T23:59:59",
    "2026-04-01T24:00:00",
    "2026-04-01T24:00:00Z",
    "2026-04-01T24:00:01",
    "2026-04-01T25:00:00",
    "2026-04-01T23:60:00",
    "2026-04-01T23:59:60",
    "2026-04-01T23:59:61",
    "2026-06-30T23:59:60Z",
    "2026-04-01T08:00:00.1",
    "2026-04-01T08:00:00.000000001",
    "2026-04-01T08:00:00.999999999",
    "2026-04-01T08:00:00.0000000001",
    "2026-04-01T08:00:00.0000000000",
    "2026-04-01T08:00:00.",
    "2026-04-01T08:00:00,5",
    "2026-04-01T08:00:00.-5",
    "2026-04-01T08:00:00.+5",
    "2026-04-01T08:00",
    "2026-04-01T08",
    "2026-04-01T",
    "2026-04-01",
    "2026-04-01 08:00:00",
    "2026-04-01t08:00:00",
    "2026-04-01T8:00:00",
    "2026-04-01T08:0:00",
    "2026-04-01T08:00:0",
    "2026-04-01T08.00.00",
    "2026-04-01T080000",
    "20260401T080000",
    "08:00:00",
    "T08:00:00",
    "2026-04-01TT08:00:00",
    "2026-04-01T08:00:00 ",
    "2026-04-01T 08:00:00",
    "2026-04-01T-8:00:00",
    "2026-04-01T+8:00:00",
    "2026-02-30T08:00:00",
    "2026-02-29T08:00:00",
    "2024-02-29T08:00:00",
    "2026-13-01T08:00:00",
    "2026-04-31T08:00:00Z",
    "0000-01-01T00:00:00Z",
    "0001-01-01T00:00:00Z",
    "0001-01-01T00:00:00+14:00",
    "0001-01-01T00:00:00",
    "-2026-04-01T08:00:00",
    "12026-04-01T08:00:00",
    "9998-12-31T23:59:59-14:00",
    "2026-03-29T02:30:00",
    "2026-10-25T02:30:00",
    "2026-03-29T02:30:00+01:00",
    "1879-01-01T00:00:00",
    "２026-04-01T08:00:00",
    "2026-04-01T0８:00:00",
    "9999-12-31T23:59:59",
    "9999-12-31T23:59:59Z",
    "9999-12-30T22:00:00Z",
    "9999-01-01T00:00:00+14:00",
    "9998-12-31T23:59:59.999999999",
];

const ZONES: &[&str] = &[
    "",
    "Z",
    "z",
    "ZZ",
    " Z",
    "+00:00",
    "-00:00",
    "+01:00",
    "+13:59",
    "-13:59",
    "+14:00",
    "-14:00",
    "+14:01",
    "-14:01",
    "+15:00",
    "+24:00",
    "+99:99",
    "+13:60",
    "+1:00",
    "+0100",
    "+01",
    "+01:0",
    "+01:00:00",
    "+01:000",
    "01:00",
    "++01:00",
    "−01:00",
    "+01.00",
    "+ 1:00",
    "[Europe/Stockholm]",
    "Z[UTC]",
    "CET",
    "&#43;01:00",
    "+0１:00",
];

const TEXTS: &[&str] = &[
    "",
    " ",
    "\t",
    "\n",
    "a b",
    "a\tb",
    "a\nb",
    "a&#10;b",
    "a&#13;b",
    "a&amp;b",
    "a&lt;b",
    "]]&gt;",
    "]]>",
    "a]]>b",
    "]]",
    "<![CDATA[a]]>",
    "<![CDATA[<>&]]>",
    "a<b",
    "a&b",
    "a>b",
    "\"'",
    "A.b_c:-9",
    "a/b",
    "a+b",
    "a--b",
    "å",
    "e\u{301}",
    "٣",
    "²",
    "\u{a0}",
    "\u{85}",
    "\u{2028}",
    "\u{200b}",
    "\u{ad}",
    "\u{1fffe}",
    "212000-1942",
    "2120001942",
    "16212000-1942",
    "162120001942",
    "17212000-1942",
    "212000--1942",
    "212000+1942",
    "21200-01942",
    "212000-194",
    "1212000-1942",
    "000000-0000",
    "000000+0000",
    "00000000-0000",
    "000000000000",
    "0000000000",
    "00000000000",
    "000000 0000",
    "OOOOOO-OOOO",
    "000000-000٠",
    "000000–0000",
];
