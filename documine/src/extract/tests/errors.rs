//! Errors of the extraction: the line and its parts.

use serde::Deserialize;

use super::given;
use crate::extract::{ExtractError, NamedValues, with};

#[derive(Debug, Deserialize)]
enum Species {
    Rat,
    Mouse,
}

#[derive(Debug, Deserialize)]
struct Study {
    #[serde(rename = "Animals")]
    _animals: u32,
    #[serde(rename = "Doses", default)]
    _doses: Vec<u8>,
    #[serde(rename = "Species", default)]
    _species: Option<Species>,
    #[serde(rename = "Weight", default)]
    _weight: Option<f64>,
    #[serde(rename = "Pair", default)]
    _pair: Option<(u8, u8)>,
    #[serde(rename = "Fixed", default)]
    _fixed: Option<[u8; 2]>,
    #[serde(rename = "Grade", default)]
    _grade: Option<char>,
    #[serde(rename = "Done", default, deserialize_with = "with::date")]
    _done: Option<String>,
    #[serde(rename = "Glp", default)]
    _glp: bool,
}

fn error(components: &[(&'static str, &[&str])]) -> ExtractError {
    let mut all = vec![("Animals", &["1"] as &[&str])];
    all.extend_from_slice(components);
    given(&all).read::<Study>().unwrap_err()
}

#[test]
fn error_names_location_and_value() {
    let error = error(&[("Doses", &["1", "2", "many"])]);
    assert_eq!(error.file(), Some("report.pdf"));
    assert_eq!(error.file_id(), Some("f-1"));
    assert_eq!(error.component(), Some("Doses"));
    assert_eq!(error.field(), "Study.Doses[2]");
    assert_eq!(error.value(), Some("many"));
    assert_eq!(error.expected(), Some("a whole number from 0 to 255"));
    assert!(!error.is_missing());
    assert_eq!(
        error.to_string(),
        "report.pdf: component \"Doses\" (field Study.Doses[2]): expected a whole number from 0 to 255, found \"many\""
    );
    let source: Box<dyn std::error::Error + Send + Sync> = error.into();
    assert!(source.source().is_none());
}

#[test]
fn error_states_each_reason() {
    let cases: &[(&'static str, &[&str], &str)] = &[
        ("Species", &["Zebra"], "component \"Species\" (field Study.Species): \"Zebra\" is none of \"Rat\", \"Mouse\""),
        ("Species", &["rat"], "component \"Species\" (field Study.Species): \"rat\" is none of \"Rat\", \"Mouse\""),
        (
            "Species",
            &["Rat", "Mouse"],
            "component \"Species\" (field Study.Species) has 2 values where one is expected: \"Rat\", \"Mouse\"",
        ),
        ("Weight", &["12 kg"], "component \"Weight\" (field Study.Weight): expected a number, found \"12 kg\""),
        (
            "Weight",
            &["1,234"],
            "component \"Weight\" (field Study.Weight): expected a number, found \"1,234\", whose comma may separate thousands or decimals",
        ),
        ("Pair", &["1"], "component \"Pair\" (field Study.Pair) has 1 value where 2 are expected: \"1\""),
        (
            "Fixed",
            &["1", "2", "3"],
            "component \"Fixed\" (field Study.Fixed) has 3 values where 2 are expected: \"1\", \"2\", \"3\"",
        ),
        ("Grade", &["AB"], "component \"Grade\" (field Study.Grade): expected a character, found \"AB\""),
        (
            "Done",
            &["03/12/2024"],
            "component \"Done\" (field Study.Done): \"03/12/2024\" was not accepted: ambiguous order of day and month; with::date_day_first or with::date_month_first states the order",
        ),
        (
            "Glp",
            &["maybe"],
            "component \"Glp\" (field Study.Glp): expected true or false, yes or no, 1 or 0, found \"maybe\"",
        ),
    ];
    for (name, values, expected) in cases {
        let error = error(&[(name, values)]);
        assert_eq!(error.to_string(), format!("report.pdf: {expected}"));
        assert_eq!(error.component(), Some(*name));
        assert!(error.value().is_some(), "{name}");
    }
}

#[test]
fn reports_missing_and_empty_components() {
    let absent = given(&[("animals ", &["1"]), ("Title", &["x"])]).read::<Study>().unwrap_err();
    assert!(absent.is_missing());
    assert_eq!(absent.component(), Some("Animals"));
    assert_eq!(absent.value(), None);
    assert_eq!(
        absent.to_string(),
        "report.pdf: component \"Animals\" (field Study.Animals) is missing; the file has \"animals \""
    );

    let other = given(&[("Title", &["x"])]).read::<Study>().unwrap_err();
    assert_eq!(
        other.to_string(),
        "report.pdf: component \"Animals\" (field Study.Animals) is missing; the file has \"Title\""
    );
    let none = given(&[]).read::<Study>().unwrap_err();
    assert_eq!(
        none.to_string(),
        "report.pdf: component \"Animals\" (field Study.Animals) is missing; the file has none"
    );

    let empty = given(&[("Animals", &[])]).read::<Study>().unwrap_err();
    assert!(empty.is_missing());
    assert_eq!(empty.to_string(), "report.pdf: component \"Animals\" (field Study.Animals) has no value");
}

#[test]
fn suggests_name_for_unlisted_list() {
    #[derive(Debug, Deserialize)]
    struct Batches {
        #[serde(rename = "Batch_Number")]
        _batches: Vec<String>,
    }

    let error = given(&[("Batch Number", &["a", "b"])]).read::<Batches>().unwrap_err();
    assert_eq!(
        error.to_string(),
        "report.pdf: component \"Batch_Number\" (field Batches.Batch_Number) is missing; the file has \"Batch Number\""
    );
}

#[test]
fn truncates_values_to_one_line() {
    let long = "x\n\u{1b}[31m".repeat(1000);
    let error = error(&[("Weight", &[&long])]);
    assert!(error.value().unwrap().chars().count() <= 201, "{:?}", error.value());
    assert!(format!("{error:?}").len() < 2000, "{error:?}");
    let text = error.to_string();
    assert!(text.len() < 300, "{text}");
    assert!(!text.contains(char::is_control), "{text:?}");
    assert!(text.contains('…'));
}

#[test]
fn names_file_by_id_or_not_at_all() {
    let values = ["x".to_owned()];
    let listed = [("Animals", &values[..])];
    let by_id = NamedValues::new(listed).of_file(None, Some("f-9")).extract::<Study>().unwrap_err();
    assert_eq!(by_id.file(), Some("f-9"));
    assert!(by_id.to_string().starts_with("f-9: component"));
    let without = NamedValues::new(listed).extract::<Study>().unwrap_err();
    assert_eq!(without.file(), None);
    assert!(without.to_string().starts_with("component \"Animals\""));
}

#[test]
fn rejects_unsupported_types() {
    #[derive(Debug, Deserialize)]
    struct Nested {
        #[serde(rename = "Animals")]
        _inner: Box<Study>,
    }

    let one = given(&[("Animals", &["1"])]);
    let top = one.read::<Species>().unwrap_err();
    assert_eq!(
        top.to_string(),
        "report.pdf: components for Species: expected a struct or map for the components, found enum Species"
    );
    let number = one.read::<u32>().unwrap_err();
    assert!(number.to_string().contains("expected u32"), "{number}");
    let nested = one.read::<Nested>().unwrap_err();
    assert_eq!(
        nested.to_string(),
        "report.pdf: component \"Animals\" (field Nested.Animals): expected struct Study, found \"1\""
    );
    let rows = one.read::<std::collections::HashMap<String, Vec<Vec<u8>>>>().unwrap_err();
    assert_eq!(rows.component(), Some("Animals"));
}
