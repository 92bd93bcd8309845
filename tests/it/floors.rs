//! The floors hold: a file uses lower floors only, and floor 2 is one-way from left to right.

use std::path::{Path, PathBuf};

use crate::harness::root;

/// Floor of each module; on floor 2 the second number is the place from left to right.
const FLOORS: [(&str, u8, u8); 38] = [
    ("domain", 0, 0),
    ("config", 1, 0),
    ("faults", 1, 0),
    ("telemetry", 1, 0),
    ("intake", 2, 0),
    ("protection", 2, 1),
    ("contract", 2, 2),
    ("law", 2, 3),
    ("agreement", 2, 4),
    ("consent", 2, 5),
    ("filter", 2, 6),
    ("translate", 2, 7),
    ("feed", 2, 8),
    ("account", 3, 0),
    ("answer", 3, 0),
    ("audit", 3, 0),
    ("change", 3, 0),
    ("seal", 3, 0),
    ("store", 3, 0),
    ("journey", 3, 0),
    ("receipt", 3, 0),
    ("dead_letter", 3, 0),
    ("subject", 3, 0),
    ("records", 3, 0),
    ("store/sqlite", 4, 0),
    ("amqp", 4, 0),
    ("store/postgres", 4, 0),
    ("spool", 4, 0),
    ("http", 4, 0),
    ("console", 4, 0),
    ("remote", 4, 0),
    ("page", 4, 0),
    ("app", 5, 0),
    ("cli", 5, 0),
    ("shutdown", 5, 0),
    ("main", 5, 0),
    ("lib", 5, 0),
    ("bin", 5, 0),
];

fn place(module: &str) -> (u8, u8) {
    let (_, floor, place) =
        FLOORS.iter().find(|(name, ..)| *name == module).unwrap_or_else(|| panic!("{module} is on no floor"));
    (*floor, *place)
}

fn files(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("src") {
        let path = entry.expect("a file").path();
        if path.is_dir() {
            files(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push(path);
        }
    }
}

/// `store/sqlite/tx.rs` is `store/sqlite`; `contract/rules.rs` is `contract`; `shutdown.rs` is `shutdown`.
fn module_of(path: &str) -> String {
    if path.starts_with("store/sqlite") {
        return "store/sqlite".to_owned();
    }
    if path.starts_with("store/postgres") {
        return "store/postgres".to_owned();
    }
    path.split('/').next().unwrap_or_default().trim_end_matches(".rs").to_owned()
}

/// The modules that a text names as `crate::…`, also inside braces and in full paths.
fn used(text: &str) -> Vec<String> {
    let mut used = Vec::new();
    for (at, _) in text.match_indices("crate::") {
        let rest = &text[at + "crate::".len()..];
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len());
        let module = &rest[..end];
        if module == "store" && rest[end..].starts_with("::sqlite") {
            used.push("store/sqlite".to_owned());
        } else if module == "store" && rest[end..].starts_with("::postgres") {
            used.push("store/postgres".to_owned());
        } else {
            used.push(module.to_owned());
        }
    }
    used
}

fn may_use(file: (u8, u8), other: (u8, u8)) -> bool {
    other.0 < file.0 || (file.0 == 2 && other.0 == 2 && other.1 <= file.1)
}

#[test]
fn a_file_uses_lower_floors_only() {
    let src = root().join("src");
    let mut all = Vec::new();
    files(&src, &mut all);
    assert!(all.len() > 40, "the sources were found");
    let mut wrong = Vec::new();
    for path in all {
        let name = path.strip_prefix(&src).expect("below src").to_string_lossy().into_owned();
        let module = module_of(&name);
        let text = std::fs::read_to_string(&path).expect("a source");
        let code: String = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
        for other in used(&code) {
            // Within one floor modules of floor 3 and 5 may use each other: they are one way and one wiring.
            let same_floor = place(&other).0 == place(&module).0 && matches!(place(&module).0, 3 | 5);
            if other != module && !same_floor && !may_use(place(&module), place(&other)) {
                wrong.push(format!("{name} uses {other}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_check_itself_can_fail() {
    assert!(!may_use(place("intake"), place("contract")));
    assert!(!may_use(place("domain"), place("intake")));
    assert!(!may_use(place("journey"), place("http")));
    assert!(may_use(place("contract"), place("intake")));
    assert_eq!(used("use crate::{x}; crate::store::sqlite::A; crate::domain::B"), ["", "store/sqlite", "domain"]);
}

/// A file does one thing: few are longer than 400 lines, and each says first what it does.
#[test]
fn every_file_says_first_what_it_does_and_is_not_too_long() {
    let src = root().join("src");
    let mut all = Vec::new();
    files(&src, &mut all);
    for path in all {
        let text = std::fs::read_to_string(&path).expect("a source");
        assert!(text.starts_with("//! "), "{} does not say what it does", path.display());
        assert!(text.lines().count() <= 400, "{} is longer than 400 lines", path.display());
    }
}
