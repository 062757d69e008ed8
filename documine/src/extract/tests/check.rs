//! Reports with every problem.

use std::collections::HashMap;

use serde::Deserialize;

use super::given;
use crate::extract::{ExtractError, Money, with};

#[derive(Debug, Deserialize)]
#[allow(dead_code)]
enum Species {
    Rat,
    Mouse,
}

#[derive(Debug, Deserialize)]
#[allow(dead_code)]
struct Study {
    title: String,
    species: Species,
    #[serde(deserialize_with = "with::date")]
    completed: String,
    pair: (u8, u8),
    total: Money,
    animals: u32,
    doses: Vec<f64>,
    sponsor: Option<String>,
    glp: Option<bool>,
}

fn fields(errors: &[ExtractError]) -> Vec<&str> {
    errors.iter().map(ExtractError::field).collect()
}

#[test]
fn reports_every_missing_extra_and_unparsable_component() {
    let file = given(&[
        ("Title", &["x"]),
        ("doses", &["1", "a", "2", "b"]),
        ("animals", &["many"]),
        ("glp", &["maybe"]),
        ("completed", &[]),
        ("note", &[]),
    ]);
    let report = file.components().check::<Study>();
    assert!(report.is_complete() && !report.is_satisfied(), "{report}");
    let mut missing = fields(report.missing());
    missing.sort_unstable();
    assert_eq!(missing, ["Study.completed", "Study.pair", "Study.species", "Study.title", "Study.total"], "{report}");
    assert_eq!(
        fields(report.unparsable()),
        ["Study.doses[1]", "Study.doses[3]", "Study.animals", "Study.glp"],
        "{report}"
    );
    assert_eq!(report.extra(), ["Title", "note"]);
    let text = report.to_string();
    assert!(text.starts_with("report.pdf does not fit Study: 5 missing, 4 unparsable, 2 extra\n"), "{text}");
    assert!(text.contains("component \"title\" (field Study.title) is missing; the file has \"Title\""), "{text}");
    assert!(text.ends_with("\n  extra: \"Title\", \"note\""), "{text}");
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["unparsable"][0]["value"], "a");
    assert_eq!((&json["unparsable"][0]["component"], &json["complete"]), (&"doses".into(), &true.into()));
}

#[test]
fn report_of_fitting_components_is_satisfied() {
    let file = given(&[
        ("title", &["x"]),
        ("species", &["Rat"]),
        ("completed", &["12 March 2024"]),
        ("pair", &["1", "2"]),
        ("total", &["EUR 5"]),
        ("animals", &["3"]),
        ("doses", &[]),
    ]);
    let report = file.components().check::<Study>();
    assert!(report.is_satisfied() && report.is_complete() && report.extra().is_empty(), "{report}");
    assert_eq!(report.to_string(), "report.pdf fits Study: 0 missing, 0 unparsable, 0 extra");
}

#[test]
fn reports_problems_behind_flatten() {
    #[derive(Debug, Deserialize)]
    #[allow(dead_code)]
    struct Outer {
        title: String,
        #[serde(flatten)]
        counts: Counts,
    }
    #[derive(Debug, Deserialize)]
    #[allow(dead_code)]
    struct Counts {
        animals: u32,
        weight: f64,
        late: Option<u8>,
        names: Vec<String>,
    }
    let file =
        given(&[("animals", &["many"]), ("late", &["5"]), ("names", &["n"]), ("note", &["n"]), ("more", &["1", "2"])]);
    let report = file.components().check::<Outer>();
    assert!(report.is_complete(), "{report}");
    let mut missing = fields(report.missing());
    missing.sort_unstable();
    assert_eq!(missing, ["Outer.title", "Outer.weight"], "{report}");
    assert_eq!(fields(report.unparsable()), ["Outer.animals"], "{report}");
    assert_eq!(report.extra(), ["note", "more"], "{report}");

    let report = file.components().check::<HashMap<String, Vec<String>>>();
    assert!(report.is_satisfied() && report.extra().is_empty(), "{report}");
}

#[test]
fn unknown_component_is_extra_for_type_that_denies_it() {
    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code)]
    struct Strict {
        a: u8,
        b: u8,
    }
    let report = given(&[("x", &["1"]), ("a", &["1"]), ("y", &["1"])]).components().check::<Strict>();
    assert_eq!(report.extra(), ["x", "y"]);
    assert_eq!(fields(report.missing()), ["Strict.b"]);
    let file = given(&[("a", &["1"]), ("b", &["1"]), ("y", &["1"])]);
    let report = file.components().check::<Strict>();
    assert!(report.rejects_extra() && !report.is_satisfied(), "{report}");
    assert!(file.read::<Strict>().is_err());
    assert!(report.to_string().ends_with("extra (rejected by `deny_unknown_fields`): \"y\""), "{report}");
}

#[test]
fn report_ends_after_1000_problems() {
    #[derive(Debug, Deserialize)]
    #[allow(dead_code)]
    struct Doses {
        doses: Vec<u8>,
    }
    let report = given(&[("doses", &["x"; 1_001])]).components().check::<Doses>();
    assert_eq!((report.unparsable().len(), report.is_complete()), (1_000, false));
    assert!(report.to_string().ends_with("the report ends here because of their number"), "{report}");
}

#[test]
fn report_states_that_it_ends_early() {
    #[derive(Debug)]
    struct Never;
    impl<'de> Deserialize<'de> for Never {
        fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            String::deserialize(deserializer)?;
            Err(serde::de::Error::custom("never accepted"))
        }
    }
    #[derive(Debug, Deserialize)]
    #[allow(dead_code)]
    struct Study {
        never: Never,
        missing: u8,
    }
    let report = given(&[("never", &["1"])]).components().check::<Study>();
    assert!(!report.is_complete() && !report.is_satisfied());
    assert_eq!(fields(report.unparsable()), ["Study.never"]);
    assert!(report.to_string().ends_with("could not be read past the last one"), "{report}");
}
