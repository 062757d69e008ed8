//! Names that differ from those of the contract only in case and separators.

use super::*;

#[test]
fn prefers_contract_field_over_similar_names() {
    for (schema, contracts, kind, others) in [
        ("FileStatus", "id", "crate::ids::FileId", &["ID", "Id", "iD"][..]),
        (
            "FileStatus",
            "fileName",
            "::std::option::Option<::std::string::String>",
            &["FileName", "file_name", "FILENAME", "fileNAME"],
        ),
        ("DownloadStatus", "downloadId", "crate::ids::DownloadId", &["DownloadID", "download_id", "DOWNLOAD-ID"]),
        ("FileComponents", "fileId", "crate::ids::FileId", &["FileId", "file_id", "fileID"]),
        ("DossierRequest", "name", "::std::string::String", &["Name", "NAME"]),
    ] {
        let passed = accepted(contracts, |document| {
            let properties =
                document["components"]["schemas"][schema]["properties"].as_object_mut().expect("properties");
            properties.extend(others.iter().map(|other| ((*other).to_owned(), json!({"type": "integer"}))));
        });
        assert_eq!(passed.mapping.schemas[schema][0].fields[contracts].wire.as_deref(), Some(contracts));
        let model = model(&generated(&passed).client, schema);
        let own = passes::names::snake(contracts);
        let (attributes, found) = field(&model, &own);
        assert_eq!(found, kind, "{schema}.{contracts}: {model}");
        assert!(!others.iter().any(|other| attributes.contains(&format!("rename = \"{other}\""))), "{model}");
        for other in others {
            assert!(model.contains(&format!("rename = \"{other}\"")), "{other}: {model}");
        }
    }
}

#[test]
fn keeps_unknown_fields_beside_a_field_called_extra() {
    let passed = accepted("extra", |document| {
        document["components"]["schemas"]["License"]["properties"]["extra"] = json!({"type": "integer"});
    });
    let license = model(&generated(&passed).client, "License");
    assert_eq!(field(&license, "extra").1, "::serde_json::Map<::std::string::String, ::serde_json::Value>");
    let (attributes, kind) = field(&license, "extra2");
    assert!(attributes.contains("rename = \"extra\"") && kind == "::std::option::Option<i64>", "{license}");
}

#[test]
fn prefers_contract_parameter_over_similar_names() {
    let passed = accepted("parameters", |document| {
        let parameters = upload(document)["parameters"].as_array_mut().expect("parameters");
        for name in ["KEEPMANUALCHANGES", "KeepManualChanges", "keep_manual_changes", "fileId", "DossierId"] {
            parameters.push(json!({"name": name, "in": "query", "schema": {"type": "integer"}}));
        }
        parameters.push(json!({"name": "Keep-Manual-Changes", "in": "header", "schema": {"type": "integer"}}));
    });
    let source = generated(&passed).client;
    let builder = &source[source.find("pub struct UploadFile<").expect("the builder")..];
    let builder = &builder[..builder.find("\n    }").expect("its end")];
    assert!(builder.contains("keep_manual_changes: Result<Option<bool>, String>"), "{builder}");
    assert!(builder.contains("dossier_id: Result<crate::ids::DossierId, String>"), "{builder}");
}

#[test]
fn prefers_contract_value_schema_and_operation_over_similar_names() {
    let passed = accepted("others", |document| {
        let schemas = document["components"]["schemas"].as_object_mut().expect("schemas");
        let state = schemas["DownloadState"]["enum"].as_array_mut().expect("values");
        for value in ["Ready", "ready", "READY_"] {
            state.insert(0, json!(value));
        }
        for name in ["fileStatus", "FILE_STATUS", "file-status", "FILESTATUS"] {
            schemas.insert(name.to_owned(), json!({"type": "object", "properties": {"a": {"type": "string"}}}));
        }
        for (number, id) in ["GetFile", "get_file", "GETFILE", "get-file"].iter().enumerate() {
            document["paths"][format!("/api/other/{number}")] =
                json!({"get": {"operationId": id, "responses": {"204": {"description": ""}}}});
        }
    });
    let generated = generated(&passed);
    assert!(generated.enums.contains("Ready = \"READY\","), "{}", generated.enums);
    assert_eq!(field(&model(&generated.client, "FileStatus"), "id").1, "crate::ids::FileId");
    let start = generated.operations.find("id: \"getFile\"").expect("is listed");
    assert!(
        generated.operations[start..].starts_with("id: \"getFile\", method: \"GET\", path: \"/api/dossier-templates/")
    );
    for source in [&generated.client, &generated.enums, &generated.operations] {
        syn::parse_file(source).expect("Rust");
    }
}

// References.
