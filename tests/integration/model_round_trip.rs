//! Round trips of saved responses: a model serializes to the values it was read from.

use documine::api::types;
use http::Method;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::harness::pdf_fixtures::STUDY;
use crate::harness::test_env::TestEnv;

/// Removes fields that are `null`, because models omit them.
fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(map) => map
            .into_iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(key, value)| (key, without_nulls(value)))
            .collect(),
        Value::Array(items) => items.into_iter().map(without_nulls).collect(),
        value => value,
    }
}

/// Deserializes a response as `T`, serializes it and compares the values.
fn round_trip<T: DeserializeOwned + Serialize + PartialEq + std::fmt::Debug>(what: &str, response: &Value) {
    let model: T = serde_json::from_value(response.clone()).unwrap_or_else(|error| panic!("{what}: {error}"));
    let saved = serde_json::to_string(&model).unwrap();
    assert_eq!(serde_json::from_str::<T>(&saved).unwrap(), model, "{what}");
    let written = without_nulls(serde_json::from_str(&saved).unwrap());
    let mut read = without_nulls(response.clone());
    // Models do not distinguish empty lists and maps from absent ones.
    if written != read {
        read = without_empty(read);
        assert_eq!(without_empty(written), read, "{what}");
    }
}

fn without_empty(value: Value) -> Value {
    let is_empty = |value: &Value| {
        value.as_array().is_some_and(Vec::is_empty) || value.as_object().is_some_and(serde_json::Map::is_empty)
    };
    match value {
        Value::Object(map) => map
            .into_iter()
            .map(|(key, value)| (key, without_empty(value)))
            .filter(|(_, value)| !is_empty(value))
            .collect(),
        Value::Array(items) => items.into_iter().map(without_empty).collect(),
        value => value,
    }
}

fn check_model(operation: &str, response: &Value) {
    match operation {
        "getDossierTemplates" => round_trip::<types::DossierTemplateList>(operation, response),
        "getDossierTemplate" => round_trip::<types::DossierTemplate>(operation, response),
        "getDossiers" => round_trip::<types::DossierList>(operation, response),
        "getDossier" | "createOrUpdateDossier" => round_trip::<types::Dossier>(operation, response),
        "uploadFile" => round_trip::<types::FileUploadResult>(operation, response),
        "getFiles" => round_trip::<types::FileList>(operation, response),
        "getFile" => round_trip::<types::FileStatus>(operation, response),
        "getComponents" => round_trip::<types::FileComponents>(operation, response),
        "getDossierComponents" => round_trip::<types::DossierComponents>(operation, response),
        "prepareDossierDownload" | "prepareFileDownload" | "prepareFilesDownload" => {
            round_trip::<types::DownloadReference>(operation, response);
        }
        "getDownloads" => round_trip::<types::DownloadList>(operation, response),
        "getDownload" => round_trip::<types::DownloadStatus>(operation, response),
        "getUsers" => round_trip::<types::UserList>(operation, response),
        "getLicense" => round_trip::<types::License>(operation, response),
        "getLicenseUsage" => round_trip::<types::LicenseUsage>(operation, response),
        other => panic!("no model for the JSON response of {other}"),
    }
}

#[test]
fn every_documented_example_round_trips() {
    let document: Value = serde_json::from_str(documine::api::DOCUMENT).unwrap();
    let mut observed = 0;
    for operation in documine::api::operations::OPERATIONS {
        let described = &document["paths"][operation.path][operation.method.to_lowercase()];
        for (status, response) in
            described["responses"].as_object().unwrap().iter().filter(|(status, _)| status.starts_with('2'))
        {
            let response = match response["$ref"].as_str() {
                Some(pointer) => document.pointer(pointer.trim_start_matches('#')).unwrap(),
                None => response,
            };
            let media = &response["content"]["application/json"];
            let named = media["examples"].as_object().into_iter().flatten().map(|(_, example)| &example["value"]);
            for example in media.get("example").into_iter().chain(named) {
                check_model(operation.id, example);
                observed += 1;
            }
            assert!(media.is_null() || observed > 0, "{} {status} has no example", operation.id);
        }
    }
    assert!(observed >= 18, "{observed}");
}

#[tokio::test]
async fn every_service_response_round_trips() {
    let env = TestEnv::new().await;
    let (dossier, file) = env.processed_file("study.pdf", STUDY).await;
    let package = dossier.create_package(documine::PackageRequest::default()).await.unwrap();
    for operation in documine::api::operations::OPERATIONS.iter().filter(|operation| operation.method == "GET") {
        if operation.response == documine::api::operations::ResponseKind::Binary {
            continue;
        }
        let path = operation
            .path
            .replace("{dossierTemplateId}", env.template_id().as_str())
            .replace("{dossierId}", dossier.id().as_str())
            .replace("{fileId}", file.id().as_str())
            .replace("{downloadId}", package.id().as_str());
        let body = env.client.request(Method::GET, path.as_str(), None).await.unwrap();
        check_model(operation.id, &serde_json::from_slice(&body).unwrap());
        if path.ends_with("/components") {
            let body = env.client.request(Method::GET, format!("{path}?includeDetails=true"), None).await.unwrap();
            check_model(operation.id, &serde_json::from_slice(&body).unwrap());
        }
    }
}

#[test]
fn models_have_json_schema() {
    let file = schemars::schema_for!(documine::models::FileStatus);
    let described = file.as_value()["properties"].as_object().unwrap();
    for field in ["id", "fileName", "processingStatus", "numberOfPages", "fileAttributes", "added"] {
        assert!(described.contains_key(field), "{field}");
    }
    let required = file.as_value()["required"].as_array().unwrap();
    assert_eq!(required, &[Value::from("id")]);
    let components = schemars::schema_for!(documine::models::FileComponents);
    assert_eq!(
        components.as_value().pointer("/properties/components/additionalProperties/items/type"),
        Some(&Value::from("string"))
    );
}

#[tokio::test]
async fn component_order_round_trips() {
    let env = TestEnv::new().await;
    let (_, file) = env.processed_file("study.pdf", STUDY).await;
    let live = file.components().await.unwrap();
    let saved = serde_json::to_string(&live).unwrap();
    let loaded: documine::models::FileComponents = serde_json::from_str(&saved).unwrap();
    assert!(loaded.components.keys().eq(live.names()));
}
