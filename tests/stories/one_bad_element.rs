//! One element of a list is not what the document describes: the error says which one and which field, in one line, whatever stands there.

use std::sync::{Arc, Mutex};

use documine::{BadItem, DossierHandle, DossierId, DossierTemplateId, ErrorKind, FileStatus};
use futures_util::{StreamExt, TryStreamExt};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use crate::canned::{self, Canned};
use crate::properties::cases;
use crate::scripted;

/// The token of the scripted client.
const TOKEN: &str = "0wn-t0ken";

/// A file as the service describes it, with some of its fields.
fn good() -> impl Strategy<Value = Value> {
    let id = "[a-z0-9-]{1,9}";
    let fields = (
        id,
        prop::option::of("[^\\p{Cc}]{0,9}"),
        prop::option::of(any::<i64>()),
        prop::option::of(any::<bool>()),
        prop::option::of(prop_oneof![select(&["PROCESSED", "ERROR"]).prop_map(str::to_owned), "[A-Z]{1,5}"]),
        prop::option::of(prop::collection::btree_map("[a-z]{1,3}", "[a-z]{0,3}", 0..3)),
        any::<bool>(),
    );
    fields.prop_map(|(id, name, pages, excluded, status, attributes, extra)| {
        let mut file = json!({"id": id, "fileName": name, "numberOfPages": pages, "excluded": excluded});
        file["processingStatus"] = json!(status);
        file["fileAttributes"] = json!(attributes);
        if extra {
            file["x-new"] = json!({"deep": [1, null]});
        }
        file
    })
}

/// A field, a value that it can't have, and where below the element the error has to point.
fn fault() -> impl Strategy<Value = (&'static str, Value, String)> {
    let ids = || select(&["id", "assignee", "dossierId"]);
    let numbers = || select(&["numberOfPages", "fileSize"]);
    // Texts, times and open sets take any JSON; an id takes texts and whole numbers.
    let no_id = || {
        prop_oneof![
            any::<bool>().prop_map(Value::from),
            Just(json!(1.5)),
            Just(json!([])),
            Just(json!(["a"])),
            Just(json!({"a": 1}))
        ]
    };
    // Long, of several lines, and what no error may show. Neither blank, which means nothing, nor a number.
    let text = || {
        prop_oneof!["[a-w][^x]{0,8}", "\n{1,3}[a-s]{1,900}", Just(TOKEN.to_owned()), Just(format!("Bearer {TOKEN}"))]
    };
    let no_number = || {
        prop_oneof![
            text().prop_map(Value::from),
            Just(json!(1.5)),
            Just(json!(u64::MAX)),
            Just(json!([1])),
            Just(json!(true))
        ]
    };
    let here = |(field, value): (&'static str, Value)| (field, value, format!(".{field}"));
    prop_oneof![
        (ids(), no_id()).prop_map(here),
        (numbers(), no_number()).prop_map(here),
        (Just("excluded"), text().prop_map(Value::from)).prop_map(here),
        (Just("fileAttributes"), prop_oneof![Just(json!([])), Just(json!("a")), Just(json!(7))]).prop_map(here),
        (Just("id"), prop_oneof![Just(json!(null)), select(&["", "..", "a\\b", "a\nb"]).prop_map(Value::from)])
            .prop_map(here),
    ]
}

/// The same for an element that is no file at all.
fn no_file() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<i64>().prop_map(Value::from),
        "[a-z\n]{0,9}".prop_map(Value::from),
        Just(json!([[]])),
        Just(json!({"fileName": "a"}))
    ]
}

/// A dossier of a service that gives the body in the cell as its list of files.
async fn dossier(body: &Arc<Mutex<String>>) -> DossierHandle {
    let shown = Arc::clone(body);
    let service = Canned::answering(move |_| canned::json(&shown.lock().unwrap())).await;
    let client = scripted::client(&service.base).await;
    client.dossier_template(DossierTemplateId::new("t").unwrap()).dossier(DossierId::new("d").unwrap())
}

/// Tries a property of a list of files.
fn tried<S: Strategy>(strategy: &S, list: impl Fn(S::Value) -> (Value, String)) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let body = Arc::new(Mutex::new(String::new()));
    let dossier = runtime.block_on(dossier(&body));
    let outcome = TestRunner::new(cases(96)).run(strategy, |value| {
        let (files, place) = list(value);
        *body.lock().unwrap() = json!({"files": files}).to_string();
        let error = runtime
            .block_on(async { dossier.files().await })
            .map_err(|error| (error.kind(), error.to_string(), format!("{error:?}")));
        let Err((kind, line, all)) = error else { return Err(TestCaseError::fail("it was taken")) };
        prop_assert_eq!(kind, ErrorKind::Decode);
        let begin = format!("getFiles: 200 OK, but the body is invalid at `{place}`: ");
        prop_assert!(line.starts_with(&begin), "{} does not begin with {}", line, begin);
        prop_assert!(!line.contains(char::is_control) && line.chars().count() < 640, "{}", line);
        prop_assert!(!all.contains(TOKEN), "{}", all);
        Ok(())
    });
    outcome.unwrap();
}

#[test]
fn the_error_says_which_element_and_which_field() {
    tried(&(vec(good(), 1..30), any::<Index>(), fault()), |(mut files, index, (field, value, place))| {
        let at = index.index(files.len());
        files[at][field] = value;
        (Value::from(files), format!("files[{at}]{place}"))
    });
}

#[test]
fn the_error_says_which_element_is_none() {
    tried(&(vec(good(), 1..30), any::<Index>(), no_file()), |(mut files, index, value)| {
        let at = index.index(files.len());
        files[at] = value;
        (Value::from(files), format!("files[{at}]"))
    });
}

#[test]
fn good_elements_are_all_taken() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let body = Arc::new(Mutex::new(String::new()));
    let dossier = runtime.block_on(dossier(&body));
    let outcome = TestRunner::new(cases(64)).run(&vec(good(), 0..30), |files| {
        *body.lock().unwrap() = json!({"files": files}).to_string();
        let read = runtime
            .block_on(async { dossier.files().await })
            .map_err(|error| TestCaseError::fail(error.to_string()))?;
        let ids: Vec<_> = read.iter().map(|file| file.id.as_str()).collect();
        let wanted: Vec<_> = files.iter().filter_map(|file| file["id"].as_str()).collect();
        prop_assert_eq!(ids, wanted);
        Ok(())
    });
    outcome.unwrap();
}

/// One bad element among good ones, in a list that is taken one by one.
fn skipped<S: Strategy>(strategy: &S, list: impl Fn(S::Value) -> (Vec<Value>, usize, String)) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let body = Arc::new(Mutex::new(String::new()));
    let dossier = runtime.block_on(dossier(&body));
    let outcome = TestRunner::new(cases(96)).run(strategy, |value| {
        let (files, at, place) = list(value);
        *body.lock().unwrap() = json!({"files": files}).to_string();
        let (each, strict) = runtime.block_on(async {
            let each: Result<Vec<Result<FileStatus, BadItem>>, _> = dossier.files().stream_each().try_collect().await;
            let strict: Vec<Result<FileStatus, _>> = dossier.files().stream().collect().await;
            (each, strict)
        });
        let each = each.map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert_eq!(each.len(), files.len());
        let begin = format!("getFiles: 200 OK, but the body is invalid at `{place}`: ");
        for (index, (found, wanted)) in each.iter().zip(&files).enumerate() {
            match found {
                Ok(file) => prop_assert_eq!(Some(file.id.as_str()), wanted["id"].as_str()),
                Err(bad) => {
                    prop_assert_eq!((index, bad.index()), (at, at as u64));
                    let (line, all) = (bad.to_string(), format!("{bad:?} {:?}", bad.error()));
                    prop_assert!(line.starts_with(&begin), "{} does not begin with {}", line, begin);
                    prop_assert!(!line.contains(char::is_control) && line.chars().count() < 640, "{}", line);
                    prop_assert!(!all.contains(TOKEN), "{}", all);
                }
            }
        }
        prop_assert_eq!(each.iter().filter(|each| each.is_err()).count(), 1);
        // Strictly, it is the end.
        prop_assert_eq!(strict.len(), at + 1);
        let told = strict.last().and_then(|end| end.as_ref().err()).map(ToString::to_string);
        prop_assert_eq!(told, each[at].as_ref().err().map(ToString::to_string));
        Ok(())
    });
    outcome.unwrap();
}

#[test]
fn a_bad_element_is_left_out_and_the_others_are_read() {
    skipped(&(vec(good(), 1..30), any::<Index>(), fault()), |(mut files, index, (field, value, place))| {
        let at = index.index(files.len());
        files[at][field] = value;
        (files, at, format!("files[{at}]{place}"))
    });
}

#[test]
fn an_element_that_is_none_is_left_out_and_the_others_are_read() {
    skipped(&(vec(good(), 1..30), any::<Index>(), no_file()), |(mut files, index, value)| {
        let at = index.index(files.len());
        files[at] = value;
        (files, at, format!("files[{at}]"))
    });
}
