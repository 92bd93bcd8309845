//! The documents agree with the code: every code has its section, and the project speaks of itself alone.

use brygga::domain::Code;

use crate::harness::root;

#[test]
fn the_page_of_refusals_lists_every_code_in_the_order_of_the_way() {
    let page = std::fs::read_to_string(root().join("docs/refusals.md")).expect("docs/refusals.md");
    let sections: Vec<&str> =
        page.lines().filter_map(|line| line.strip_prefix("### `").and_then(|rest| rest.strip_suffix('`'))).collect();
    let codes: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(sections, codes);
    for part in ["**Cause", "**Example", "**What the sender should do"] {
        assert_eq!(page.matches(part).count(), codes.len(), "each section has its {part}");
    }
}

#[test]
fn the_swedish_page_of_refusals_has_the_same_codes_in_the_same_order() {
    let page = std::fs::read_to_string(root().join("docs/refusals.sv.md")).expect("docs/refusals.sv.md");
    let sections = page.lines().filter_map(|line| line.strip_prefix("### `").and_then(|rest| rest.strip_suffix('`')));
    assert!(sections.eq(Code::ALL.iter().map(|code| code.as_str())));
    for part in ["- **Orsak:** ", "- **Vad avsändaren gör:** "] {
        assert_eq!(page.matches(part).count(), Code::ALL.len(), "each section has its {part}");
    }
}

#[test]
fn adrs_are_short_and_say_their_status() {
    for entry in std::fs::read_dir(root().join("docs/adr")).expect("docs/adr") {
        let path = entry.expect("a file").path();
        let text = std::fs::read_to_string(&path).expect("an ADR");
        assert!(text.lines().count() <= 60, "{} is longer than 60 lines", path.display());
        for part in ["Status", "Context", "Decision", "Consequences"] {
            assert!(text.contains(part), "{} lacks {part}", path.display());
        }
    }
}

#[test]
fn the_readme_names_the_two_commands_and_every_dependency() {
    let readme = std::fs::read_to_string(root().join("README.md")).expect("README.md");
    for command in ["cargo run --release -- demo", "script/test"] {
        assert!(readme.contains(command), "{command}");
    }
    let manifest: toml::Table =
        std::fs::read_to_string(root().join("Cargo.toml")).expect("Cargo.toml").parse().expect("Cargo.toml is TOML");
    for name in manifest["dependencies"].as_table().expect("dependencies").keys() {
        assert!(readme.contains(&format!("`{name}`")), "the table does not say what {name} is for");
    }
}
