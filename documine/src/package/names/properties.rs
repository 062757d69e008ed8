//! Whatever an entry is called: it is refused, or it has a path beneath the folder that no other entry has on any system.

use std::collections::HashSet;
use std::path::{Component, Path};

use proptest::prelude::*;

use super::*;
use crate::properties::cases;

/// Names made of parts, with those among them that lead elsewhere.
fn name() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        4 => "[a-zA-Z0-9 ._-]{0,6}",
        2 => prop::sample::select(
            &["..", ".", "", "C:", "c:x", "NUL", "com1.txt", "LPT¹", "a.", "a ", "\\", "\\\\h", "\u{202e}", "a\0", "a", "A", "a (2)", ".. ", "..."][..]
        )
        .prop_map(str::to_owned),
        1 => any::<String>(),
    ];
    prop::collection::vec(part, 0..5).prop_map(|parts| parts.join("/"))
}

fn is_beneath(path: &str) -> bool {
    Path::new(path).components().all(|part| matches!(part, Component::Normal(_)))
}

fn paths(files: &[&str], folders: &[&str]) -> (Vec<String>, Vec<String>) {
    let paths = Paths::of(files.iter().copied(), folders.iter().copied());
    (paths.files, paths.folders)
}

proptest! {
    #![proptest_config(cases(512))]

    #[test]
    fn every_name_has_a_path_of_its_own_beneath_the_folder(names in prop::collection::vec(name(), 0..12)) {
        let clean: HashSet<String> = names.iter().filter_map(|name| clean(name).ok()).filter(|name| name != "/").collect();
        let (folders, files): (Vec<&str>, Vec<&str>) = clean.iter().map(String::as_str).partition(|name| name.ends_with('/'));
        let (files, folders) = paths(&files, &folders);
        let mut keys = HashSet::new();
        for path in &files {
            prop_assert!(is_beneath(path) && path.len() <= LONGEST, "{path:?}");
            prop_assert!(keys.insert(key(path)), "{path:?} is there twice");
            for part in path.split('/') {
                prop_assert!(!part.is_empty() && part.len() <= LONGEST_PART && !is_device(part), "{path:?}");
                prop_assert!(!part.ends_with(|last: char| last == '.' || last.is_whitespace()), "{path:?}");
                prop_assert!(!part.contains(|letter: char| letter.is_control() || r#"<>:"|?*\"#.contains(letter)), "{path:?}");
            }
        }
        for path in &folders {
            prop_assert!(is_beneath(path) && !keys.contains(&key(path)), "{path:?} is a file, too");
        }
    }

    #[test]
    fn a_plain_name_stays_as_it_is(name in "[a-zäöüß0-9]{1,9}(/[a-zäöüß0-9 ()-]{1,9}[0-9]){0,4}(\\.[a-z]{2,4})?") {
        prop_assume!(!name.split('/').any(is_device));
        prop_assert_eq!(clean(&name), Ok(name.clone()));
        prop_assert_eq!(paths(&[&name], &[]).0, [name]);
    }

    #[test]
    fn a_key_is_the_same_however_a_name_is_written(name in "[a-zA-ZäÄéßſ]{1,8}") {
        let one = key(&name);
        prop_assert_eq!(&one, &key(&name.to_uppercase()));
        prop_assert_eq!(&one, &key(&name.to_lowercase()));
        prop_assert_eq!(&one, &key(&name.replace('é', "e\u{301}").replace('ä', "a\u{308}").replace('Ä', "A\u{308}")));
        prop_assert_eq!(&one, &key(&one));
    }
}

#[test]
fn refuses_names_that_lead_out_of_the_folder() {
    for (name, why) in [
        ("../x", "leads out"),
        ("a/../../x", "leads out"),
        ("a/..", "leads out"),
        (r"..\x", "leads out"),
        (r"a\..\..\x", "leads out"),
        ("/etc/passwd", "absolute"),
        (r"\windows\x", "absolute"),
        ("//host/x", "network"),
        (r"\\host\x", "network"),
        (r"\\?\C:\x", "network"),
        ("C:/x", "drive"),
        (r"c:\x", "drive"),
        ("C:", "drive"),
    ] {
        assert!(clean(name).is_err_and(|error| error.contains(why)), "{name:?}: {:?}", clean(name));
    }
}

#[test]
fn takes_one_separator_for_the_other_and_leaves_out_empty_parts() {
    for (name, cleaned) in [
        (r"dir\file.pdf", "dir/file.pdf"),
        (r"a\b/c\", "a/b/c/"),
        ("./a/./b", "a/b"),
        ("a//b", "a/b"),
        ("./", "/"),
        ("a:b.pdf", "a:b.pdf"),
        ("...", "..."),
    ] {
        assert_eq!(clean(name), Ok(cleaned.to_owned()), "{name:?}");
    }
}

#[test]
fn writes_each_name_so_that_every_system_can_hold_it() {
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
fn numbers_names_that_some_system_takes_for_one() {
    for (names, written) in [
        (&["Report.pdf", "report.pdf", "REPORT.pdf"][..], &["Report.pdf", "report (2).pdf", "REPORT (3).pdf"][..]),
        (&["é.pdf", "e\u{301}.pdf"], &["é.pdf", "e\u{301} (2).pdf"]),
        (&["straße", "STRASSE"], &["straße", "STRASSE (2)"]),
        // Who has a name for himself keeps it.
        (&["r.pdf", "R.pdf", "r (2).pdf"], &["r.pdf", "R (3).pdf", "r (2).pdf"]),
        (&["a:b", "a%3Ab"], &["a%3Ab", "a%3Ab (2)"]),
        // Folders of one name are one folder.
        (&["D/x", "d/y", "d/X"], &["D/x", "D/y", "D/X (2)"]),
        // A file that is a folder, too.
        (&["a", "A/x"], &["a (2)", "A/x"]),
        (&["a-b", "A/x", "a"], &["a-b", "A/x", "a (2)"]),
    ] {
        assert_eq!(paths(names, &[]).0, written, "{names:?}");
    }
    assert_eq!(paths(&["d"], &["D/"]), (vec!["d (2)".to_owned()], vec!["D".to_owned()]));
    let many: Vec<String> =
        (0..1_u32 << 12).map(|bits| (0..12).map(|at| if bits >> at & 1 == 1 { 'A' } else { 'a' }).collect()).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert_eq!(paths(&many, &[]).0.iter().map(|path| key(path)).collect::<HashSet<_>>().len(), 4096);
}
