//! Tests of the variants and of the table of cases.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::variants::{HARMFUL, HARMLESS};
use crate::{CheckLevel, Expected, cases, json_shuffled};

fn reconstruction() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../openapi/documine.yaml");
    let text = std::fs::read_to_string(path).expect("openapi/documine.yaml is there");
    serde_saphyr::from_str(&text).expect("YAML")
}

#[test]
fn each_variant_changes_the_reconstruction() {
    let reconstruction = reconstruction();
    for variant in HARMLESS.iter().chain(HARMFUL) {
        let mut document = reconstruction.clone();
        (variant.apply)(&mut document);
        assert!(document != reconstruction, "{}", variant.name);
    }
}

#[test]
fn each_variant_of_a_case_changes_the_document_of_the_previous_ones() {
    let mut without_effect: Vec<String> = Vec::new();
    for case in cases() {
        let mut document = reconstruction();
        for variant in case.variants {
            let before = document.clone();
            (variant.apply)(&mut document);
            if document == before {
                without_effect.push(format!("{}: {}", case.name, variant.name));
            }
        }
    }
    assert!(without_effect.is_empty(), "{without_effect:#?}");
}

#[test]
fn each_variant_is_in_one_list_and_in_a_case() {
    let listed: Vec<&str> = HARMLESS.iter().chain(HARMFUL).map(|variant| variant.name).collect();
    let distinct: BTreeSet<&str> = listed.iter().copied().collect();
    assert_eq!(distinct.len(), listed.len(), "a variant is listed twice");
    let cases = cases();
    let used: BTreeSet<&str> = cases.iter().flat_map(|case| case.variants).map(|variant| variant.name).collect();
    assert_eq!(used, distinct);
    for case in &cases {
        let harmful = case.variants.iter().any(|variant| HARMFUL.iter().any(|other| other.name == variant.name));
        let accepted = matches!(case.expected, Expected::Accepted { .. });
        assert!(!(accepted && harmful), "{}", case.name);
    }
}

#[test]
fn cases_cover_every_level_of_checks() {
    let cases = cases();
    let count = |wanted: &dyn Fn(&Expected) -> bool| cases.iter().filter(|case| wanted(&case.expected)).count();
    let at = |level: CheckLevel| {
        count(&move |expected| matches!(expected, Expected::Accepted { check, .. } if *check == level))
    };
    assert!(at(CheckLevel::Generate) > 10 && at(CheckLevel::Compile) > 2 && at(CheckLevel::Test) > 1);
    assert!(count(&|expected| !matches!(expected, Expected::Accepted { .. })) > 20, "refused documents");
}

#[test]
fn names_of_cases_are_unique_file_names() {
    let cases = cases();
    let names: BTreeSet<&str> = cases.iter().map(|case| case.name).collect();
    assert_eq!(names.len(), cases.len());
    assert!(names.iter().all(|name| !name.contains(['/', '\\', '"'])));
}

#[test]
fn variants_in_any_order_do_not_panic() {
    let reconstruction = reconstruction();
    let all: Vec<_> = HARMLESS.iter().chain(HARMFUL).collect();
    let mut random = fastrand::Rng::with_seed(7);
    for _ in 0..30 {
        let mut document = reconstruction.clone();
        for _ in 0..6 {
            let variant = all[random.usize(..all.len())];
            (variant.apply)(&mut document);
        }
        assert!(document.is_object());
    }
}

#[test]
fn shuffled_json_has_the_same_value() {
    let reconstruction = reconstruction();
    let text = json_shuffled(&reconstruction, &mut fastrand::Rng::with_seed(1));
    assert_ne!(text, reconstruction.to_string());
    let read: Value = serde_json::from_str(&text).expect("JSON");
    assert!(read == reconstruction);
}
