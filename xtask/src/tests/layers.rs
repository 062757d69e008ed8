//! The layers of the libraries: imports point down and are not circular.
//!
//! - Top-level modules of a crate are not circular: no module imports, directly or through others, a module that imports it.
//! - Files of a top-level module are not circular. A module may use items of its ancestors, which are its namespace; siblings must not need each other.
//! - No item is imported through the crate root, when the root re-exports it from a module.
//! - `documine/src`: imports point down in the list of layers in ARCHITECTURE.md. Modules of the same layer may import each other.
//!
//! Modules for tests are exempt. The list is the first fenced block below the heading `## Layers of documine/src`: one layer a line, from top to bottom;
//! module names separated by one blank, with or without `/`; two or more blanks begin a description.

mod imports;

use std::collections::{BTreeMap, BTreeSet};

use crate::workspace::root;
use imports::{CrateModules, Import, ModulePath};

/// Heading of the list of layers in ARCHITECTURE.md.
const HEADING: &str = "## Layers of documine/src";

/// Reads the modules of a crate.
fn modules(folder: &str, root_file: &str) -> CrateModules {
    let source = root().join(folder);
    let read = |file: &str| std::fs::read_to_string(source.join(file)).ok();
    CrateModules::read(root_file, &read).unwrap_or_else(|error| panic!("{folder}/{error}"))
}

fn check(folder: &str, root_file: &str) {
    let findings = findings(&modules(folder, root_file), None);
    assert!(findings.is_empty(), "{folder}: {} findings\n{}", findings.len(), findings.join("\n"));
}

#[test]
fn documine_imports_point_down() {
    let modules = modules("documine/src", "lib.rs");
    let text = std::fs::read_to_string(root().join("ARCHITECTURE.md")).expect("ARCHITECTURE.md is there");
    let layers = layers(&text).unwrap_or_else(|| panic!("ARCHITECTURE.md has no fenced block below `{HEADING}`"));
    let findings = findings(&modules, Some(&layers));
    assert!(findings.is_empty(), "documine/src: {} findings\n{}", findings.len(), findings.join("\n"));
}

#[test]
fn documine_api_imports_are_not_circular() {
    check("documine-api/src", "lib.rs");
}

#[test]
fn codegen_imports_are_not_circular() {
    check("openapi/codegen/src", "lib.rs");
}

#[test]
fn simulator_imports_are_not_circular() {
    check("tests/sim/src", "lib.rs");
}

#[test]
fn ingest_imports_are_not_circular() {
    check("documine/ingest/src", "lib.rs");
}

#[test]
fn xtask_imports_are_not_circular() {
    check("xtask/src", "main.rs");
}

/// Reads the list of layers: module → layer, counted from the top.
fn layers(architecture: &str) -> Option<BTreeMap<String, usize>> {
    let mut lines = architecture.lines().skip_while(|line| line.trim() != HEADING);
    lines.find(|line| line.starts_with("```"))?;
    let mut layers = BTreeMap::new();
    for (layer, line) in lines.take_while(|line| !line.starts_with("```")).enumerate() {
        let names = line.trim().split("  ").next().unwrap_or_default();
        layers.extend(names.split_whitespace().map(|name| (name.trim_end_matches('/').to_owned(), layer)));
    }
    Some(layers)
}

/// Checks all rules.
fn findings(modules: &CrateModules, layers: Option<&BTreeMap<String, usize>>) -> Vec<String> {
    let imports = modules.imports();
    let mut findings: Vec<String> = imports
        .iter()
        .filter(|import| import.through_root)
        .map(|import| {
            format!(
                "{}: imports {} through the crate root; it is in {}",
                shown(&import.from),
                import.path,
                shown(&import.to)
            )
        })
        .collect();
    if let Some(layers) = layers {
        findings.extend(unlisted(&modules.top_level(), layers));
        findings.extend(imports.iter().filter_map(|import| upward(import, layers)));
    }
    let rooms = imports.iter().filter_map(|import| {
        let edge = (vec![import.from.first()?.clone()], vec![import.to.first()?.clone()]);
        (edge.0 != edge.1).then_some((edge, import))
    });
    findings.extend(circles("top-level modules", rooms));
    // An ancestor is the namespace of the module; files of different top-level modules are compared above.
    let files = imports.iter().filter(|import| {
        import.from.first() == import.to.first() && !import.to.is_empty() && !import.from.starts_with(&import.to)
    });
    findings.extend(circles("files", files.map(|import| ((import.from.clone(), import.to.clone()), import))));
    findings
}

/// Lists modules without a layer, and layers without a module.
fn unlisted(modules: &BTreeSet<String>, layers: &BTreeMap<String, usize>) -> Vec<String> {
    let without_layer = modules.iter().filter(|module| !layers.contains_key(*module));
    let without_module = layers.keys().filter(|module| !modules.contains(*module));
    without_layer
        .map(|module| format!("{module}: has no layer in ARCHITECTURE.md"))
        .chain(without_module.map(|module| format!("{module}: is a layer in ARCHITECTURE.md and not a module")))
        .collect()
}

/// Describes an import that points up.
fn upward(import: &Import, layers: &BTreeMap<String, usize>) -> Option<String> {
    let (from, to) = (layers.get(import.from.first()?)?, layers.get(import.to.first()?)?);
    (to < from).then(|| format!("{}: imports {}, which is in a higher layer", shown(&import.from), import.path))
}

fn shown(module: &[String]) -> String {
    if module.is_empty() { String::from("crate root") } else { module.join("::") }
}

type Edge = (ModulePath, ModulePath);

/// Describes each group of modules that import each other, with the imports inside of the group.
fn circles<'a>(kind: &str, edges: impl Iterator<Item = (Edge, &'a Import)>) -> Vec<String> {
    let mut graph: BTreeMap<ModulePath, BTreeSet<ModulePath>> = BTreeMap::new();
    let mut imports: BTreeMap<Edge, Vec<&Import>> = BTreeMap::new();
    for ((from, to), import) in edges {
        graph.entry(from.clone()).or_default().insert(to.clone());
        imports.entry((from, to)).or_default().push(import);
    }
    let reachable: BTreeMap<&ModulePath, BTreeSet<&ModulePath>> =
        graph.keys().map(|start| (start, reachable(&graph, start))).collect();
    let mut groups: BTreeSet<Vec<&ModulePath>> = BTreeSet::new();
    for (module, targets) in &reachable {
        if targets.contains(module) {
            let in_circle = |other: &&&ModulePath| reachable.get(**other).is_some_and(|back| back.contains(module));
            groups.insert(targets.iter().filter(in_circle).copied().collect());
        }
    }
    let describe = |group: &Vec<&ModulePath>| {
        let names: Vec<String> = group.iter().map(|module| shown(module)).collect();
        let lines: BTreeSet<String> = imports
            .iter()
            .filter(|((from, to), _)| group.contains(&from) && group.contains(&to))
            .flat_map(|(_, imports)| {
                imports.iter().map(|import| format!("    {}: {}", shown(&import.from), import.path))
            })
            .collect();
        format!("circular {kind}: {}\n{}", names.join(", "), lines.into_iter().collect::<Vec<_>>().join("\n"))
    };
    groups.iter().map(describe).collect()
}

fn reachable<'a>(
    graph: &'a BTreeMap<ModulePath, BTreeSet<ModulePath>>,
    start: &ModulePath,
) -> BTreeSet<&'a ModulePath> {
    let mut found: BTreeSet<&ModulePath> = BTreeSet::new();
    let mut pending: Vec<&ModulePath> = graph.get(start).into_iter().flatten().collect();
    while let Some(next) = pending.pop() {
        if found.insert(next) {
            pending.extend(graph.get(next).into_iter().flatten());
        }
    }
    found
}

/// Findings of a made-up crate.
fn findings_of(files: &[(&str, &str)], architecture: Option<&str>) -> Vec<String> {
    let read = |file: &str| files.iter().find(|(name, _)| *name == file).map(|(_, text)| (*text).to_owned());
    let modules = CrateModules::read("lib.rs", &read).unwrap_or_else(|error| panic!("{error}"));
    findings(&modules, architecture.and_then(layers).as_ref())
}

#[test]
fn accepts_imports_that_point_down() {
    let files = [
        ("lib.rs", "mod a; mod b; pub use a::A; pub use b::B;"),
        ("a.rs", "use crate::b::B; use std::fmt; pub struct A(B);"),
        ("b.rs", "mod c; pub struct B; pub(crate) use c::C; const N: u8 = 1;"),
        ("b/c.rs", "use super::N; pub struct C([u8; N as usize]);"),
    ];
    let architecture = "# X\n\n## Layers of documine/src\n\n```text\na/   the top  with words\nb\n```\n";
    assert_eq!(findings_of(&files, Some(architecture)), [""; 0]);
}

#[test]
fn finds_circles_of_top_level_modules() {
    let files = [
        ("lib.rs", "mod a; mod b; mod c;"),
        ("a.rs", "fn f() -> crate::b::B { todo!() } pub struct A;"),
        ("b.rs", "use crate::c; pub struct B;"),
        ("c.rs", "fn f() { println!(\"{}\", crate::a::g(1)); }"),
    ];
    assert_eq!(
        findings_of(&files, None),
        ["circular top-level modules: a, b, c\n    a: crate::b::B\n    b: crate::c\n    c: crate::a::g"]
    );
}

#[test]
fn finds_circles_of_files_also_through_their_parent() {
    let files = [
        ("lib.rs", "mod a;"),
        ("a/mod.rs", "mod b; mod c; pub(crate) use c::C; use b::B; struct Shared;"),
        ("a/b.rs", "use super::{C, Shared}; pub struct B;"),
        ("a/c.rs", "use super::b::B; use super::Shared; pub struct C;"),
    ];
    assert_eq!(findings_of(&files, None), ["circular files: a::b, a::c\n    a::b: super::C\n    a::c: super::b::B"]);
}

#[test]
fn ignores_tests_and_inline_modules() {
    let files = [
        ("lib.rs", "mod a; mod b; #[cfg(test)] mod harness; #[cfg(any(test, fuzzing))] mod fuzzing;"),
        ("a.rs", "use crate::b::B; #[cfg(test)] mod tests { use super::*; use crate::b::X; } pub struct A;"),
        (
            "b.rs",
            "mod inner { use super::B; } #[cfg(test)] use crate::a::A; #[test] fn t() { crate::a::f(); } pub struct B;",
        ),
    ];
    assert_eq!(findings_of(&files, None), [""; 0]);
}

#[test]
fn finds_upward_imports_and_unlisted_modules() {
    let files = [("lib.rs", "mod a; mod b; mod c;"), ("a.rs", ""), ("b.rs", "use crate::a::A;"), ("c.rs", "")];
    let architecture = "## Layers of documine/src\n```\na/ d\nb/  text\n```\n";
    assert_eq!(
        findings_of(&files, Some(architecture)),
        [
            "c: has no layer in ARCHITECTURE.md",
            "d: is a layer in ARCHITECTURE.md and not a module",
            "b: imports crate::a::A, which is in a higher layer",
        ]
    );
}

#[test]
fn finds_imports_through_the_crate_root() {
    let files = [
        ("lib.rs", "mod a; pub mod models; pub use models::*; pub struct Own; pub use a::A as Renamed;"),
        ("a.rs", "use crate::{Dossier, FileId, Own}; pub struct A;"),
        ("models.rs", "pub use other_crate::FileId; pub struct Dossier; fn f(_: crate::Renamed) {}"),
    ];
    let findings = findings_of(&files, None);
    assert_eq!(findings[0], "a: imports crate::Dossier through the crate root; it is in models");
    assert_eq!(findings[1], "a: imports crate::FileId through the crate root; it is in models");
    assert_eq!(findings[2], "models: imports crate::Renamed through the crate root; it is in a");
    assert!(findings[3].starts_with("circular top-level modules: a, models\n"), "{findings:?}");
}
