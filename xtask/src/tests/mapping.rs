//! The contract is found in documents that are made otherwise than ours, and what stands in the way is named.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{contract, vendored};
use crate::passes::decisions::Decisions;
use crate::{code, passes};

/// Our document after a change.
fn changed(change: impl Fn(&mut Value)) -> Value {
    let mut document: Value = serde_json::from_str(&vendored()).expect("JSON");
    change(&mut document);
    document
}

/// The same after a change of its text.
fn replaced(pairs: &[(&str, &str)]) -> Value {
    let text = pairs.iter().fold(vendored(), |text, (from, to)| {
        assert!(text.contains(from), "{from} is not in the document");
        text.replace(from, to)
    });
    serde_json::from_str(&text).expect("JSON")
}

fn mapped(document: &Value, decisions: &Decisions) -> Result<passes::PreparedDocument, Vec<String>> {
    passes::prepare(&document.to_string(), Some((&contract(), decisions)))
}

fn accepted(document: &Value) -> passes::PreparedDocument {
    mapped(document, &Decisions::default()).unwrap_or_else(|findings| panic!("{findings:#?}"))
}

fn refused(document: &Value) -> Vec<String> {
    match mapped(document, &Decisions::default()) {
        Ok(_) => Vec::new(),
        Err(findings) => findings,
    }
}

fn decided(map: &[(&str, &str)], missing: &[&str]) -> Decisions {
    let text = |text: &&str| (*text).to_owned();
    Decisions {
        map: map.iter().map(|(id, target)| ((*id).to_owned(), (*target).to_owned())).collect(),
        accept_missing: missing.iter().map(text).collect::<BTreeSet<String>>(),
    }
}

/// The generated client of a document.
fn client(document: &Value) -> String {
    let passed = accepted(document);
    code::generate(&passed.document).unwrap_or_else(|reasons| panic!("{reasons:#?}")).client
}

fn remove(document: &mut Value, path: &str, method: &str) {
    let item = document["paths"][path].as_object_mut().expect("a path");
    item.remove(method).expect("an operation");
    if item.keys().all(|key| key == "parameters") {
        document["paths"].as_object_mut().expect("paths").remove(path);
    }
}

#[test]
fn reconstruction_matches_the_contract() {
    let passed = accepted(&changed(|_| {}));
    assert!(passed.mapping.is_identity(&contract()));
    assert_eq!(passed.mapping.notes, Vec::<String>::new());
    assert_eq!(passed.mapping.prefix, "/api");
}

#[test]
fn maps_without_names_of_operations_and_schemas() {
    let ours = client(&changed(|_| {}));
    let theirs = client(&changed(|document| {
        let mut number = 0;
        for item in document["paths"].as_object_mut().expect("paths").values_mut() {
            for (_, operation) in
                item.as_object_mut().expect("an item").iter_mut().filter(|(key, _)| *key != "parameters")
            {
                number += 1;
                // One of them has the name of another: that proves nothing.
                operation["operationId"] =
                    json!(if number == 3 { "getLicense".into() } else { format!("op_{number}") });
            }
        }
    }));
    assert!(ours == theirs, "the client depends on operationIds");
    let renamed =
        replaced(&[("schemas/FileStatus\"", "schemas/FileModel\""), ("\"FileStatus\": {", "\"FileModel\": {")]);
    assert!(client(&renamed) == ours, "the client depends on the names of schemas");
}

#[test]
fn keeps_path_and_server_prefix() {
    let passed =
        accepted(&changed(|document| document["servers"] = json!([{"url": "https://acme.example/documine/"}])));
    assert_eq!((passed.mapping.server.as_str(), passed.mapping.prefix.as_str()), ("/documine", "/documine/api"));
    assert!(passed.document["paths"].get("/documine/api/users").is_some());
    let passed = accepted(&replaced(&[("\"/api/", "\"/gateway/api/v1/")]));
    assert_eq!(passed.mapping.prefix, "/gateway/api/v1");
    // The server's path may hold the whole prefix.
    let mut document = replaced(&[("\"/api/", "\"/")]);
    document["servers"] = json!([{"url": "{base}/api", "variables": {"base": {"default": "https://acme.example"}}}]);
    let passed = accepted(&document);
    assert_eq!((passed.mapping.server.as_str(), passed.mapping.prefix.as_str()), ("/api", "/api"));
}

#[test]
fn rejects_two_versions_as_ambiguous() {
    let document = changed(|document| {
        let paths = document["paths"].as_object_mut().expect("paths");
        let second: Vec<_> =
            paths.iter().map(|(path, item)| (path.replace("/api/", "/api/v2/"), item.clone())).collect();
        paths.extend(second);
    });
    let findings = refused(&document);
    assert!(findings.iter().any(|line| line.contains("ambiguous") && line.contains("/api/v2")), "{findings:#?}");
}

#[test]
fn maps_fields_of_another_spelling() {
    let source = client(&changed(|document| {
        let schema = &mut document["components"]["schemas"]["FileStatus"];
        let properties = schema["properties"].as_object_mut().expect("properties");
        for (from, to) in [("id", "fileId"), ("fileName", "file_name")] {
            let property = properties.remove(from).expect("a property");
            properties.insert(to.to_owned(), property);
        }
        schema["required"] = json!(["fileId"]);
    }));
    let model = &source[source.find("pub struct FileStatus ").expect("the model")..];
    let model = &model[..model.find("\n    }").expect("its end")];
    for (field, wire) in [("pub id:", "rename = \"fileId\""), ("pub file_name:", "rename = \"file_name\"")] {
        let at = model.find(field).unwrap_or_else(|| panic!("{field} in {model}"));
        assert!(model[..at].rfind("#[serde").is_some_and(|start| model[start..at].contains(wire)), "{model}");
    }
}

#[test]
fn finds_list_under_another_key() {
    let document = changed(|document| {
        let list = &mut document["components"]["schemas"]["UserList"]["properties"];
        let users = list.as_object_mut().expect("properties").remove("users").expect("the list");
        *list = json!({
            "content": users,
            "sort": {"type": "array", "items": {"type": "object", "properties": {"property": {"type": "string"}}}},
            "totalElements": {"type": "integer"},
        });
    });
    let passed = accepted(&document);
    assert_eq!(passed.mapping.schemas["UserList"][0].fields["users"].wire.as_deref(), Some("content"));
    // The field in which the client finds the items of a streamed response.
    assert_eq!(passed.document["paths"]["/api/users"]["get"]["x-paging"], json!({"form": "none", "items": "content"}));
    let ours = accepted(&changed(|_| {}));
    assert_eq!(ours.document["paths"]["/api/users"]["get"]["x-paging"], json!({"form": "none", "items": "users"}));
}

#[test]
fn suggests_candidates_for_missing_operation() {
    let document = changed(|document| {
        let operation = document["paths"]["/api/downloads/{downloadId}"]["get"].clone();
        let parameters = document["paths"]["/api/downloads/{downloadId}"]["parameters"].clone();
        remove(document, "/api/downloads/{downloadId}", "get");
        document["paths"]["/api/downloads/{id}/status"] = json!({"get": operation, "parameters": parameters});
        document["paths"]["/api/downloads/{id}/status"]["parameters"] = json!([
            {"name": "id", "in": "path", "required": true, "schema": {"type": "string"}}
        ]);
    });
    let findings = refused(&document);
    assert_eq!(findings.len(), 1, "{findings:#?}");
    let offered = "--map getDownload='GET /api/downloads/{id}/status'";
    assert!(findings[0].starts_with("getDownload: ") && findings[0].contains(offered), "{findings:#?}");

    let decisions = decided(&[("getDownload", "GET /api/downloads/{id}/status")], &[]);
    let passed = mapped(&document, &decisions).unwrap_or_else(|findings| panic!("{findings:#?}"));
    let place = passed.mapping.operations["getDownload"].location.as_ref().expect("is there");
    assert_eq!(place.wire, "/api/downloads/{downloadId}/status");
    // What was decided must be there.
    let findings =
        mapped(&document, &decided(&[("getDownload", "GET /api/nothing/{id}")], &[])).err().unwrap_or_default();
    assert!(findings.iter().any(|line| line.contains("GET /api/nothing/{id}")), "{findings:#?}");
}

#[test]
fn accepts_missing_optional_parts() {
    let document = changed(|document| {
        remove(document, "/api/users", "get");
        remove(document, "/api/license", "get");
    });
    let findings = refused(&document);
    assert_eq!(findings.len(), 1, "the users' path is a guess of ours: {findings:#?}");
    assert!(findings[0].contains("--accept-missing getLicense"), "{findings:#?}");
    let passed = mapped(&document, &decided(&[], &["getLicense"])).unwrap_or_else(|findings| panic!("{findings:#?}"));
    assert!(passed.mapping.notes.iter().any(|note| note.starts_with("getUsers: ")), "{:#?}", passed.mapping.notes);
    let generated = code::generate(&passed.document).unwrap_or_else(|reasons| panic!("{reasons:#?}"));
    // The calls are there all the same, marked.
    for method in ["get_users", "get_license"] {
        assert!(generated.client.contains(&format!("pub fn {method}(")), "{method}");
        assert!(generated.operations.contains(&format!("name: {method:?}")), "{method}");
    }
    let missing = generated.operations.matches("missing: true").count();
    assert_eq!(missing, 4, "two operations, two methods: {}", generated.operations);
}

#[test]
fn reports_all_obstacles_at_once() {
    let document = changed(|document| {
        remove(document, "/api/downloads/{downloadId}/download", "get");
        let schemas = &mut document["components"]["schemas"];
        schemas["DownloadState"]["enum"] = json!(["QUEUED", "DONE"]);
        schemas["FileStatus"]["properties"]["processingStatus"] =
            json!({"type": "object", "properties": {"code": {"type": "string"}}});
        schemas["DossierRequest"]["properties"]["costCentre"] = json!({"type": "string"});
        schemas["DossierRequest"]["required"] = json!(["name", "costCentre"]);
        document["paths"]["/api/license/usage"]["get"]["parameters"] =
            json!([{"name": "unit", "in": "query", "required": true, "schema": {"type": "string"}}]);
        document["components"]["schemas"]["UserList"] = json!({"type": "array", "items": {"type": "string"}});
    });
    let findings = refused(&document);
    for part in [
        "downloadPackage: no operation matches GET /api/downloads/{downloadId}/download",
        "getDownload: DownloadStatus.status does not list READY",
        "FileStatus.processingStatus is an object instead of a string",
        "createOrUpdateDossier: requires the field `costCentre` in DossierRequest",
        "getLicenseUsage: requires the query parameter `unit`",
        "getUsers: holds a bare array",
    ] {
        assert!(findings.iter().any(|line| line.contains(part)), "{part} not in {findings:#?}");
    }
    for finding in &findings {
        assert!(finding.contains("(/"), "without a place: {finding}");
    }
}

#[test]
fn uses_document_type_for_independent_field() {
    let document = changed(|document| {
        let properties = &mut document["components"]["schemas"]["DossierTemplate"]["properties"];
        properties["createdBy"] = json!({"$ref": "#/components/schemas/User"});
        properties.as_object_mut().expect("properties").remove("removeWatermark");
    });
    let passed = accepted(&document);
    let notes = passed.mapping.notes.join("\n");
    assert!(notes.contains("DossierTemplate.createdBy is an object instead of a string"), "{notes}");
    assert!(notes.contains("DossierTemplate.removeWatermark is not in the document"), "{notes}");
    let source = code::generate(&passed.document).unwrap_or_else(|reasons| panic!("{reasons:#?}")).client;
    assert!(source.contains("pub created_by: ::std::option::Option<User>"), "{source}");
    assert!(source.contains("pub remove_watermark: ::std::option::Option<bool>"), "{source}");
}

#[test]
fn reports_missing_query_parameter() {
    let document = changed(|document| {
        document["paths"]["/api/dossier-templates/{dossierTemplateId}/dossiers/{dossierId}"]["delete"]["parameters"] =
            json!([]);
    });
    let passed = accepted(&document);
    let operations = code::generate(&passed.document).unwrap_or_else(|reasons| panic!("{reasons:#?}")).operations;
    assert!(operations.contains("missing_query: &[(\"deletePermanently\", Some(\"false\"))]"), "{operations}");
}

#[test]
fn accepts_one_model_for_request_and_response() {
    let document = changed(|document| {
        let schemas = document["components"]["schemas"].as_object_mut().expect("schemas");
        let mut both = schemas.remove("Dossier").expect("the answer's");
        schemas.remove("DossierRequest");
        both["required"] = json!([]);
        schemas.insert(String::from("DossierDto"), both);
    });
    let text = document
        .to_string()
        .replace("schemas/DossierRequest\"", "schemas/DossierDto\"")
        .replace("schemas/Dossier\"", "schemas/DossierDto\"");
    let document: Value = serde_json::from_str(&text).expect("JSON");
    let source = client(&document);
    for model in ["Dossier", "DossierRequest"] {
        assert!(source.contains(&format!("pub struct {model} ")), "{model}");
    }
    assert!(!source.contains("DossierDto"), "the contract's names stand for it");
}

#[test]
fn renames_schemas_that_collide_with_the_contract() {
    let document = changed(|document| {
        let text = document.to_string().replace("schemas/License\"", "schemas/Entitlement\"");
        *document = serde_json::from_str(&text).expect("JSON");
        let schemas = document["components"]["schemas"].as_object_mut().expect("schemas");
        let license = schemas.remove("License").expect("is there");
        schemas.insert(String::from("Entitlement"), license);
        schemas.insert(String::from("License"), json!({"type": "object", "properties": {"spdx": {"type": "string"}}}));
        document["paths"]["/api/about"] = json!({"get": {"operationId": "getAbout", "responses": {"200": {
            "description": "", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/License"}}}}}}});
    });
    let source = client(&document);
    assert!(source.contains("pub struct License2 "), "{source}");
    assert!(source.contains("ResponseValue<types::License2>"), "{source}");
    assert!(source.contains("pub licensed_pages:"), "{source}");
}

#[test]
fn rejects_decisions_without_effect() {
    let document = changed(|_| {});
    let findings = mapped(&document, &decided(&[("getdownload", "GET /x"), ("getUsers", "users")], &["nothing"])).err();
    let findings = findings.unwrap_or_default().join("\n");
    for part in [
        "getdownload: unknown operation of the contract; did you mean getDownload?",
        "getUsers: \"users\" is not an operation",
        "nothing: unknown operation",
    ] {
        assert!(findings.contains(part), "{part} not in {findings}");
    }
}

#[test]
fn request_model_has_one_spelling() {
    let document = changed(|document| {
        let mut other = document["components"]["schemas"]["DownloadRequest"].clone();
        let properties = other["properties"].as_object_mut().expect("properties");
        let color = properties.remove("previewColor").expect("is there");
        properties.insert(String::from("preview_color"), color);
        document["components"]["schemas"]["FileDownloadRequest"] = other;
        let path = "/api/dossier-templates/{dossierTemplateId}/dossiers/{dossierId}/files/{fileId}/create-download";
        document["paths"][path]["post"]["requestBody"] = json!({"required": true, "content": {
            "application/json": {"schema": {"$ref": "#/components/schemas/FileDownloadRequest"}}}});
    });
    let findings = refused(&document);
    assert!(findings.len() == 1 && findings[0].contains("DownloadRequest.previewColor is called"), "{findings:#?}");
}
