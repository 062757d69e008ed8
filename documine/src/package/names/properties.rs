//! Whatever an entry is called: a name that is taken stays beneath its folder.

use std::path::{Component, Path};

use proptest::prelude::*;

use super::*;
use crate::properties::cases;

/// Names made of parts, with those among them that lead elsewhere.
fn name() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        4 => "[a-zA-Z0-9 ._-]{0,6}",
        2 => prop::sample::select(&["..", ".", "", "C:", "c:x", "NUL", "com1.txt", "LPT¹", "a.", "a ", "\\", "\\\\h", "\u{202e}", "a\0"][..])
            .prop_map(str::to_owned),
        1 => any::<String>(),
    ];
    prop::collection::vec(part, 0..5).prop_map(|parts| parts.join("/"))
}

proptest! {
    #![proptest_config(cases(512))]

    #[test]
    fn a_name_that_is_taken_stays_beneath_its_folder(name in name()) {
        if check(&name).is_ok() {
            let path = Path::new("/folder").join(&name);
            prop_assert!(path.starts_with("/folder"), "{:?}", name);
            prop_assert!(Path::new(&name).components().all(|part| matches!(part, Component::Normal(_))), "{:?}", name);
            prop_assert!(!name.contains('\\') && !name.contains("//") && !name.starts_with('/'), "{:?}", name);
            for part in name.trim_end_matches('/').split('/') {
                prop_assert!(!part.ends_with([' ', '.']), "{:?}", name);
            }
        }
    }

    #[test]
    fn a_plain_name_is_taken(name in "[a-zäöüß0-9]{1,9}(/[a-zäöüß0-9 ()-]{1,9}[0-9]){0,4}(\\.[a-z]{2,4})?") {
        prop_assume!(!name.split('/').any(is_device));
        prop_assert_eq!(check(&name), Ok(()));
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
fn each_kind_of_bad_name_has_its_own_words() {
    for (name, why) in [
        ("../x", "leads out"),
        ("a/../../x", "leads out"),
        ("/etc/passwd", "absolute"),
        ("//host/x", "network"),
        (r"\\host\x", "network"),
        (r"a\x", "backslash"),
        ("C:/x", "drive"),
        ("C:x", "drive"),
        ("a/./x", "empty part"),
        ("a//x", "empty part"),
        ("a/CON", "device"),
        ("nul.txt", "device"),
        ("Com9.tar.gz", "device"),
        ("lpt1 .txt", "device"),
        ("x.", "dot or a blank"),
        ("x /y", "dot or a blank"),
        ("x\0.txt", "control"),
        ("x\n", "control"),
        ("x\u{202e}fdp.exe", "direction"),
        ("", "no bytes"),
    ] {
        assert!(check(name).is_err_and(|error| error.contains(why)), "{name:?}: {:?}", check(name));
    }
    assert!(check(&"a/".repeat(40)).is_err_and(|why| why.contains("32 folders")));
    assert!(check(&"a".repeat(256)).is_err_and(|why| why.contains("255 bytes")));
    for name in
        ["Reports/Q3 – übersicht.xlsx", "Originals/console.pdf", "Originals/12:30.pdf", "a/b/", "COMMON", "NULL"]
    {
        assert_eq!(check(name), Ok(()), "{name}");
    }
}
