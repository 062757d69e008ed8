//! Checks README and SECURITY: length, links, commands, table of operations, Rust version, quoted test names.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[cfg(reconstruction)]
use std::collections::BTreeMap;
use std::path::Path;

#[cfg(reconstruction)]
use documine_api::operations::OPERATIONS;

fn read(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).expect(path)
}

fn exists(path: &str) -> bool {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path).exists()
}

/// Returns the section of the first second-level heading that contains `words`.
fn section<'a>(text: &'a str, words: &str) -> &'a str {
    let mut sections = text.split("\n## ").skip(1);
    let found = sections.find(|section| section.lines().next().is_some_and(|heading| heading.contains(words)));
    found.unwrap_or_else(|| panic!("no section {words:?}"))
}

/// Returns the first code block in a language.
fn code<'a>(text: &'a str, language: &str) -> &'a str {
    let begin = text.find(&format!("```{language}")).unwrap_or_else(|| panic!("no block of {language}"));
    let (_, block) = text[begin..].split_once('\n').unwrap();
    let (block, _) = block.split_once("\n```").unwrap();
    block
}

/// Returns the value of the first `key = "…"` in a manifest.
fn value<'a>(manifest: &'a str, key: &str) -> &'a str {
    let mut lines = manifest.lines().filter_map(|line| line.split_once(" = "));
    lines.find(|(found, _)| *found == key).map(|(_, value)| value.trim_matches('"')).expect(key)
}

#[test]
fn readme_and_its_quick_start_are_short() {
    let readme = read("README.md");
    assert!(readme.lines().count() <= 180, "the README exceeds 180 lines");
    assert!(code(section(&readme, "Quick start"), "rust").lines().count() <= 15, "the quick start exceeds 15 lines");
}

#[test]
fn relative_links_of_the_readme_lead_to_files() {
    let readme = read("README.md");
    let targets = readme.split("](").skip(1).filter_map(|rest| rest.split_once(')').map(|(target, _)| target));
    let mut checked = 0;
    for target in targets.filter(|target| !target.starts_with("http")) {
        assert!(exists(target), "{target}");
        checked += 1;
    }
    assert!(checked > 20, "{checked}");
}

#[test]
fn ci_runs_the_documented_commands() {
    let scripts = [".ci/check", ".ci/run"].into_iter().filter(|path| exists(path));
    let (readme, checks) = (read("README.md"), scripts.map(read).collect::<String>());
    for heading in ["Try it", "Test it"] {
        for command in code(section(&readme, heading), "sh").lines() {
            assert!(checks.lines().any(|line| line == command), "CI does not run {command:?} of {heading:?}");
        }
    }
}

#[test]
fn rust_version_matches_the_manifest() {
    let (readme, manifest) = (read("README.md"), read("Cargo.toml"));
    let wanted = format!("Rust {} or newer", value(&manifest, "rust-version"));
    assert!(section(&readme, "Requirements").contains(&wanted), "the README lacks {wanted:?}");
}

/// Only the repository's document has provenance.
#[cfg(reconstruction)]
#[test]
fn table_lists_every_operation_with_its_provenance() {
    let readme = read("README.md");
    let listed: BTreeMap<String, String> = section(&readme, "operations")
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
fn every_test_in_the_threat_table_exists() {
    let security = read("SECURITY.md");
    let rows = section(&security, "Threats, measures and tests").lines().filter(|line| line.starts_with("| "));
    let mut named = 0;
    for row in rows.skip(1) {
        let tests = row.trim_end_matches(" |").rsplit(" | ").next().unwrap();
        let found = tests.split('`').skip(1).step_by(2);
        for name in found {
            named += 1;
            let Some((module, test)) = name.rsplit_once("::") else {
                assert!(exists(name), "{name}: {row}");
                continue;
            };
            // A single module name is an integration test; longer paths are unit tests of the facade.
            let file = if module.contains("::") {
                let path = module.replace("::", "/");
                let parent = path.trim_end_matches("/tests");
                let files = [format!("{path}.rs"), format!("{parent}.rs"), format!("{parent}/mod.rs")];
                let mut files = files.iter().map(|file| format!("documine/src/{file}"));
                files.find(|file| exists(file)).unwrap_or_else(|| panic!("no file of {module}: {row}"))
            } else {
                format!("tests/integration/{module}.rs")
            };
            let begin = format!("fn {}", test.trim_end_matches('*'));
            assert!(read(&file).contains(&begin), "{name} is not in {file}");
        }
    }
    assert!(named > 20, "{named}");
}
