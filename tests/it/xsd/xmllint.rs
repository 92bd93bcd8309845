//! `xmllint` of libxml2 as the second judge: many files in one call.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

const MISSING: &str =
    "`xmllint` is missing, and without it nothing shows that the XSD says what Brygga says: install libxml2-utils";

/// Judges documents by a schema, in their order; the words are xmllint's own. Without xmllint the test fails.
pub(super) fn judge(schema: &str, documents: &[Vec<u8>]) -> Vec<Result<(), String>> {
    let found = Command::new("xmllint").arg("--version").output();
    assert!(found.is_ok_and(|output| output.status.success()), "{MISSING}");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let write = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).expect("a file in it");
    write("schema.xsd", schema.as_bytes());
    let names: Vec<String> = (0..documents.len()).map(|index| format!("{index:06}.xml")).collect();
    for (name, bytes) in names.iter().zip(documents) {
        write(name, bytes);
    }
    let output = Command::new("xmllint")
        .args(["--noout", "--nonet", "--schema", "schema.xsd"])
        .args(&names)
        .current_dir(folder.path())
        .output()
        .expect(MISSING);
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(!words.contains("WXS schema schema.xsd failed to compile"), "{words}");
    let words = by_file(&words);
    names.iter().map(|name| verdict(name, words.get(name.as_str()).map_or(&[], Vec::as_slice))).collect()
}

/// The lines that name a file, by file.
fn by_file(words: &str) -> BTreeMap<&str, Vec<&str>> {
    let mut files: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for line in words.lines() {
        if let Some((name, _)) = line.split_once([':', ' ']).filter(|(name, _)| name.strip_suffix(".xml").is_some()) {
            files.entry(name).or_default().push(line);
        }
    }
    files
}

/// A file that cannot be parsed has errors and no verdict. A namespace error only breaks Namespaces in XML, so that
/// xmllint goes on to a verdict; it is a refusal here all the same. That a namespace is no URI breaks nothing.
fn verdict(name: &str, lines: &[&str]) -> Result<(), String> {
    assert!(!lines.is_empty(), "xmllint says nothing of {name}");
    let validates = lines.iter().any(|line| *line == format!("{name} validates"));
    let is_namespace_error = |line: &str| line.contains(": namespace error : ") && !line.ends_with("is not a valid URI");
    let unbound = lines.iter().any(|line| is_namespace_error(line));
    if validates && !unbound { Ok(()) } else { Err(lines.join(" / ")) }
}
