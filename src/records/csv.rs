//! The records as comma-separated values (RFC 4180): a head, lines that end in CRLF, each with as many fields as the head.

use super::Records;

/// The columns.
const HEAD: [&str; 23] = [
    "överenskommelse",
    "titel",
    "villkor",
    "ställning",
    "används",
    "kommun",
    "organisationsnummer",
    "nämnd",
    "från",
    "till",
    "ändamål",
    "rättslig grund",
    "registrerade",
    "tider",
    "mottagare",
    "öppnas av",
    "regel",
    "rader i law.toml",
    "handlingar",
    "kategori",
    "skyddsvärde",
    "lämnas ut",
    "gallring",
];

/// The whole table.
pub(super) fn table(records: &Records) -> String {
    let retention: Vec<String> = records.retention.iter().map(|one| format!("{}: {}", one.name, one.words)).collect();
    let retention = retention.join("; ");
    let mut text = line(&HEAD);
    for agreement in &records.agreements {
        let used = match (records.is_configured, agreement.is_used) {
            (false, _) => "framgår inte",
            (true, true) => "ja",
            (true, false) => "nej",
        };
        let (version, participants, periods) =
            (agreement.version.to_string(), agreement.participants.join("; "), agreement.periods.join(" "));
        for recipient in &agreement.recipients {
            let documents = recipient.documents.join("; ");
            let law = recipient.law.join("; ");
            for right in &recipient.rights {
                text.push_str(&line(&[
                    &agreement.name,
                    &agreement.title,
                    &version,
                    agreement.status,
                    used,
                    &agreement.kommun,
                    &agreement.organisation,
                    &agreement.namnd,
                    &agreement.from,
                    &agreement.to,
                    &agreement.purpose,
                    &agreement.legal_ground,
                    &participants,
                    &periods,
                    recipient.name,
                    recipient.gate,
                    &recipient.rule,
                    &law,
                    &documents,
                    right.name,
                    right.sensitivity,
                    right.disclosed,
                    &retention,
                ]));
            }
        }
    }
    text
}

/// One line of as many fields as the head has.
fn line(fields: &[&str; HEAD.len()]) -> String {
    let written: Vec<String> = fields.iter().map(|one| field(one)).collect();
    format!("{}\r\n", written.join(","))
}

/// One field: in quotes where it has to be, with its own quotes doubled (RFC 4180, section 2, rules 5 to 7). A text that a
/// spreadsheet would take for a formula gets an apostrophe in front.
fn field(text: &str) -> String {
    let text = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.to_owned() };
    if text.contains([',', '"', '\r', '\n']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

#[cfg(test)]
mod tests {
    use super::field;

    #[test]
    fn a_field_is_quoted_where_it_has_to_be_and_never_becomes_a_formula() {
        assert_eq!(field("plain"), "plain");
        assert_eq!(field("a, \"b\"\r\nc"), "\"a, \"\"b\"\"\r\nc\"");
        assert_eq!(field("=1+1"), "'=1+1");
        assert_eq!(field("@a,b"), "\"'@a,b\"");
    }
}
