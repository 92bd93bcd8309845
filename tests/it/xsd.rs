//! The XSD that suppliers validate with: it is fresh, and it says what Brygga says.
//!
//! Good samples are mutated in a few thousand seeded ways, and each mutant is judged by Brygga's decoder and schema and
//! by `xmllint` with the generated XSD. They may differ only where Brygga is stricter for a reason that [`Reason`] names.
mod elements;
mod mutate;
mod samples;
mod tables;
mod values;
mod xmllint;

use std::collections::BTreeMap;
use std::fmt;

use brygga::contract::{Contract, xsd};
use brygga::domain::{Code, Syntax};
use mutate::{Mutant, Random};
use samples::{Sample, catalogue, contracts_folder, decode};

/// Why Brygga refuses what XML Schema accepts. There is no reason for the reverse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Reason {
    /// A DOCTYPE is never taken: it is where entities and external files come from.
    Doctype,
    /// Processing instructions are never taken.
    Instruction,
    /// Sizes, depths and numbers of parts are capped.
    Limit,
    /// UTF-8 is the one encoding.
    Encoding,
    /// libxml2 itself takes three things that XML 1.0 forbids: a NUL after the root, the version `1.`, and `standalone`
    /// without white space before it.
    Lax,
}

impl Reason {
    /// The reasons that are Brygga's own, whatever the version of libxml2.
    const OURS: [Self; 4] = [Self::Doctype, Self::Instruction, Self::Limit, Self::Encoding];

    fn of(code: Code, bytes: &[u8]) -> Option<Self> {
        match code {
            Code::DecodeDoctype => Some(Self::Doctype),
            Code::DecodeInstruction => Some(Self::Instruction),
            Code::TransportOversize | Code::DecodeDepth | Code::DecodeTooManyNodes => Some(Self::Limit),
            Code::DecodeUtf16 | Code::DecodeNotUtf8 | Code::DecodeEncodingDeclaration => Some(Self::Encoding),
            Code::DecodeNul if bytes.contains(&0) => Some(Self::Lax),
            Code::DecodeSyntax if has_lax_declaration(bytes) => Some(Self::Lax),
            _ => None,
        }
    }
}

fn has_lax_declaration(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let declaration = text.split_once("?>").map_or("", |(declaration, _)| declaration);
    ["'1.'", "\"1.\"", "'standalone", "\"standalone"].iter().any(|part| declaration.contains(part))
}

/// What Brygga says of a document's form and shape; the code is its first one.
fn judge(contract: &Contract, bytes: &[u8]) -> Result<(), Code> {
    let document = decode(contract, Syntax::Xml, bytes)?;
    if contract.fits(document.document().tree()) { Ok(()) } else { Err(Code::ContractValue) }
}

/// How the mutants fell out.
#[derive(Debug, Default)]
struct Tally {
    accepted: usize,
    refused: usize,
    reasons: BTreeMap<Reason, usize>,
    differences: Vec<String>,
}

impl Tally {
    fn count(&self) -> usize {
        self.accepted + self.refused + self.reasons.values().sum::<usize>() + self.differences.len()
    }

    fn note(&mut self, mutant: &Mutant, ours: Result<(), Code>, theirs: &Result<(), String>) {
        match (ours, theirs) {
            (Ok(()), Ok(())) => self.accepted += 1,
            (Err(_), Err(_)) => self.refused += 1,
            (Err(code), Ok(())) if let Some(reason) = Reason::of(code, &mutant.bytes) => {
                *self.reasons.entry(reason).or_default() += 1;
            }
            _ => self.differences.push(format!("{mutant}\n  brygga:  {ours:?}\n  xmllint: {theirs:?}")),
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { accepted, refused, reasons, differences } = self;
        write!(f, "{} mutants: both accept {accepted}, both refuse {refused}, ", self.count())?;
        write!(f, "Brygga alone refuses {reasons:?}, unexplained {}", differences.len())
    }
}

#[test]
fn the_committed_schemas_are_fresh() {
    let catalogue = catalogue();
    for contract in catalogue.contracts() {
        let path = contracts_folder().join(contract.folder()).join("schema.xsd");
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        let reference = &contract.outline().reference;
        assert!(committed == xsd::write(contract), "schema.xsd of {reference} is stale: run `brygga contracts xsd`");
    }
}

#[test]
fn every_generated_schema_is_a_schema() {
    for contract in catalogue().contracts() {
        // A document of another namespace: only a schema that compiles can refuse it.
        let verdicts = xmllint::judge(&xsd::write(contract), &[b"<other/>".to_vec()]);
        let words = verdicts[0].clone().expect_err("no contract has this root");
        assert!(words.contains("No matching global declaration"), "{}: {words}", contract.outline().reference);
    }
}

#[test]
fn json_and_xml_of_a_sample_are_one_document() {
    let catalogue = catalogue();
    for sample in Sample::all(&catalogue) {
        let tree_of = |syntax, text: &str| {
            let decoded = decode(sample.contract, syntax, text.as_bytes());
            decoded.unwrap_or_else(|code| panic!("{sample} as {syntax:?}: {code}")).into_parts().2.tree().clone()
        };
        let json = tree_of(Syntax::Json, &sample.json);
        assert!(sample.contract.fits(&json), "{sample} does not have its contract's shape");
        assert_eq!(json, tree_of(Syntax::Xml, &sample.xml), "{sample}");
    }
}

#[test]
fn xmllint_accepts_and_refuses_the_same_documents() {
    let catalogue = catalogue();
    let mut tally = Tally::default();
    for contract in catalogue.contracts() {
        let samples = Sample::all(&catalogue).into_iter().filter(|sample| sample.contract.folder() == contract.folder());
        let mutants: Vec<Mutant> =
            samples.flat_map(|sample| mutate::mutants(&sample, &mut Random::seeded(&sample.to_string()))).collect();
        if mutants.is_empty() {
            continue;
        }
        let bytes: Vec<Vec<u8>> = mutants.iter().map(|mutant| mutant.bytes.clone()).collect();
        let theirs = xmllint::judge(&xsd::write(contract), &bytes);
        for (mutant, theirs) in mutants.iter().zip(&theirs) {
            tally.note(mutant, judge(contract, &mutant.bytes), theirs);
        }
    }
    let shown: Vec<&str> = tally.differences.iter().take(20).map(String::as_str).collect();
    assert!(shown.is_empty(), "{tally}\n{}", shown.join("\n"));
    // Judges that always say one thing, or a mutator that no longer mutates, would agree as well.
    assert!(tally.count() >= 5000, "{tally}");
    assert!(tally.accepted * 5 > tally.count() && tally.refused * 5 > tally.count(), "{tally}");
    assert!(Reason::OURS.iter().all(|reason| tally.reasons.contains_key(reason)), "a reason that nothing needs: {tally}");
}
