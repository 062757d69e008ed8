//! Invalid items in lists: the error names index and field in one line for any content of the item.

use std::sync::{Arc, Mutex};

use documine::{DossierHandle, ErrorKind, list::BadItem, models::FileStatus};
use futures_util::{StreamExt, TryStreamExt};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use crate::harness::canned_server::{CannedServer, json_response};
use crate::harness::properties::cases;
use crate::harness::scripted;

/// The token of the scripted client.
const TOKEN: &str = "0wn-t0ken";

/// Generates a valid file with some of its fields.
fn valid_file() -> impl Strategy<Value = Value> {
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

/// Generates a field, an invalid value, and the expected path below the item.
fn invalid_field() -> impl Strategy<Value = (&'static str, Value, String)> {
    let ids = || select(&["id", "assignee", "dossierId"]);
    let numbers = || select(&["numberOfPages", "fileSize"]);
    // Texts, timestamps and open enums accept any JSON; ids accept texts and whole numbers.
    let invalid_id = || {
        prop_oneof![
            any::<bool>().prop_map(Value::from),
            Just(json!(1.5)),
            Just(json!([])),
            Just(json!(["a"])),
            Just(json!({"a": 1}))
        ]
    };
    // Long and multi-line texts and texts that errors must redact; neither blank (which means absent) nor numeric.
    let text = || {
        prop_oneof!["[a-w][^x]{0,8}", "\n{1,3}[a-s]{1,900}", Just(TOKEN.to_owned()), Just(format!("Bearer {TOKEN}"))]
    };
    let invalid_number = || {
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
        (ids(), invalid_id()).prop_map(here),
        (numbers(), invalid_number()).prop_map(here),
        (Just("excluded"), text().prop_map(Value::from)).prop_map(here),
        (Just("fileAttributes"), prop_oneof![Just(json!([])), Just(json!("a")), Just(json!(7))]).prop_map(here),
        (Just("id"), prop_oneof![Just(json!(null)), select(&["", "..", "a\\b", "a\nb"]).prop_map(Value::from)])
            .prop_map(here),
    ]
}

/// Generates an item that is not a file.
fn non_file() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<i64>().prop_map(Value::from),
        "[a-z\n]{0,9}".prop_map(Value::from),
        Just(json!([[]])),
        Just(json!({"fileName": "a"}))
    ]
}

/// Returns a dossier of a service that responds with the shared body.
async fn dossier(body: &Arc<Mutex<String>>) -> DossierHandle {
    let shown = Arc::clone(body);
    let service = CannedServer::respond_with(move |_| json_response(&shown.lock().unwrap())).await;
    let client = scripted::client(&service.base).await;
    scripted::dossier(&client)
}

/// Checks that a list with an invalid item fails as a whole.
fn check_strict<S: Strategy>(strategy: &S, build_list: impl Fn(S::Value) -> (Value, String)) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let body = Arc::new(Mutex::new(String::new()));
    let dossier = runtime.block_on(dossier(&body));
    let outcome = TestRunner::new(cases(96)).run(strategy, |value| {
        let (files, location) = build_list(value);
        *body.lock().unwrap() = json!({"files": files}).to_string();
        let error = runtime
            .block_on(async { dossier.files().await })
            .map_err(|error| (error.kind(), format!("{error:#}"), format!("{error:?}")));
        let Err((kind, line, all)) = error else { return Err(TestCaseError::fail("it was taken")) };
        prop_assert_eq!(kind, ErrorKind::Decode);
        let prefix = format!("getFiles: 200 OK, but the body is invalid at `{location}`: ");
        prop_assert!(line.starts_with(&prefix), "{} does not begin with {}", line, prefix);
        prop_assert!(!line.contains(char::is_control) && line.chars().count() < 640, "{}", line);
        prop_assert!(!all.contains(TOKEN), "{}", all);
        Ok(())
    });
    outcome.unwrap();
}

#[test]
fn names_index_and_field_of_invalid_item() {
    check_strict(
        &(vec(valid_file(), 1..30), any::<Index>(), invalid_field()),
        |(mut files, index, (field, value, location))| {
            let at = index.index(files.len());
            files[at][field] = value;
            (Value::from(files), format!("files[{at}]{location}"))
        },
    );
}

#[test]
fn names_index_of_item_that_is_not_an_object() {
    check_strict(&(vec(valid_file(), 1..30), any::<Index>(), non_file()), |(mut files, index, value)| {
        let at = index.index(files.len());
        files[at] = value;
        (Value::from(files), format!("files[{at}]"))
    });
}

#[test]
fn accepts_all_valid_items() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let body = Arc::new(Mutex::new(String::new()));
    let dossier = runtime.block_on(dossier(&body));
    let outcome = TestRunner::new(cases(64)).run(&vec(valid_file(), 0..30), |files| {
        *body.lock().unwrap() = json!({"files": files}).to_string();
        let read = runtime
            .block_on(async { dossier.files().await })
            .map_err(|error| TestCaseError::fail(error.to_string()))?;
        let ids: Vec<_> = read.iter().map(|file| file.id.as_str()).collect();
        let expected: Vec<_> = files.iter().filter_map(|file| file["id"].as_str()).collect();
        prop_assert_eq!(ids, expected);
        Ok(())
    });
    outcome.unwrap();
}

/// Checks that `stream_each` skips one invalid item and that `stream` ends at it.
fn check_lenient<S: Strategy>(strategy: &S, build_list: impl Fn(S::Value) -> (Vec<Value>, usize, String)) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let body = Arc::new(Mutex::new(String::new()));
    let dossier = runtime.block_on(dossier(&body));
    let outcome = TestRunner::new(cases(96)).run(strategy, |value| {
        let (files, at, location) = build_list(value);
        *body.lock().unwrap() = json!({"files": files}).to_string();
        let (each, strict) = runtime.block_on(async {
            let each: Result<Vec<Result<FileStatus, BadItem>>, _> = dossier.files().stream_each().try_collect().await;
            let strict: Vec<Result<FileStatus, _>> = dossier.files().stream().collect().await;
            (each, strict)
        });
        let each = each.map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert_eq!(each.len(), files.len());
        let prefix = format!("getFiles: 200 OK, but the body is invalid at `{location}`: ");
        for (index, (found, expected)) in each.iter().zip(&files).enumerate() {
            match found {
                Ok(file) => prop_assert_eq!(Some(file.id.as_str()), expected["id"].as_str()),
                Err(bad) => {
                    prop_assert_eq!((index, bad.index()), (at, at as u64));
                    let (line, all) = (format!("{bad:#}"), format!("{bad:?} {:?}", bad.error()));
                    prop_assert!(line.starts_with(&prefix), "{} does not begin with {}", line, prefix);
                    prop_assert!(!line.contains(char::is_control) && line.chars().count() < 640, "{}", line);
                    prop_assert!(!all.contains(TOKEN), "{}", all);
                }
            }
        }
        prop_assert_eq!(each.iter().filter(|each| each.is_err()).count(), 1);
        // The strict stream ends at the invalid item.
        prop_assert_eq!(strict.len(), at + 1);
        let last_error = strict.last().and_then(|end| end.as_ref().err()).map(ToString::to_string);
        prop_assert_eq!(last_error, each[at].as_ref().err().map(ToString::to_string));
        Ok(())
    });
    outcome.unwrap();
}

#[test]
fn stream_each_skips_invalid_item() {
    check_lenient(
        &(vec(valid_file(), 1..30), any::<Index>(), invalid_field()),
        |(mut files, index, (field, value, location))| {
            let at = index.index(files.len());
            files[at][field] = value;
            (files, at, format!("files[{at}]{location}"))
        },
    );
}

#[test]
fn stream_each_skips_item_that_is_not_an_object() {
    check_lenient(&(vec(valid_file(), 1..30), any::<Index>(), non_file()), |(mut files, index, value)| {
        let at = index.index(files.len());
        files[at] = value;
        (files, at, format!("files[{at}]"))
    });
}
