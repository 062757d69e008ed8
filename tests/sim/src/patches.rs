//! Patches of successful responses by operation and field, with a count that shows whether a patch took effect.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use documine_api::operations::OPERATIONS;
use serde_json::{Value, json};

use crate::faults::closest;
use crate::idp;
use crate::wire::OrderedJson;

/// The error of a control that names something unknown or that took no effect, described in one line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ControlError(pub(crate) String);

/// The patches of a simulator.
#[derive(Clone, Default)]
pub(crate) struct Patches {
    list: Arc<Mutex<Vec<Arc<ResponsePatch>>>>,
}

struct ResponsePatch {
    operation: String,
    field: String,
    value: Value,
    /// The number of successful JSON responses of the operation.
    responses: AtomicU64,
    /// The number of values replaced.
    hits: AtomicU64,
}

/// A patch of responses, returned by [`Control::patch_response`](crate::Control::patch_response). The patch stays when the handle is dropped.
#[derive(Clone)]
pub struct PatchHandle {
    patch: Arc<ResponsePatch>,
    patches: Patches,
}

impl PatchHandle {
    /// Returns the number of values that the patch has replaced so far.
    pub fn hits(&self) -> u64 {
        self.patch.hits.load(Ordering::Relaxed)
    }

    /// Returns an error if the patch has replaced nothing, because there was no response or no such field in the responses.
    pub fn verify(&self) -> Result<(), ControlError> {
        if self.hits() > 0 {
            return Ok(());
        }
        let ResponsePatch { operation, field, responses, .. } = &*self.patch;
        Err(ControlError(match responses.load(Ordering::Relaxed) {
            0 => format!(
                "patch of {operation}: `{field}` was not replaced: the operation had no successful JSON response"
            ),
            count => format!(
                "patch of {operation}: `{field}` matched nothing in {count} responses; compare it with a response"
            ),
        }))
    }

    /// Removes the patch.
    pub fn remove(&self) {
        self.patches.list().retain(|patch| !Arc::ptr_eq(patch, &self.patch));
    }
}

impl fmt::Debug for PatchHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ResponsePatch { operation, field, .. } = &*self.patch;
        f.debug_struct("PatchHandle")
            .field("operation", operation)
            .field("field", field)
            .field("hits", &self.hits())
            .finish_non_exhaustive()
    }
}

impl Patches {
    pub(crate) fn add(&self, operation: &str, field: &str, value: Value) -> Result<PatchHandle, ControlError> {
        check_names(operation, field).map_err(ControlError)?;
        let patch = Arc::new(ResponsePatch {
            operation: operation.to_owned(),
            field: field.to_owned(),
            value,
            responses: AtomicU64::default(),
            hits: AtomicU64::default(),
        });
        self.list().push(Arc::clone(&patch));
        Ok(PatchHandle { patch, patches: self.clone() })
    }

    pub(crate) fn clear(&self) {
        self.list().clear();
    }

    /// Returns the patched JSON of a successful response. `None` if no patch replaced anything.
    pub(crate) fn apply(&self, operation: &str, json: &[u8]) -> Option<Bytes> {
        let list = self.list();
        let mut patches = list.iter().filter(|patch| patch.operation == operation).peekable();
        patches.peek()?;
        let mut tree: OrderedJson = serde_json::from_slice(json).ok()?;
        let mut is_patched = false;
        for patch in patches {
            let hits = patch.apply(&mut tree);
            patch.responses.fetch_add(1, Ordering::Relaxed);
            patch.hits.fetch_add(hits, Ordering::Relaxed);
            is_patched |= hits > 0;
        }
        if is_patched { serde_json::to_vec(&tree).ok().map(Bytes::from) } else { None }
    }

    pub(crate) fn to_json(&self) -> Value {
        let patches = self.list().iter().map(|patch| patch.to_json()).collect::<Vec<_>>();
        json!({ "patches": patches })
    }

    fn list(&self) -> MutexGuard<'_, Vec<Arc<ResponsePatch>>> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ResponsePatch {
    fn apply(&self, tree: &mut OrderedJson) -> u64 {
        let value = OrderedJson::from(&self.value);
        match self.field.strip_prefix('/') {
            Some(pointer) => pointer.split('/').try_fold(tree, member).map_or(0, |place| {
                *place = value;
                1
            }),
            None => replace_everywhere(tree, &self.field, &value),
        }
    }

    fn to_json(&self) -> Value {
        let (responses, hits) = (self.responses.load(Ordering::Relaxed), self.hits.load(Ordering::Relaxed));
        json!({"operation": self.operation, "field": self.field, "value": self.value, "responses": responses, "hits": hits})
    }
}

/// Returns the member at one segment of a JSON pointer (RFC 6901).
fn member<'a>(tree: &'a mut OrderedJson, segment: &str) -> Option<&'a mut OrderedJson> {
    match tree {
        OrderedJson::Object(fields) => fields.get_mut(&segment.replace("~1", "/").replace("~0", "~")),
        OrderedJson::List(items) => items.get_mut(segment.parse::<usize>().ok()?),
        OrderedJson::Other(_) => None,
    }
}

fn replace_everywhere(tree: &mut OrderedJson, field: &str, value: &OrderedJson) -> u64 {
    match tree {
        OrderedJson::Object(fields) => {
            let replace = |(name, place): (&String, &mut OrderedJson)| {
                if name == field {
                    *place = value.clone();
                    return 1;
                }
                replace_everywhere(place, field, value)
            };
            fields.iter_mut().map(replace).sum()
        }
        OrderedJson::List(items) => items.iter_mut().map(|item| replace_everywhere(item, field, value)).sum(),
        OrderedJson::Other(_) => 0,
    }
}

/// Checks that the operation exists and, with the vendored document, that its responses can have the field.
fn check_names(operation: &str, field: &str) -> Result<(), String> {
    let known = || OPERATIONS.iter().map(|operation| operation.id).chain(idp::OPERATIONS);
    if !known().any(|known| known == operation) {
        return Err(match closest(operation, known()) {
            Some(suggestion) => format!("there is no operation `{operation}`; write `{suggestion}`"),
            None => {
                format!("there is no operation `{operation}`; write one of {}", known().collect::<Vec<_>>().join(", "))
            }
        });
    }
    let fields = ResponseFields::of(operation);
    if fields.names.is_empty() {
        // An endpoint of the identity provider, bytes, or another document, whose names are not those of the contract.
        return Ok(());
    }
    let segments = field.strip_prefix('/').map_or_else(|| vec![field], |pointer| pointer.split('/').collect());
    for segment in segments {
        if !segment.is_empty() && segment.bytes().all(|byte| byte.is_ascii_digit()) {
            continue;
        }
        if !fields.names.contains(segment) {
            let names = || fields.names.iter().map(String::as_str);
            return Err(match closest(segment, names()) {
                Some(suggestion) => {
                    format!("the responses of {operation} have no field `{segment}`; write `{suggestion}`")
                }
                None => format!(
                    "the responses of {operation} have no field `{segment}`; write one of {}",
                    names().collect::<Vec<_>>().join(", ")
                ),
            });
        }
        if fields.maps.contains(segment) {
            // The keys below are data.
            break;
        }
    }
    Ok(())
}

/// The names of the fields in the successful responses of an operation.
#[derive(Default)]
struct ResponseFields {
    names: BTreeSet<String>,
    /// Fields with objects whose keys are data.
    maps: BTreeSet<String>,
    /// The referenced schemas already visited.
    visited: BTreeSet<String>,
}

impl ResponseFields {
    fn of(operation: &str) -> Self {
        let mut fields = Self::default();
        if documine_api::document::IS_RECONSTRUCTION
            && let Ok(document) = serde_json::from_str::<Value>(documine_api::DOCUMENT)
            && let Some(found) = documine_api::operations::operation(operation)
        {
            let responses = &document["paths"][found.path][found.method.to_lowercase()]["responses"];
            for (_, response) in
                responses.as_object().into_iter().flatten().filter(|(status, _)| status.starts_with('2'))
            {
                fields.collect(&document, &response["content"]["application/json"]["schema"]);
            }
        }
        fields
    }

    fn collect(&mut self, document: &Value, schema: &Value) {
        if schema.is_null() {
            return;
        }
        if let Some(target) = schema["$ref"].as_str() {
            if self.visited.insert(target.to_owned())
                && let Some(schema) = document.pointer(target.trim_start_matches('#'))
            {
                self.collect(document, schema);
            }
            return;
        }
        for (name, field) in schema["properties"].as_object().into_iter().flatten() {
            self.names.insert(name.clone());
            if field["additionalProperties"].is_object() {
                self.maps.insert(name.clone());
            }
            self.collect(document, field);
        }
        for part in ["items", "additionalProperties"] {
            self.collect(document, &schema[part]);
        }
        for part in schema["allOf"].as_array().into_iter().flatten() {
            self.collect(document, part);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_name_the_closest_operation_and_field() {
        let error = |operation, field| check_names(operation, field).expect_err("refused");
        assert_eq!(error("getFils", "id"), "there is no operation `getFils`; write `getFiles`");
        assert_eq!(check_names("token", "expires_in"), Ok(()));
        if documine_api::document::IS_RECONSTRUCTION {
            assert_eq!(check_names("getFiles", "/files/0/processingStatus"), Ok(()));
            assert_eq!(check_names("getFiles", "/files/0/fileAttributes/Anything"), Ok(()));
            assert_eq!(
                error("getFile", "procesingStatus"),
                "the responses of getFile have no field `procesingStatus`; write `processingStatus`"
            );
            assert!(error("getFiles", "/files/0/x").contains("no field `x`; write one of added, "));
        }
    }

    #[test]
    fn replaces_fields_at_any_depth_and_counts_them() {
        let patches = Patches::default();
        let by_name = patches.add("getFiles", "numberOfPages", json!(9)).expect("a patch");
        let by_pointer = patches.add("getFiles", "/files/1/id", json!("x")).expect("a patch");
        let body = br#"{"files":[{"numberOfPages":1,"id":"a"},{"numberOfPages":2,"id":"b"}]}"#;
        assert!(patches.apply("getFile", body).is_none());
        assert!(by_name.verify().expect_err("nothing yet").to_string().contains("no successful JSON response"));
        let changed = patches.apply("getFiles", body).expect("patched");
        // The fields keep their order.
        assert_eq!(changed, &br#"{"files":[{"numberOfPages":9,"id":"a"},{"numberOfPages":9,"id":"x"}]}"#[..]);
        assert_eq!((by_name.hits(), by_pointer.hits()), (2, 1));
        by_name.remove();
        by_pointer.remove();
        let unmatched = patches.add("getFiles", "/files/7/id", json!("x")).expect("a patch");
        assert!(patches.apply("getFiles", body).is_none());
        assert!(unmatched.verify().expect_err("nothing").to_string().contains("matched nothing in 1 responses"));
    }
}
