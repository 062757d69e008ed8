//! Each variant does something, each is used, and the table makes sense.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::random::Random;
use crate::variants::{HARMFUL, HARMLESS};
use crate::{Effort, End, Form, cases, json_shuffled, yaml};

fn ours() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../openapi/documine.yaml");
    let text = std::fs::read_to_string(path).expect("openapi/documine.yaml is there");
    serde_saphyr::from_str(&text).expect("YAML")
}

#[test]
fn each_twist_changes_our_document() {
    let ours = ours();
    for variant in HARMLESS.iter().chain(HARMFUL) {
        let mut twisted = ours.clone();
        (variant.apply)(&mut twisted);
        assert!(twisted != ours, "{}", variant.name);
    }
}

#[test]
fn each_twist_of_a_case_changes_what_the_ones_before_have_left() {
    let mut idle: Vec<String> = Vec::new();
    for case in cases() {
        let mut document = ours();
        for variant in case.variants {
            let before = document.clone();
            (variant.apply)(&mut document);
            if document == before {
                idle.push(format!("{}: {}", case.name, variant.name));
            }
        }
    }
    assert!(idle.is_empty(), "{idle:#?}");
}

#[test]
fn each_twist_is_in_one_list_and_in_a_case() {
    let known: Vec<&str> = HARMLESS.iter().chain(HARMFUL).map(|variant| variant.name).collect();
    let distinct: BTreeSet<&str> = known.iter().copied().collect();
    assert_eq!(distinct.len(), known.len(), "a variant is listed twice");
    let cases = cases();
    let used: BTreeSet<&str> = cases.iter().flat_map(|case| case.variants).map(|variant| variant.name).collect();
    assert_eq!(used, distinct);
    for case in &cases {
        let harmful = case.variants.iter().any(|variant| HARMFUL.iter().any(|known| known.name == variant.name));
        let accepted = matches!(case.end, End::Accepted { .. });
        assert!(!(accepted && harmful), "{}", case.name);
    }
}

#[test]
fn the_table_is_large_enough_and_its_names_are_files() {
    let cases = cases();
    let names: BTreeSet<&str> = cases.iter().map(|case| case.name).collect();
    assert_eq!(names.len(), cases.len(), "a name is there twice");
    assert!(names.iter().all(|name| !name.contains(['/', '\\', '"'])));
    let with = |wanted: Effort| {
        cases.iter().filter(|case| matches!(case.end, End::Accepted { effort, .. } if effort >= wanted)).count()
    };
    let refused = cases.iter().filter(|case| matches!(case.end, End::Refused(_))).count();
    assert!(with(Effort::Generated) >= 50 && with(Effort::Checked) >= 8 && with(Effort::Tested) >= 2 && refused >= 30);
}

#[test]
fn no_order_of_twists_panics() {
    let ours = ours();
    let all: Vec<_> = HARMLESS.iter().chain(HARMFUL).collect();
    let mut random = Random::new(7);
    for _ in 0..30 {
        let mut document = ours.clone();
        for _ in 0..6 {
            let variant = all[random.below(all.len())];
            (variant.apply)(&mut document);
        }
        assert!(document.is_object());
    }
}

#[test]
fn a_shuffled_text_says_the_same() {
    let ours = ours();
    let text = json_shuffled(&ours, &mut Random::new(1));
    assert_ne!(text, ours.to_string());
    let read: Value = serde_json::from_str(&text).expect("JSON");
    assert!(read == ours);
}

#[test]
fn yaml_quotes_what_is_no_word() {
    let value =
        serde_json::json!({"no": "on", "true": "0123", "1_000": [{}, [], 1, null, "a: b\n", "ü"], "a": {"b": "-"}});
    let text = yaml(&value, false);
    let expected = "1_000:\n  - {}\n  - []\n  - 1\n  - null\n  - \"a: b\\U0000000a\"\n  - \"\\U000000fc\"\na:\n  b: \"-\"\nno: on\n\"true\": \"0123\"\n";
    let sorted: BTreeSet<&str> = text.lines().collect();
    assert_eq!(sorted, expected.lines().collect());
}

#[test]
fn anchors_stand_for_what_is_there_twice() {
    let twice = serde_json::json!({"description": "a text that is long enough for an anchor"});
    let text = yaml(&serde_json::json!({"a": twice, "b": twice}), true);
    assert!(text.contains("a: &same1\n") && text.contains("b: *same1\n"), "{text}");
    assert!(Form::YamlOfWindows.write(&twice).starts_with("\u{feff}# ".as_bytes()));
}
