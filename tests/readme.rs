//! What the README says is what is so: its quick start, its commands, its table of operations, the Rust version.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[cfg(reconstruction)]
use std::collections::BTreeMap;
use std::path::Path;

#[cfg(reconstruction)]
use documine_api::operations::OPERATIONS;

fn read(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).expect(path)
}

/// The text under a heading of the second level, up to the next one.
fn section<'a>(text: &'a str, heading: &str) -> &'a str {
    let begin = text.find(&format!("\n## {heading}\n")).unwrap_or_else(|| panic!("no section {heading:?}"));
    let rest = &text[begin + 1..];
    rest.find("\n## ").map_or(rest, |end| &rest[..end])
}

/// The first block of code in a language.
fn code<'a>(text: &'a str, language: &str) -> &'a str {
    let begin = text.find(&format!("```{language}")).unwrap_or_else(|| panic!("no block of {language}"));
    let (_, block) = text[begin..].split_once('\n').unwrap();
    let (block, _) = block.split_once("\n```").unwrap();
    block
}

/// The value of the first `key = "…"` in a manifest.
fn value<'a>(manifest: &'a str, key: &str) -> &'a str {
    let mut lines = manifest.lines().filter_map(|line| line.split_once(" = "));
    lines.find(|(found, _)| *found == key).map(|(_, value)| value.trim_matches('"')).expect(key)
}

#[test]
fn the_quick_start_is_the_one_that_is_run_as_a_test() {
    let (root, facade) = (read("README.md"), read("documine/README.md"));
    let shown = code(section(&root, "Quick start"), "rust");
    assert_eq!(shown, code(section(&facade, "Quick start"), "rust"));
    assert!(shown.lines().count() <= 15, "a quick start is short");
}

#[test]
fn the_commands_are_those_that_every_change_has_to_pass() {
    let (readme, checks) = (read("README.md"), read(".ci/run"));
    for heading in ["Try it", "Test it"] {
        for command in code(section(&readme, heading), "sh").lines() {
            assert!(checks.lines().any(|line| line == command), ".ci/run does not run {command:?} of {heading:?}");
        }
    }
}

#[test]
fn the_rust_version_is_the_manifests() {
    let (readme, manifest) = (read("README.md"), read("Cargo.toml"));
    let wanted = format!("Rust {} or newer", value(&manifest, "rust-version"));
    assert!(section(&readme, "Requirements").contains(&wanted), "the README does not say {wanted:?}");
}

/// Provenance is a matter of our document.
#[cfg(reconstruction)]
#[test]
fn the_table_has_every_operation_with_its_provenance() {
    let readme = read("README.md");
    let listed: BTreeMap<String, String> = section(&readme, "The 22 operations")
        .lines()
        .filter_map(|line| line.strip_prefix("| `"))
        .filter_map(|line| line.split_once("` | "))
        .filter_map(|(id, rest)| Some((id.to_owned(), rest.split_once(" | ")?.0.to_owned())))
        .collect();
    let real: BTreeMap<String, String> = OPERATIONS
        .iter()
        .map(|operation| (operation.id.to_owned(), format!("{:?}", operation.provenance).to_lowercase()))
        .collect();
    assert_eq!(listed, real);
}

#[test]
fn every_test_that_the_table_of_threats_names_is_there() {
    let security = read("SECURITY.md");
    let rows =
        section(&security, "Threats, and what stands against them").lines().filter(|line| line.starts_with("| "));
    let mut named = 0;
    for row in rows.skip(1) {
        let tests = row.trim_end_matches(" |").rsplit(" | ").next().unwrap();
        let found = tests.split('`').skip(1).step_by(2);
        for name in found {
            named += 1;
            let Some((module, test)) = name.rsplit_once("::") else {
                assert!(Path::new(env!("CARGO_MANIFEST_DIR")).join(name).exists(), "{name}: {row}");
                continue;
            };
            // A story's module stands by itself; the path of one within the facade is longer.
            let stands_in_a_file = !module.contains("::");
            let file = if stands_in_a_file {
                format!("tests/integration/{module}.rs")
            } else {
                let path = module.replace("::", "/");
                let own = format!("documine/src/{path}.rs");
                let inline = format!("documine/src/{}.rs", path.trim_end_matches("/tests"));
                if Path::new(env!("CARGO_MANIFEST_DIR")).join(&own).exists() { own } else { inline }
            };
            let begin = format!("fn {}", test.trim_end_matches('*'));
            assert!(read(&file).contains(&begin), "{name} is not in {file}");
        }
    }
    assert!(named > 20, "{named}");
}
