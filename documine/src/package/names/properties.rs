//! Properties of entry names: a name is rejected, or gets a path inside the folder that no other entry has on any system.

use std::collections::HashSet;
use std::path::{Component, Path};

use proptest::prelude::*;

use super::*;
use crate::properties::cases;

/// Names with components that lead out of the folder or are invalid on some system.
fn name() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        4 => "[a-zA-Z0-9 ._-]{0,6}",
        2 => prop::sample::select(
            &[
                "..", ".", "", "C:", "c:x", "NUL", "com1.txt", "LPT¹", "a.", "a ", "\\", "\\\\h", "\u{202e}", "a\0",
                "a", "A", "a (2)", ".. ", "...",
            ][..]
        )
        .prop_map(str::to_owned),
        1 => any::<String>(),
    ];
    prop::collection::vec(part, 0..5).prop_map(|parts| parts.join("/"))
}

fn is_inside(path: &str) -> bool {
    Path::new(path).components().all(|part| matches!(part, Component::Normal(_)))
}

fn paths(files: &[&str], folders: &[&str]) -> (Vec<String>, Vec<String>) {
    let paths = UnpackPaths::assign(files.iter().copied(), folders.iter().copied());
    (paths.files, paths.folders)
}

proptest! {
    #![proptest_config(cases(512))]

    #[test]
    fn every_name_gets_a_unique_path_inside_the_folder(names in prop::collection::vec(name(), 0..12)) {
        let normalized: HashSet<String> = names.iter().filter_map(|name| normalize(name).ok()).filter(|name| name != "/").collect();
        let (folders, files): (Vec<&str>, Vec<&str>) = normalized.iter().map(String::as_str).partition(|name| name.ends_with('/'));
        let (files, folders) = paths(&files, &folders);
        let mut keys = HashSet::new();
        for path in &files {
            prop_assert!(is_inside(path) && path.len() <= MAX_PATH, "{path:?}");
            prop_assert!(keys.insert(collation_key(path)), "{path:?} is a duplicate");
            for part in path.split('/') {
                prop_assert!(!part.is_empty() && part.len() <= MAX_COMPONENT && !is_device(part), "{path:?}");
                prop_assert!(!part.ends_with(|last: char| last == '.' || last.is_whitespace()), "{path:?}");
                prop_assert!(!part.contains(|ch: char| ch.is_control() || r#"<>:"|?*\"#.contains(ch)), "{path:?}");
            }
        }
        for path in &folders {
            prop_assert!(is_inside(path) && !keys.contains(&collation_key(path)), "{path:?} is also a file");
        }
    }

    #[test]
    fn keeps_plain_names(name in "[a-zäöüß0-9]{1,9}(/[a-zäöüß0-9 ()-]{1,9}[0-9]){0,4}(\\.[a-z]{2,4})?") {
        prop_assume!(!name.split('/').any(is_device));
        prop_assert_eq!(normalize(&name), Ok(name.clone()));
        prop_assert_eq!(paths(&[&name], &[]).0, [name]);
    }

    #[test]
    fn collation_key_ignores_case_and_unicode_form(name in "[a-zA-ZäÄéßſ]{1,8}") {
        let one = collation_key(&name);
        prop_assert_eq!(&one, &collation_key(&name.to_uppercase()));
        prop_assert_eq!(&one, &collation_key(&name.to_lowercase()));
        prop_assert_eq!(&one, &collation_key(&name.replace('é', "e\u{301}").replace('ä', "a\u{308}").replace('Ä', "A\u{308}")));
        prop_assert_eq!(&one, &collation_key(&one));
    }
}

#[test]
fn rejects_paths_that_lead_out_of_the_folder() {
    for (name, why) in [
        ("../x", "leads out of"),
        ("a/../../x", "leads out of"),
        ("a/..", "leads out of"),
        (r"..\x", "leads out of"),
        (r"a\..\..\x", "leads out of"),
        ("/etc/passwd", "absolute"),
        (r"\windows\x", "absolute"),
        ("//host/x", "network path"),
        (r"\\host\x", "network path"),
        (r"\\?\C:\x", "network path"),
        ("C:/x", "drive letter"),
        (r"c:\x", "drive letter"),
        ("C:", "drive letter"),
    ] {
        assert!(normalize(name).is_err_and(|error| error.contains(why)), "{name:?}: {:?}", normalize(name));
    }
}

#[test]
fn normalizes_separators_and_drops_empty_components() {
    for (name, normalized) in [
        (r"dir\file.pdf", "dir/file.pdf"),
        (r"a\b/c\", "a/b/c/"),
        ("./a/./b", "a/b"),
        ("a//b", "a/b"),
        ("./", "/"),
        ("a:b.pdf", "a:b.pdf"),
        ("...", "..."),
    ] {
        assert_eq!(normalize(name), Ok(normalized.to_owned()), "{name:?}");
    }
}

#[test]
fn escapes_names_that_are_invalid_on_some_system() {
    for (name, path) in [
        ("aux.pdf", "aux_.pdf"),
        ("con", "con_"),
        ("Reports/NUL.tar.gz", "Reports/NUL_.tar.gz"),
        ("lpt1 .txt", "lpt1 _.txt"),
        ("COM¹", "COM¹_"),
        ("folder./x", "folder%2E/x"),
        ("x...", "x..%2E"),
        ("trailing ", "trailing%20"),
        ("trailing\u{a0}", "trailing%C2%A0"),
        ("a:b.pdf", "a%3Ab.pdf"),
        ("C:x", "C%3Ax"),
        ("a/d:/x", "a/d%3A/x"),
        ("what?.pdf", "what%3F.pdf"),
        ("<>\"|*", "%3C%3E%22%7C%2A"),
        ("x\u{1b}[2J", "x%1B[2J"),
        ("x\0.pdf", "x%00.pdf"),
        ("x\u{202e}fdp.exe", "x%E2%80%AEfdp.exe"),
        ("...", "..%2E"),
        (".. /x", "..%20/x"),
        ("", "_"),
        ("Reports/Q3 – übersicht.xlsx", "Reports/Q3 – übersicht.xlsx"),
        ("100%.pdf", "100%.pdf"),
        (".profile", ".profile"),
        ("console.pdf", "console.pdf"),
    ] {
        assert_eq!(paths(&[name], &[]).0, [path], "{name:?}");
    }
    let long = format!("{}.pdf", "ä".repeat(300));
    let path = paths(&[&long], &[]).0.remove(0);
    assert!(
        path.len() <= 255
            && path.starts_with("ää")
            && Path::new(&path).extension() == Some("pdf".as_ref())
            && path.contains('~'),
        "{path}"
    );
    for deep in [format!("{}x.pdf", "a/".repeat(40)), format!("{}/x.pdf", vec!["a".repeat(250); 5].join("/"))] {
        let path = paths(&[&deep], &[]).0.remove(0);
        assert!(path.starts_with("long-") && path.ends_with("/x.pdf"), "{path}");
    }
}

#[test]
fn numbers_names_that_are_equal_on_some_system() {
    for (names, written) in [
        (&["Report.pdf", "report.pdf", "REPORT.pdf"][..], &["Report.pdf", "report (2).pdf", "REPORT (3).pdf"][..]),
        (&["é.pdf", "e\u{301}.pdf"], &["é.pdf", "e\u{301} (2).pdf"]),
        (&["straße", "STRASSE"], &["straße", "STRASSE (2)"]),
        // A unique name is kept.
        (&["r.pdf", "R.pdf", "r (2).pdf"], &["r.pdf", "R (3).pdf", "r (2).pdf"]),
        (&["a:b", "a%3Ab"], &["a%3Ab", "a%3Ab (2)"]),
        // Folders whose names differ only in case are one folder.
        (&["D/x", "d/y", "d/X"], &["D/x", "D/y", "D/X (2)"]),
        // A file with the name of a folder.
        (&["a", "A/x"], &["a (2)", "A/x"]),
        (&["a-b", "A/x", "a"], &["a-b", "A/x", "a (2)"]),
    ] {
        assert_eq!(paths(names, &[]).0, written, "{names:?}");
    }
    assert_eq!(paths(&["d"], &["D/"]), (vec!["d (2)".to_owned()], vec!["D".to_owned()]));
    let many: Vec<String> =
        (0..1_u32 << 12).map(|bits| (0..12).map(|at| if bits >> at & 1 == 1 { 'A' } else { 'a' }).collect()).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert_eq!(paths(&many, &[]).0.iter().map(|path| collation_key(path)).collect::<HashSet<_>>().len(), 4096);
}
