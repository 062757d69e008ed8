//! Required and optional components according to the schema of a type.

use std::collections::HashMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::given;
use crate::extract::{ComponentMap, ComponentNames};

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
#[allow(dead_code)]
struct Study {
    title: String,
    #[serde(rename = "Study_Number")]
    number: Number,
    animals: u32,
    batches: Vec<String>,
    sponsor: Option<String>,
    #[serde(default)]
    glp: bool,
    #[serde(skip)]
    ours: u8,
    species: Option<Species>,
}

#[derive(Deserialize, JsonSchema)]
#[allow(dead_code)]
struct Number(String);

#[derive(Deserialize, JsonSchema)]
#[allow(dead_code)]
enum Species {
    Rat,
}

fn sorted(mut names: Vec<String>) -> Vec<String> {
    names.sort();
    names
}

#[test]
fn lists_required_and_optional_components() {
    assert_eq!(sorted(ComponentMap::<Study>::needs()), ["Animals", "Batches", "Study_Number", "Title"]);
    assert_eq!(sorted(ComponentMap::<Study>::can_use()), ["Glp", "Species", "Sponsor"]);
}

#[test]
fn reports_complete_components() {
    let report =
        ComponentMap::<Study>::check(&["Title", "Study_Number", "Animals", "Batches", "Sponsor", "Glp", "Species"]);
    assert!(report.is_satisfied() && report.missing().is_empty() && report.unused().is_empty());
    assert_eq!(report.to_string(), "Study needs 4 components and can use 3 more; 7 are given");
    report.into_result().unwrap();
}

#[test]
fn reports_missing_and_unused_components() {
    let given = given(&[
        ("title", &["x"]),
        ("Study Number", &[]),
        ("Batches", &[]),
        ("Animals", &[]),
        ("sponsor", &[]),
        ("Remark", &[]),
    ]);
    let report = ComponentMap::<Study>::check(&given.components());
    let missing: Vec<_> =
        report.missing().iter().map(|missing| (missing.name(), missing.similar(), missing.is_required())).collect();
    assert!(missing.contains(&("Title", Some("title"), true)));
    assert!(missing.contains(&("Study_Number", Some("Study Number"), true)));
    assert!(missing.contains(&("Sponsor", Some("sponsor"), false)));
    assert!(missing.contains(&("Glp", None, false)));
    assert_eq!(report.unused(), ["title", "Study Number", "sponsor", "Remark"]);
    let text = report.to_string();
    assert!(text.contains("\n  missing: "), "{text}");
    assert!(text.contains("\"Title\" (\"title\" is given)"), "{text}");
    assert!(text.contains("\n  missing, but optional: "), "{text}");
    assert!(text.contains("\n  unused: \"title\", \"Study Number\", \"sponsor\", \"Remark\""), "{text}");
    assert_eq!(text.lines().count(), 4);
    let error = report.clone().into_result().unwrap_err();
    assert_eq!(error.report(), &report);
    assert!(error.to_string().starts_with("Study needs components that are not given: \""), "{error}");
    assert_eq!(error.to_string().lines().count(), 1);
}

#[test]
fn includes_flattened_structs() {
    #[derive(Deserialize, JsonSchema)]
    #[allow(dead_code)]
    struct Outer {
        own: String,
        #[serde(flatten)]
        study: Study,
        #[serde(flatten)]
        maybe: Option<Maybe>,
    }
    #[derive(Deserialize, JsonSchema)]
    #[allow(dead_code)]
    struct Maybe {
        remark: String,
    }

    assert_eq!(sorted(ComponentMap::<Outer>::needs()), ["Animals", "Batches", "Study_Number", "Title", "own"]);
    assert_eq!(sorted(ComponentMap::<Outer>::can_use()), ["Glp", "Species", "Sponsor", "remark"]);
}

#[test]
fn map_uses_all_components() {
    #[derive(Deserialize, JsonSchema)]
    #[allow(dead_code)]
    struct Rest {
        title: String,
        #[serde(flatten)]
        rest: HashMap<String, Vec<String>>,
    }

    let names = vec!["title".to_owned(), "other".to_owned()];
    assert!(ComponentMap::<Rest>::check(&names).unused().is_empty());
    let map = ComponentMap::<HashMap<String, Vec<String>>>::check(names.as_slice());
    assert!(map.is_satisfied() && map.unused().is_empty() && map.needs().is_empty());
    assert_eq!(names.component_names(), ["title", "other"]);
}

#[test]
fn alternatives_require_common_components() {
    #[derive(Deserialize, JsonSchema)]
    #[serde(tag = "Kind")]
    #[allow(dead_code)]
    enum Document {
        Invoice { number: String, total: f64 },
        Report { number: String, animals: u32 },
    }
    #[derive(Deserialize, JsonSchema)]
    #[allow(dead_code)]
    struct Wrapped(Boxed);
    #[derive(Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code)]
    struct Boxed {
        inner: Box<u8>,
    }

    assert_eq!(sorted(ComponentMap::<Document>::needs()), ["Kind", "number"]);
    assert_eq!(sorted(ComponentMap::<Document>::can_use()), ["animals", "total"]);
    assert_eq!(ComponentMap::<Wrapped>::needs(), ["inner"], "through a reference");
    assert_eq!(ComponentMap::<Wrapped>::check(&["inner", "x"]).unused(), ["x"]);
}

#[test]
fn exported_components_list_names() {
    let answer = r#"{"fileId": "f-1", "components": {"own": ["x"], "Remark": []}}"#;
    let model: crate::models::FileComponents = serde_json::from_str(answer).unwrap();
    let report = ComponentMap::<HashMap<String, String>>::check(&model);
    assert!(report.is_satisfied());
    assert_eq!(model.component_names(), ["own", "Remark"]);
}
