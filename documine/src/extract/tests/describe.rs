//! The printed struct compiles and reads the components from which it was printed.

use serde_json::json;

use crate::Components;
use crate::extract::describe;

#[allow(dead_code, unreachable_pub)]
mod described;

fn file(components: &serde_json::Value) -> Components {
    serde_json::from_value(json!({"fileId": "f-1", "fileName": "acute study.2024.pdf", "components": components}))
        .unwrap()
}

#[test]
fn printed_struct_compiles_and_reads_its_source() {
    // As text: a JSON value does not keep the order of the template.
    let saved = r#"{
        "fileId": "f-1",
        "fileName": "acute study.2024.pdf",
        "components": {
            "StudyTitle": ["Acute \"oral\" toxicity"],
            "study-title": ["x"],
            "GLPCompliance": ["yes"],
            "Animals": ["15"],
            "Postal Code": ["01069"],
            "2nd date": ["2024-03-12"],
            "Größe": ["12,5"],
            "type": ["a"],
            "Batches": ["1", "2"],
            "Odd \"quotes\"": [],
            "<>": ["b"]
        }
    }"#;
    let study: Components = serde_json::from_str(saved).unwrap();
    let text = describe(&study);
    assert_eq!(text, include_str!("describe/described.rs"), "{text}");
    let read: described::AcuteStudy2024 = study.extract().unwrap();
    assert_eq!((read.animals, read.glp_compliance, read.batches), (15, true, vec![1, 2]));
    assert_eq!((read.postal_code.as_str(), read.odd_quotes), ("01069", None));
}

#[test]
fn component_that_a_file_lacks_is_optional() {
    let files = vec![
        file(&json!({"a": ["1"], "b": ["x"], "c": ["1", "2"], "d": ["1"]})),
        file(&json!({"a": ["2"], "b": [" "], "d": ["x"], "e": ["true"]})),
    ];
    let text = describe(&files);
    assert!(text.starts_with("// Guessed by documine::extract::describe from the components of 2 files."), "{text}");
    for line in [
        "pub struct Extracted {",
        "    pub a: i64,",
        "    pub b: Option<String>,",
        "    #[serde(default)]\n    pub c: Vec<i64>,",
        "    pub d: String,",
        "    pub e: Option<bool>,",
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
    assert_eq!(describe(&files[..]), text);
}

#[test]
fn blank_values_do_not_change_the_type() {
    #[derive(serde::Deserialize)]
    struct Extracted {
        a: Option<i64>,
        c: Vec<Option<i64>>,
        d: Vec<String>,
    }
    let files = vec![
        file(&json!({"a": ["1"], "c": ["1", " "], "d": ["x", ""]})),
        file(&json!({"a": [""], "c": ["2"], "d": []})),
    ];
    let text = describe(&files);
    for line in ["pub a: Option<i64>,", "pub c: Vec<Option<i64>>,", "pub d: Vec<String>,"] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
    let read: Vec<Extracted> = files.iter().map(|file| file.extract().unwrap()).collect();
    assert_eq!((read[0].a, &read[0].c, &read[0].d), (Some(1), &vec![Some(1), None], &vec!["x".into(), String::new()]));
    assert_eq!((read[1].a, &read[1].c, read[1].d.len()), (None, &vec![Some(2)], 0));
}

#[test]
fn names_of_structs_hide_no_type() {
    for (name, expected) in
        [("option.pdf", "Extracted"), ("2024.pdf", "Extracted"), ("rechnung.pdf", "Rechnung"), ("", "Extracted")]
    {
        let saved = json!({"fileId": "f", "fileName": name, "components": {}});
        let text = describe(&serde_json::from_value::<Components>(saved).unwrap());
        assert!(text.contains(&format!("pub struct {expected} {{")), "{name:?}: {text}");
    }
}
