//! Translation of successful responses to the names, statuses and media types of the document.

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use documine_api::IndexMap;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderValue, StatusCode};
use serde_json::Value;

use super::mapping::{Cardinality, WireField, WireMapping, WireOperation};
use super::ordered_json::OrderedJson;

/// The parts of a response that a fault has set.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct FaultOverrides {
    /// True if the status comes from a fault.
    pub(crate) status: bool,
    /// True if a part of the body comes from a fault.
    pub(crate) body: bool,
}

impl WireMapping {
    /// Translates a response, and its body if it is text. `bytes` is the body, if it is in memory.
    pub(crate) fn response(
        &self,
        operation: &WireOperation,
        response: Response,
        bytes: Option<Bytes>,
        overrides: FaultOverrides,
    ) -> (Response, Option<Bytes>) {
        if !response.status().is_success() {
            return (response, bytes);
        }
        let (mut parts, mut body) = response.into_parts();
        let mut bytes = bytes;
        let kind =
            parts.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or("").to_ascii_lowercase();
        let mut kind = if kind.contains("json") {
            let tree = bytes.as_ref().and_then(|bytes| serde_json::from_slice(bytes).ok());
            let tree = tree.map(|tree| self.translate(operation.answers.as_deref(), tree, overrides.body));
            if let Some(text) = tree.and_then(|tree| serde_json::to_vec(&tree).ok()) {
                bytes = Some(Bytes::from(text));
            }
            (kind == "application/json").then(|| operation.json())
        } else if kind.contains("xml") {
            operation.xml.as_deref()
        } else if kind == "application/zip" {
            operation.other.as_deref()
        } else {
            None
        };
        if !overrides.status {
            let empty = bytes.as_ref().is_some_and(Bytes::is_empty);
            let silent = parts.status == StatusCode::NO_CONTENT && !operation.documents(parts.status.as_str());
            if silent && empty && operation.content {
                let sample = operation.sample.clone().unwrap_or_else(|| Value::Object(serde_json::Map::new()));
                bytes = Some(Bytes::from(sample.to_string()));
                kind = Some(operation.json());
            }
            parts.status = operation.status(parts.status);
        }
        if let Some(kind) = kind.and_then(|kind| HeaderValue::from_str(kind).ok()) {
            parts.headers.insert(CONTENT_TYPE, kind);
        }
        if let Some(bytes) = &bytes {
            body = Body::from(bytes.clone());
            parts.headers.remove(CONTENT_LENGTH);
        }
        (Response::from_parts(parts, body), bytes)
    }

    /// Translates the JSON of a response. With `overrides`, the changes of a fault are not repaired.
    pub(super) fn translate(&self, key: Option<&str>, tree: OrderedJson, overrides: bool) -> OrderedJson {
        let (Some(shape), OrderedJson::Object(object)) = (key.and_then(|key| self.shape(key)), &tree) else {
            return tree;
        };
        let mut made = IndexMap::new();
        let mut unknown = Vec::new();
        for (name, value) in object {
            match shape.fields.get(name) {
                None => unknown.push((name, value)),
                Some(None) => {}
                Some(Some(field)) if value.is_null() && !field.nullable && !overrides => {}
                Some(Some(field)) => {
                    made.insert(
                        field.wire.clone(),
                        self.translate_field(field, field.cardinality, value.clone(), overrides),
                    );
                }
            }
        }
        let required = shape.fields.values().flatten().filter(|field| field.required && !overrides);
        let required = required.map(|field| (&field.wire, &field.sample)).chain(&shape.extra);
        for (wire, sample) in required {
            made.entry(wire.clone()).or_insert_with(|| OrderedJson::from(sample));
        }
        for (name, value) in unknown {
            made.entry(name.clone()).or_insert_with(|| value.clone());
        }
        OrderedJson::Object(made)
    }

    fn translate_field(
        &self,
        field: &WireField,
        cardinality: Cardinality,
        value: OrderedJson,
        overrides: bool,
    ) -> OrderedJson {
        match (cardinality, value) {
            (Cardinality::One, value) => self.translate(field.shape.as_deref(), value, overrides),
            (Cardinality::List, OrderedJson::List(items)) => OrderedJson::List(
                items.into_iter().map(|item| self.translate_field(field, Cardinality::One, item, overrides)).collect(),
            ),
            (Cardinality::Map | Cardinality::MapOfLists, OrderedJson::Object(entries)) => {
                let inner = if cardinality == Cardinality::Map { Cardinality::One } else { Cardinality::List };
                let entries =
                    entries.into_iter().map(|(key, item)| (key, self.translate_field(field, inner, item, overrides)));
                OrderedJson::Object(entries.collect())
            }
            (_, other) => other,
        }
    }
}

impl WireOperation {
    fn documents(&self, status: &str) -> bool {
        self.success.iter().any(|known| known == status)
    }

    /// Returns the documented status for `ours`: the same status if it or its class is documented, else the first documented status.
    fn status(&self, ours: StatusCode) -> StatusCode {
        // Partial content comes from HTTP, not from the document. So does a status with a body that the document declares.
        let is_kept = ours == StatusCode::PARTIAL_CONTENT || self.documents(ours.as_str());
        let any = self.success.iter().any(|known| known.eq_ignore_ascii_case("2XX"));
        if is_kept || (any && !(ours == StatusCode::NO_CONTENT && self.content)) {
            return ours;
        }
        let first = self.success.iter().find_map(|known| known.parse().ok());
        first.unwrap_or(if any { StatusCode::OK } else { ours })
    }

    /// Returns the JSON media type of the operation.
    fn json(&self) -> &str {
        let all = || self.accept.as_deref().unwrap_or("").split(',').map(str::trim);
        let preferred = all().find(|kind| *kind == "application/json");
        preferred.or_else(|| all().find(|kind| kind.contains("json"))).unwrap_or("application/json")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn wire() -> WireMapping {
        let mapping = json!({
            "identity": false,
            "operations": {
                "getFiles": {
                    "query": {"includeActive": "include_active", "other": null},
                    "answers": "FileList", "success": ["200"], "content": true, "accept": "application/hal+json",
                },
                "deleteFile": {"success": ["200"], "content": true, "accept": "application/json", "sample": {"ok": false}},
                "deleteDownload": {"success": ["202", "204"]},
                "uploadFile": {"success": ["2XX"], "content": true},
                "createOrUpdateDossier": {"takes": "DossierRequest", "success": ["200"], "content": true},
                "getUsers": null,
            },
            "shapes": {
                "FileList": {"fields": {"files": {"wire": "content", "shape": "FileStatus", "holds": "list"}}, "extra": {}},
                "FileStatus": {"fields": {
                    "id": {"wire": "fileId"},
                    "name": {"wire": "id"},
                    "gone": null,
                    "labels": {"wire": "tags", "holds": "map"},
                    "parts": {"wire": "pieces", "shape": "Part", "holds": "map of lists"},
                    "note": {"wire": "note", "required": true, "sample": "text"},
                    "may": {"wire": "may", "nullable": true},
                }, "extra": {"version": 0}},
                "Part": {"fields": {"value": {"wire": "val"}}, "extra": {}},
                "DossierRequest": {"fields": {"id": {"wire": "dossierId"}, "name": {"wire": "name"}}, "extra": {}},
            },
        });
        WireMapping::read(&mapping.to_string(), true).expect("a mapping").expect("another document")
    }

    fn answered(operation: &str, status: u16, kind: Option<&'static str>, body: &str) -> (u16, String, String) {
        let wire = wire();
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::from_u16(status).expect("a status");
        if let Some(kind) = kind {
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        }
        let operation = wire.operation(operation).expect("is there");
        let bytes = Some(Bytes::copy_from_slice(body.as_bytes()));
        let (response, bytes) = wire.response(operation, response, bytes, FaultOverrides::default());
        let kind = response.headers().get(CONTENT_TYPE).map_or("", |kind| kind.to_str().expect("a text")).to_owned();
        let text = String::from_utf8(bytes.unwrap_or_default().to_vec()).expect("a text");
        (response.status().as_u16(), kind, text)
    }

    #[test]
    fn translates_responses_and_adds_required_fields() {
        let ours = r#"{"files":[{"id":"1","name":"a","gone":1,"labels":{"id":"x"},"parts":{"z":[{"value":1}],"b":[]},"note":null,"may":null,"more":2}],"page":0}"#;
        let theirs = r#"{"content":[{"fileId":"1","id":"a","tags":{"id":"x"},"pieces":{"z":[{"val":1}],"b":[]},"may":null,"note":"text","version":0,"more":2}],"page":0}"#;
        let expected = (200, "application/hal+json".to_owned(), theirs.to_owned());
        assert_eq!(answered("getFiles", 200, Some("application/json"), ours), expected);
        let refused = answered("getFiles", 404, Some("application/json"), ours);
        assert_eq!(refused, (404, "application/json".to_owned(), ours.to_owned()));
        let broken = answered("getFiles", 200, Some("application/json"), "{");
        assert_eq!(broken.2, "{");
    }

    #[test]
    fn replaces_undocumented_statuses() {
        let done = |operation, status| answered(operation, status, None, "");
        assert_eq!(done("deleteFile", 204), (200, "application/json".to_owned(), r#"{"ok":false}"#.to_owned()));
        assert_eq!(done("deleteDownload", 204), (204, String::new(), String::new()));
        assert_eq!(done("uploadFile", 201).0, 201);
        assert_eq!(done("createOrUpdateDossier", 201).0, 200);
        assert_eq!(done("createOrUpdateDossier", 206).0, 206);
    }

    #[test]
    fn translates_requests_to_the_contract() {
        let wire = wire();
        let body = json!({"dossierId": "1", "id": "something else", "name": "a", "more": 1});
        let read = wire.request(
            wire.operation("createOrUpdateDossier").expect("is there"),
            body.as_object().cloned().expect("an object"),
        );
        assert_eq!(Value::Object(read), json!({"id": "1", "name": "a", "more": 1}));
        let list = wire.operation("getFiles").expect("is there");
        assert_eq!(list.query("includeActive"), Some("include_active"));
        assert_eq!(list.query("other"), None);
        assert_eq!(list.query("page"), Some("page"));
        assert!(wire.operation("getUsers").is_none());
    }

    #[test]
    fn vendored_document_needs_no_translation() {
        let same = r#"{"identity": true, "operations": {}, "shapes": {}}"#;
        assert!(WireMapping::read(same, true).expect("a mapping").is_none());
        assert!(WireMapping::read(same, false).expect("a mapping").is_some());
        assert!(WireMapping::read("{", true).is_err());
    }
}
