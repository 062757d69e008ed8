//! Documents as other tools write them: springdoc's words for Java classes, YAML without quotes, references that lead nowhere.

use serde_json::{Value, json};

use super::{built, document, passed, refused, vendored, with_operation};
use crate::passes::PreparedDocument;
use crate::{code, passes};

/// Our document after a change, as the build sees it.
fn changed(change: impl FnOnce(&mut Value)) -> Result<PreparedDocument, Vec<String>> {
    let mut document: Value = serde_json::from_str(&vendored()).expect("JSON");
    change(&mut document);
    built(&document.to_string())
}

#[track_caller]
fn accepted(name: &str, change: impl FnOnce(&mut Value)) -> PreparedDocument {
    changed(change).unwrap_or_else(|findings| panic!("{name}: {findings:#?}"))
}

#[track_caller]
fn generated(passed: &PreparedDocument) -> code::Generated {
    code::generate(&passed.document).unwrap_or_else(|reasons| panic!("{reasons:#?}"))
}

/// The source of a model.
fn model(source: &str, name: &str) -> String {
    let start = source.find(&format!("pub struct {name} ")).unwrap_or_else(|| panic!("no model {name}"));
    let end = source[start..].find("\n    }").expect("its end");
    source[start..start + end].to_owned()
}

/// The attributes before a field, and its type.
fn field<'a>(model: &'a str, name: &str) -> (&'a str, &'a str) {
    let at = model.find(&format!("pub {name}:")).unwrap_or_else(|| panic!("no field {name} in {model}"));
    let after_last = model[..at].rfind("pub ").and_then(|last| Some(last + model[last..at].find('\n')?));
    let attributes = &model[after_last.unwrap_or(0)..at];
    let kind = model[at..].split_once(": ").map_or("", |(_, rest)| rest.lines().next().unwrap_or_default());
    (attributes, kind.trim_end_matches(','))
}

const UPLOAD: &str = "/api/dossier-templates/{dossierTemplateId}/dossiers/{dossierId}/files";
const DOWNLOAD: &str = "/api/downloads/{downloadId}/download";

fn upload(document: &mut Value) -> &mut Value {
    &mut document["paths"][UPLOAD]["post"]
}

fn answer(operation: &mut Value, content: Value) {
    operation["responses"] = json!({"200": {"description": "", "content": content}});
}

// Any JSON.

#[test]
fn an_object_of_which_nothing_is_said_is_any_json() {
    let open = json!({"type": "object"});
    let properties = json!({
        "features": {"type": "object", "additionalProperties": open},
        "nested": {"type": "object", "additionalProperties": {"type": "object", "additionalProperties": open}},
        "lists": {"type": "object", "additionalProperties": {"type": "array", "items": open}},
        "list": {"type": "array", "items": open},
        "one": open,
        "none": {"type": "object", "properties": {}},
        "closed": {"type": "object", "properties": {}, "additionalProperties": false},
        "named": {"$ref": "#/components/schemas/Anything"},
        "map": {"type": "object", "additionalProperties": true},
    });
    let found = passed(&document(
        json!({}),
        json!({"A": {"type": "object", "properties": properties}, "Anything": {"type": "object", "description": "any"}}),
    ));
    let found = &found["components"]["schemas"]["A"]["properties"];
    for (pointer, wanted) in [
        ("/features/additionalProperties", json!({})),
        ("/nested/additionalProperties/additionalProperties", json!({})),
        ("/lists/additionalProperties/items", json!({})),
        ("/list/items", json!({})),
        ("/one", json!({})),
        ("/none", json!({})),
        ("/closed", json!({})),
        ("/map", json!({"type": "object", "additionalProperties": true})),
    ] {
        assert_eq!(found.pointer(pointer), Some(&wanted), "{pointer} of {found:#}");
    }
}

#[test]
fn a_map_of_java_objects_is_read_whatever_its_values_are() {
    let passed = accepted("features", |document| {
        let properties = &mut document["components"]["schemas"]["License"]["properties"];
        properties["features"] = json!({"type": "object", "additionalProperties": {"type": "object"}});
        properties["flags"] = json!({"type": "array", "items": {"type": "object"}});
        properties["extraInfo"] = json!({"type": "object"});
        let attributes = json!({"type": "object", "additionalProperties": {"type": "object"}});
        document["components"]["schemas"]["Dossier"]["properties"]["dossierAttributes"] = attributes;
    });
    let source = generated(&passed).client;
    let license = model(&source, "License");
    for (name, kind) in [
        ("features", "::serde_json::Map<::std::string::String, ::serde_json::Value>"),
        ("flags", "::std::vec::Vec<::serde_json::Value>"),
        ("extra_info", "::std::option::Option<::serde_json::Value>"),
    ] {
        assert_eq!(field(&license, name).1, kind, "{name}");
    }
    // The contract's own texts are read from any value.
    let dossier = model(&source, "Dossier");
    assert!(field(&dossier, "dossier_attributes").0.contains("crate::scalars::read"), "{dossier}");
    assert!(field(&dossier, "name").0.contains("crate::scalars::read"), "{dossier}");
}

#[test]
fn classes_that_jackson_writes_otherwise_are_any_json() {
    let object = |names: &[&str]| {
        let properties: serde_json::Map<String, Value> =
            names.iter().map(|name| ((*name).to_owned(), json!({"type": "integer"}))).collect();
        json!({"type": "object", "properties": properties})
    };
    for (class, names) in [
        (
            "JsonNode",
            &["array", "null", "object", "float", "number", "short", "int", "long", "double", "boolean", "nodeType"][..],
        ),
        ("LocalTime", &["hour", "minute", "second", "nano"]),
        (
            "LocalDate",
            &["year", "month", "dayOfMonth", "dayOfWeek", "dayOfYear", "leapYear", "monthValue", "era", "chronology"],
        ),
        ("YearMonth", &["year", "month", "monthValue", "leapYear"]),
        ("Instant", &["epochSecond", "nano"]),
        ("Duration", &["seconds", "negative", "zero", "units", "nano"]),
        ("Period", &["years", "months", "days", "units", "negative", "zero"]),
        ("Locale", &["language", "displayName", "country", "variant", "script", "displayLanguage", "iso3Language"]),
        ("Currency", &["currencyCode", "displayName", "symbol", "defaultFractionDigits", "numericCode"]),
        ("OptionalString", &["present", "empty"]),
        ("Pageable", &["offset", "pageNumber", "pageSize", "paged", "unpaged", "sort"]),
        ("Sort", &["empty", "sorted", "unsorted"]),
    ] {
        let holder = json!({"type": "object", "properties": {
            "shared": {"$ref": "#/components/schemas/Class"}, "own": object(names), "wrapped": {"allOf": [{"$ref": "#/components/schemas/Class"}], "description": "d"},
            "list": {"type": "array", "items": {"$ref": "#/components/schemas/Class"}},
            "map": {"type": "object", "additionalProperties": object(names)},
        }});
        let found = passed(&document(json!({}), json!({"Class": object(names), "Holder": holder})));
        let found = &found["components"]["schemas"]["Holder"]["properties"];
        for pointer in ["/shared", "/own", "/list/items", "/map/additionalProperties"] {
            assert_eq!(found.pointer(pointer), Some(&json!({})), "{class}: {pointer} of {found:#}");
        }
        assert_eq!(found["wrapped"], json!({"description": "d"}), "{class}");
    }
    // A class of the service's own with one more field is itself.
    for names in
        [&["hour", "minute", "second", "nano", "title"][..], &["id", "name"], &["days", "months"], &["empty"], &[]]
    {
        let schemas = json!({"Own": object(names), "A": {"type": "object", "properties": {"own": {"$ref": "#/components/schemas/Own"}}}});
        let found = passed(&document(json!({}), schemas));
        let own = &found["components"]["schemas"]["A"]["properties"]["own"];
        assert_eq!(*own, json!({"$ref": "#/components/schemas/Own"}), "{names:?}");
    }
}

#[test]
fn lists_of_bytes_and_of_sort_orders_are_any_json() {
    let order = json!({"type": "object", "properties": {"direction": {"type": "string"}, "property": {"type": "string"}, "nullHandling": {"type": "string"}, "ascending": {"type": "boolean"}, "ignoreCase": {"type": "boolean"}}});
    let properties = json!({
        "sort": {"type": "array", "items": order},
        "preview": {"type": "array", "items": {"type": "string", "format": "byte"}},
        "names": {"type": "array", "items": {"type": "string"}},
    });
    let found = passed(&document(json!({}), json!({"A": {"type": "object", "properties": properties}})));
    let found = &found["components"]["schemas"]["A"]["properties"];
    assert_eq!((&found["sort"], &found["preview"]), (&json!({}), &json!({})));
    assert_eq!(found["names"]["items"], json!({"type": "string"}));
}

#[test]
fn times_may_be_described_as_numbers_and_lists() {
    for (name, schema) in [
        ("milliseconds", json!({"type": "integer", "format": "int64"})),
        ("seconds", json!({"type": "number"})),
        ("parts", json!({"type": "array", "items": {"type": "integer"}})),
        (
            "class",
            json!({"type": "object", "properties": {"epochSecond": {"type": "integer"}, "nano": {"type": "integer"}}}),
        ),
        ("object", json!({"type": "object"})),
        ("text", json!({"type": "string", "format": "date"})),
    ] {
        let passed = accepted(name, |document| {
            document["components"]["schemas"]["Dossier"]["properties"]["dueDate"] = schema;
        });
        let dossier = model(&generated(&passed).client, "Dossier");
        assert_eq!(field(&dossier, "due_date").1, "::std::option::Option<crate::Timestamp>", "{name}");
    }
    // A request is written in one form, which the service has to take.
    let findings = changed(|document| {
        document["components"]["schemas"]["DossierRequest"]["properties"]["dueDate"] = json!({"type": "integer"});
    });
    assert!(
        findings.err().is_some_and(|all| all[0].contains("DossierRequest.dueDate is an integer instead of a string"))
    );
}

#[test]
fn a_body_of_which_nothing_is_said_is_taken_for_the_contracts() {
    for (name, schema) in [
        ("ResponseEntity<?>", json!({"type": "object"})),
        ("Map<String, Object>", json!({"type": "object", "additionalProperties": {"type": "object"}})),
        ("JsonNode", json!({})),
    ] {
        let passed = accepted(name, |document| {
            answer(&mut document["paths"]["/api/license"]["get"], json!({"*/*": {"schema": schema}}));
        });
        let note = passed.mapping.notes.iter().find(|note| note.starts_with("getLicense: License is not described"));
        assert!(
            note.is_some_and(|note| note.contains("assuming the contract's schema")),
            "{name}: {:#?}",
            passed.mapping.notes
        );
    }
    let passed = accepted("List<Object>", |document| {
        document["components"]["schemas"]["UserList"]["properties"]["users"] =
            json!({"type": "array", "items": {"type": "object"}});
    });
    assert!(generated(&passed).client.contains("pub users: ::std::vec::Vec<User>"));
}

#[test]
fn answers_may_lack_what_their_document_requires() {
    let passed = accepted("required", |document| {
        let audit = json!({"type": "object", "required": ["by", "count"], "properties": {"by": {"type": "string"}, "count": {"type": "integer"}}});
        document["components"]["schemas"]["Audit"] = audit;
        let license = &mut document["components"]["schemas"]["License"];
        license["properties"]["audit"] = json!({"$ref": "#/components/schemas/Audit"});
    });
    let source = generated(&passed).client;
    let audit = model(&source, "Audit");
    assert_eq!(field(&audit, "by").1, "::std::option::Option<::std::string::String>");
    assert_eq!(field(&audit, "count").1, "::std::option::Option<i64>");
    // What the facade can't do without stays.
    assert_eq!(field(&model(&source, "FileStatus"), "id").1, "crate::ids::FileId");
}

// Names that differ in case only.

#[test]
fn the_contracts_field_wins_over_others_of_the_same_letters() {
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
fn a_field_called_extra_does_not_take_the_place_of_unknown_fields() {
    let passed = accepted("extra", |document| {
        document["components"]["schemas"]["License"]["properties"]["extra"] = json!({"type": "integer"});
    });
    let license = model(&generated(&passed).client, "License");
    assert_eq!(field(&license, "extra").1, "::serde_json::Map<::std::string::String, ::serde_json::Value>");
    let (attributes, kind) = field(&license, "extra2");
    assert!(attributes.contains("rename = \"extra\"") && kind == "::std::option::Option<i64>", "{license}");
}

#[test]
fn the_contracts_parameter_wins_over_others_of_the_same_letters() {
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
fn the_contracts_value_schema_and_operation_win_over_others_of_the_same_letters() {
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

#[test]
fn a_reference_that_can_not_be_followed_is_reported_first_and_at_its_place() {
    for (reference, reason) in [
        ("#/components/schemas/Gone", "dangling reference"),
        ("#/components/schemas/licenseusage", "did you mean #/components/schemas/LicenseUsage?"),
        ("#/components/schema/License", "dangling reference"),
        ("#/components/schemas/License~2", "escape `~` as `~0`"),
        ("#/components/schemas/License/properties/none", "dangling reference"),
        ("#components/schemas/License", "a JSON pointer starts with `#/`"),
        ("#License", "a JSON pointer starts with `#/`"),
        ("#/info/title", "the target is not an object"),
        ("License", "#/components/schemas/License refers to a schema"),
        ("models.yaml#/License", "which is never followed"),
        ("../x.json", "which is never followed"),
        ("https://acme.example/models.json#/License", "nothing is fetched over https"),
        ("file:///etc/passwd", "nothing is fetched over file"),
    ] {
        let findings = changed(|document| {
            answer(
                &mut document["paths"]["/api/license"]["get"],
                json!({"application/json": {"schema": {"$ref": reference}}}),
            );
        });
        let findings = findings.err().unwrap_or_default();
        assert_eq!(findings.len(), 1, "{reference}: {findings:#?}");
        assert!(
            findings[0].starts_with("getLicense: ") && findings[0].contains(&format!(" reference {reference}")),
            "{findings:#?}"
        );
        assert!(findings[0].contains(reason), "{reason}: {findings:#?}");
        let place = "(/paths/~1api~1license/get/responses/200/content/application~1json/schema)";
        assert!(findings[0].ends_with(place), "{findings:#?}");
    }
}

#[test]
fn all_references_that_can_not_be_followed_come_at_once_before_other_findings() {
    let reference = |name: &str| json!({"$ref": format!("#/components/schemas/{name}")});
    let findings = changed(|document| {
        document["components"]["schemas"]["DownloadState"]["enum"] = json!(["QUEUED"]);
        document["components"]["schemas"]["Loop"] = reference("Loop");
        document["components"]["schemas"]["Whole"] = json!({"allOf": [reference("Lost"), {"type": "object"}]});
        let file = &mut document["components"]["schemas"]["FileStatus"]["properties"];
        file["one"] = json!({"type": "array", "items": reference("Missing")});
        document["components"]["responses"]["Shared"] =
            json!({"description": "", "content": {"application/json": {"schema": reference("Nobody")}}});
        document["paths"]["/api/license"]["get"]["responses"]["200"] = json!({"$ref": "#/components/responses/Shared"});
        document["paths"]["/api/users"]["get"]["parameters"] = json!([{"$ref": "#/components/parameters/None"}]);
        // Nobody reads these.
        document["paths"]["/api/users"]["get"]["responses"]["404"] = json!({"$ref": "#/components/responses/None"});
        document["components"]["responses"]["Unused"] =
            json!({"description": "", "content": {"application/json": {"schema": reference("Unread")}}});
    });
    let findings = findings.err().unwrap_or_default();
    let wanted = [
        "dangling reference #/components/schemas/Nobody (/components/responses/Shared/content/application~1json/schema)",
        "dangling reference #/components/schemas/Missing (/components/schemas/FileStatus/properties/one/items)",
        "cyclic reference #/components/schemas/Loop (/components/schemas/Loop)",
        "dangling reference #/components/schemas/Lost (/components/schemas/Whole/allOf/0)",
        "getUsers: dangling reference #/components/parameters/None (/paths/~1api~1users/get/parameters/0)",
    ];
    assert_eq!(findings[..wanted.len()], wanted, "{findings:#?}");
    assert!(findings.iter().any(|finding| finding.contains("READY")), "{findings:#?}");
    assert!(
        !findings.iter().any(|finding| finding.contains("Unread") || finding.contains("holds no object")),
        "{findings:#?}"
    );
}

#[test]
fn a_list_of_bad_references_ends() {
    let properties: serde_json::Map<String, Value> = (0..500)
        .map(|number| (format!("p{number}"), json!({"$ref": format!("#/components/schemas/No{number}")})))
        .collect();
    let findings = refused(&document(json!({}), json!({"A": {"type": "object", "properties": properties}})));
    let bad = findings.iter().filter(|finding| finding.contains("dangling reference")).count();
    assert!(bad == 50, "{bad}");
    assert!(findings.contains(&String::from("450 more references cannot be resolved ()")), "{findings:#?}");
}

// Texts that are no texts.

#[test]
fn numbers_where_texts_are_due_are_texts() {
    let yaml = "
openapi: 3.0
info: {title: 2024, version: 1.0, description: true}
tags: [{name: 7}]
paths:
  /a/{id}:
    get:
      operationId: 12
      tags: [7]
      summary: 3
      parameters:
        - {name: 1, in: query, schema: {type: string}}
        - {name: id, in: path, required: true, schema: {type: string}}
      responses:
        200:
          description: 4.50
          content:
            application/json:
              schema: {$ref: '#/components/schemas/A'}
components:
  schemas:
    A:
      type: object
      title: 2024-01-01
      required: [1, true]
      properties:
        1: {type: string, example: 2024-01-01}
        true: {type: string, default: 5}
        answer: {type: string, enum: [YES, NO, ON, 2, 3.5, true]}
";
    let document = crate::yaml::document(yaml, "t").expect("reads");
    for (pointer, wanted) in [
        ("/openapi", json!("3.0.0")),
        ("/info/title", json!("2024")),
        ("/info/version", json!("1.0")),
        ("/info/description", json!("true")),
        ("/tags/0/name", json!("7")),
        ("/paths/~1a~1{id}/get/operationId", json!("12")),
        ("/paths/~1a~1{id}/get/tags/0", json!("7")),
        ("/paths/~1a~1{id}/get/summary", json!("3")),
        ("/paths/~1a~1{id}/get/parameters/0/name", json!("1")),
        ("/paths/~1a~1{id}/get/responses/200/description", json!("4.5")),
        ("/components/schemas/A/title", json!("2024-01-01")),
        ("/components/schemas/A/required", json!(["1", "true"])),
        ("/components/schemas/A/properties/answer/enum", json!(["YES", "NO", "ON", "2", "3.5", "true"])),
    ] {
        assert_eq!(document.pointer(pointer), Some(&wanted), "{pointer}");
    }
    assert!(refused(&document).is_empty(), "{:#?}", refused(&document));
    // The same in JSON.
    let text = r#"{"openapi": 3.0, "info": {"title": 1, "version": 1.0}, "paths": {}}"#;
    let read = passes::read::json(text, "t").expect("reads");
    assert_eq!(read, json!({"openapi": "3.0.0", "info": {"title": "1", "version": "1.0"}, "paths": {}}));
    for version in ["3.0", "3.0.1", "3.0.4"] {
        assert!(refused(&json!({"openapi": version, "info": {"title": "t", "version": "1"}, "paths": {}})).is_empty());
    }
}

#[test]
fn a_document_of_version_3_1_is_read_as_one_of_3_0() {
    let mut given = with_operation(
        json!({"responses": {"200": {"description": "", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/A"}}}}}}),
        json!({"A": {"type": "object", "properties": {
            "text": {"type": ["string", "null"], "examples": ["a"]},
            "either": {"type": ["string", "integer"], "description": "d", "minLength": 2},
            "number": {"type": ["integer", "number"], "exclusiveMinimum": 0},
            "list": {"type": ["array", "null"], "items": {"type": "string"}, "prefixItems": [{"type": "string"}]},
            "fixed": {"const": "only"},
            "file": {"type": "string", "contentMediaType": "application/octet-stream"},
            "encoded": {"type": "string", "contentEncoding": "base64"},
            "anything": true,
            "maybe": {"anyOf": [{"$ref": "#/components/schemas/B"}, {"type": "null"}]},
            "told": {"$ref": "#/components/schemas/B", "description": "beside"},
        }}, "B": {"type": "object", "properties": {"b": {"type": "string"}}}}),
    );
    given["openapi"] = json!("3.1.0");
    given["jsonSchemaDialect"] = json!("https://json-schema.org/draft/2020-12/schema");
    given["webhooks"] = json!({"done": {"post": {}}});
    given["info"]["summary"] = json!("s");
    let read = passes::read::json(&given.to_string(), "t").expect("reads");
    assert_eq!(read["openapi"], "3.0.3");
    assert_eq!((read.get("webhooks"), read.get("jsonSchemaDialect")), (None, None));
    let properties = &read["components"]["schemas"]["A"]["properties"];
    for (name, wanted) in [
        ("text", json!({"type": "string", "nullable": true})),
        ("either", json!({"description": "d"})),
        ("number", json!({"type": "number", "minimum": 0, "exclusiveMinimum": true})),
        ("list", json!({"type": "array", "nullable": true, "items": {"type": "string"}})),
        ("fixed", json!({"enum": ["only"]})),
        ("file", json!({"type": "string", "format": "binary"})),
        ("encoded", json!({"type": "string", "format": "byte"})),
    ] {
        assert_eq!(properties[name], wanted, "{name}");
    }
    let found = passed(&given);
    assert_eq!(found["components"]["schemas"]["A"]["properties"]["anything"], json!({}));
    assert!(code::generate(&found).is_ok());
}

// The package.

#[test]
fn a_package_is_bytes_however_it_is_described() {
    let resource = json!({"type": "object", "properties": {
        "inputStream": {"type": "object"}, "description": {"type": "string"}, "open": {"type": "boolean"}, "readable": {"type": "boolean"},
        "file": {"type": "string", "format": "binary"}, "filename": {"type": "string"}, "uri": {"type": "string"}, "url": {"type": "string"},
    }});
    let any = "*/*";
    for (name, media_type, schema) in [
        ("Resource", any, resource.clone()),
        ("Resource as JSON", "application/json", resource.clone()),
        ("Resource as a ZIP", "application/zip", resource),
        ("StreamingResponseBody", any, json!({"type": "object"})),
        ("StreamingResponseBody as JSON", "application/json", json!({"type": "object"})),
        ("a map", any, json!({"type": "object", "additionalProperties": {"type": "object"}})),
        ("an object", "application/json", json!({"type": "object", "properties": {"url": {"type": "string"}}})),
        ("byte[]", any, json!({"type": "array", "items": {"type": "string", "format": "byte"}})),
        ("a list", "application/json", json!({"type": "array", "items": {"type": "integer"}})),
        ("base64", any, json!({"type": "string", "format": "byte"})),
        ("binary", any, json!({"type": "string", "format": "binary"})),
        ("binary as JSON", "application/json", json!({"type": "string", "format": "binary"})),
        ("a text", "application/json", json!({"type": "string"})),
        ("anything", any, json!({})),
    ] {
        for shared in [false, true] {
            let passed = accepted(name, |document| {
                let schema = if shared {
                    document["components"]["schemas"]["PackageFile"] = schema.clone();
                    json!({"$ref": "#/components/schemas/PackageFile"})
                } else {
                    schema.clone()
                };
                answer(&mut document["paths"][DOWNLOAD]["get"], json!({media_type: {"schema": schema}}));
            });
            let download = &passed.document["paths"][DOWNLOAD]["get"];
            let content = json!({"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}});
            assert_eq!(download["responses"]["2XX"]["content"], content, "{name}");
            let accept = download["x-accept"].as_str().unwrap_or_default();
            let wanted = match media_type {
                "application/zip" => accept == "application/zip, application/json",
                "application/json" => accept == "*/*",
                // A `*/*` with a form of JSON is called JSON first.
                _ => accept == "*/*" || accept == "application/json",
            };
            assert!(wanted, "{name}: {accept}");
            let method = &generated(&passed).client;
            assert!(method.contains("pub fn download_package("), "{name}");
        }
    }
}

// The form.

fn takes(document: &mut Value, body: Value) {
    upload(document)["requestBody"] = body;
}

#[test]
fn a_file_in_a_form_is_found_however_it_is_described() {
    let text = json!({"type": "string"});
    let binary = json!({"type": "string", "format": "binary"});
    let class = json!({"type": "object", "properties": {
        "name": text, "originalFilename": text, "empty": {"type": "boolean"}, "bytes": {"type": "string", "format": "byte"}, "size": {"type": "integer"},
        "inputStream": {"type": "object"}, "contentType": text, "resource": {"type": "object"},
    }});
    let form = |schema: Value| json!({"content": {"multipart/form-data": {"schema": schema}}});
    let with = |part: Value| json!({"type": "object", "required": ["file"], "properties": {"file": part}});
    let named = json!({"$ref": "#/components/schemas/MultipartFile"});
    for (name, body) in [
        ("binary", form(with(binary.clone()))),
        ("base64", form(with(json!({"type": "string", "format": "byte"})))),
        ("class", form(with(class.clone()))),
        ("named class", form(with(named.clone()))),
        ("list of files", form(with(json!({"type": "array", "items": binary})))),
        ("list of the class", form(with(json!({"type": "array", "items": named})))),
        ("wrapped", form(with(json!({"allOf": [named], "description": "d"})))),
        ("named form", form(json!({"$ref": "#/components/schemas/UploadForm"}))),
        ("called JSON", json!({"content": {"application/json": {"schema": with(binary.clone())}}})),
        ("called JSON, class", json!({"content": {"application/json": {"schema": with(named.clone())}}})),
        (
            "called JSON, list",
            json!({"content": {"application/json": {"schema": with(json!({"type": "array", "items": named}))}}}),
        ),
        ("any media type", json!({"content": {"*/*": {"schema": with(named.clone())}}})),
        ("the form is the file", form(named.clone())),
        ("nothing said", form(json!({"type": "object"}))),
        ("nothing said of the part", form(with(json!({})))),
        ("class without getters", form(with(json!({"type": "object"})))),
    ] {
        let passed = accepted(name, |document| {
            document["components"]["schemas"]["MultipartFile"] = class.clone();
            document["components"]["schemas"]["UploadForm"] = with(named.clone());
            takes(document, body);
        });
        let operation = &passed.document["paths"][UPLOAD]["post"];
        assert_eq!((&operation["x-part"], &operation["x-multipart"]), (&json!("file"), &json!(true)), "{name}");
    }
}

#[test]
fn a_description_of_a_file_is_no_file() {
    let text = json!({"type": "string"});
    for names in [vec!["name", "originalFilename", "contentType", "size"], vec!["submittedFileName", "contentType"]] {
        let properties: serde_json::Map<String, Value> =
            names.iter().map(|name| ((*name).to_owned(), text.clone())).collect();
        let passed = accepted("description", |document| {
            document["components"]["schemas"]["FileStatus"]["properties"]["upload"] =
                json!({"type": "object", "properties": properties});
        });
        let upload = passed.document["components"]["schemas"].to_string();
        assert!(upload.contains(names[0]) && !upload.contains("\"format\":\"binary\""), "{names:?}");
    }
}

#[test]
fn a_file_among_the_parameters_is_a_part_of_the_form() {
    let binary = json!({"type": "string", "format": "binary"});
    let class = json!({"type": "object", "properties": {"originalFilename": {"type": "string"}, "size": {"type": "integer"}, "inputStream": {"type": "object"}}});
    let dto = json!({"type": "object", "properties": {"document": binary, "keepManualChanges": {"type": "boolean"}}});
    for (name, part, parameter) in [
        ("binary", "file", json!({"name": "file", "in": "query", "required": true, "schema": binary})),
        (
            "list",
            "files",
            json!({"name": "files", "in": "query", "required": true, "schema": {"type": "array", "items": binary}}),
        ),
        ("class", "file", json!({"name": "file", "in": "query", "required": true, "schema": class})),
        (
            "named class",
            "upload",
            json!({"name": "upload", "in": "query", "schema": {"$ref": "#/components/schemas/MultipartFile"}}),
        ),
        (
            "an object with a file in it",
            "document",
            json!({"name": "dto", "in": "query", "required": true, "schema": dto}),
        ),
        ("form data", "file", json!({"name": "file", "in": "formData", "required": true, "type": "file"})),
    ] {
        let passed = accepted(name, |document| {
            document["components"]["schemas"]["MultipartFile"] = class.clone();
            let operation = upload(document).as_object_mut().expect("an operation");
            operation.remove("requestBody");
            operation["parameters"].as_array_mut().expect("parameters").push(parameter);
        });
        let operation = &passed.document["paths"][UPLOAD]["post"];
        assert_eq!((&operation["x-part"], &operation["x-multipart"]), (&json!(part), &json!(true)), "{name}");
        let parameters = operation["parameters"].to_string();
        assert!(!parameters.contains(&format!("\"{part}\"")), "{name}: {parameters}");
    }
    // With a form beside it, the file is one part more.
    let found = passed(&with_operation(
        json!({
            "parameters": [{"name": "file", "in": "query", "schema": binary}],
            "requestBody": {"content": {"multipart/form-data": {"schema": {"type": "object", "properties": {"note": {"type": "string"}}}}}},
        }),
        json!({}),
    ));
    assert_eq!(found["paths"]["/x"]["get"]["x-multipart"], json!(true));
}

#[test]
fn the_flag_of_an_upload_is_sent_where_the_document_has_it() {
    let flag = json!({"type": "boolean"});
    for (name, part, required, schema) in [
        ("required", "keepManualChanges", true, flag.clone()),
        ("optional", "keepManualChanges", false, flag.clone()),
        ("a text", "keepManualChanges", true, json!({"type": "string"})),
        ("another spelling", "keep_manual_changes", true, flag.clone()),
    ] {
        let passed = accepted(name, |document| {
            let operation = upload(document);
            operation["parameters"] = json!([]);
            let required = if required { json!(["file", part]) } else { json!(["file"]) };
            let form = json!({"type": "object", "required": required, "properties": {"file": {"type": "string", "format": "binary"}, part: schema}});
            operation["requestBody"] = json!({"content": {"multipart/form-data": {"schema": form}}});
        });
        let generated = generated(&passed);
        let default = if required { "Some(\"false\")" } else { "None" };
        let row = format!("parts: &[(\"keepManualChanges\", {part:?}, {default})]");
        assert!(generated.operations.contains(&row), "{name}: {row} not in {}", generated.operations);
        // The raw client does not send it in the query.
        assert!(generated.operations.contains("missing_query: &[(\"keepManualChanges\", Some(\"false\"))]"), "{name}");
        assert!(generated.client.contains("pub fn keep_manual_changes<"), "{name}");
    }
    for (name, header) in [("the same", "keepManualChanges"), ("another", "X-Keep-Manual-Changes")] {
        let passed = accepted(name, |document| {
            upload(document)["parameters"] =
                json!([{"name": header, "in": "header", "required": true, "schema": flag}]);
        });
        let parameters = passed.document["paths"][UPLOAD]["post"]["parameters"].as_array().cloned().unwrap_or_default();
        let found = parameters.iter().find(|parameter| parameter["name"] == "keepManualChanges").expect("is there");
        assert_eq!(found["in"], "header", "{name}");
        assert!(header == "keepManualChanges" || found["x-wire-name"] == header, "{name}: {found}");
        assert!(generated(&passed).client.contains("keep_manual_changes: Result<Option<bool>, String>"), "{name}");
    }
    // In the query and, optionally, in the form: the query is what we know.
    let passed = accepted("both", |document| {
        let form = json!({"type": "object", "properties": {"file": {"type": "string", "format": "binary"}, "keepManualChanges": flag}});
        upload(document)["requestBody"] = json!({"content": {"multipart/form-data": {"schema": form}}});
    });
    assert!(generated(&passed).operations.contains("parts: &[] }"));
}

// Paths.

#[test]
fn a_path_is_found_with_patterns_slashes_and_stars() {
    for (from, to) in [
        ("{downloadId}", "{downloadId:.+}"),
        ("{downloadId}", "{downloadId:[a-f0-9-]{36}}"),
        ("{downloadId}", "{downloadId:[^/{}]+}"),
        ("{downloadId}", "{downloadId:(?:[a-z]{8})-[0-9]{1,4}}"),
        ("{downloadId}", "{id:a|b}"),
        ("{downloadId}", "{*downloadId}"),
        ("{downloadId}", "{downloadId*}"),
        ("{downloadId}", "{ downloadId }"),
        ("/download\"", "/download/\""),
        ("/api/downloads", "/api//downloads"),
        ("/api/downloads", "//api/downloads"),
    ] {
        let text = vendored();
        let paths = text.replace(from, to);
        assert!(paths != text, "{from}");
        // The names of the parameters stay what they were.
        let document = passes::read::json(
            &paths.replace(&format!("\"name\": \"{}\"", to.trim_matches(['{', '}'])), "\"name\": \"downloadId\""),
            "t",
        );
        let document = document.unwrap_or_else(|error| panic!("{to}: {error}"));
        let passed = built(&document.to_string()).unwrap_or_else(|findings| panic!("{to}: {findings:#?}"));
        let place = passed.mapping.operations["downloadPackage"].location.as_ref().expect("is there");
        assert_eq!(place.wire.trim_end_matches('/'), DOWNLOAD, "{to}");
    }
}

#[test]
fn a_template_that_can_not_be_read_stays_for_the_lint() {
    for (path, plain) in [
        ("/a/{id:[0-9]{2}}/b/{name}", Some("/a/{id}/b/{name}")),
        ("/a{?page,size}", Some("/a")),
        ("/a/{id", None),
        ("/a/{:x}", None),
        ("/a/{id:[0-9]{2}", None),
        ("/a/{id}.json", Some("/a/{id}.json")),
        ("/a///b", Some("/a/b")),
    ] {
        assert_eq!(passes::normalize::plain_path(path).as_deref(), plain, "{path}");
    }
    // Two paths that become one are joined where they can be.
    let operation = |id: &str| json!({"operationId": id, "responses": {"204": {"description": ""}}});
    let found = passed(&document(
        json!({"/a/{id:.+}": {"get": operation("getA")}, "/a/{id}": {"put": operation("putA")}}),
        json!({}),
    ));
    let methods: Vec<&String> =
        found["paths"]["/a/{id}"].as_object().into_iter().flatten().map(|(key, _)| key).collect();
    assert_eq!(methods, ["get", "put"]);
}

#[test]
fn extensions_may_stand_at_every_level() {
    let plain = generated(&accepted("ours", |_| {}));
    let passed = accepted("extensions", |document| {
        let note = json!({"$ref": "#/nowhere", "get": {"responses": {}}, "type": "what"});
        passes::tree::visit_all(document, &mut |_, object, _| {
            object.insert(String::from("x-note"), note.clone());
        });
        document["paths"]["x-note"] = note.clone();
        for item in document["paths"].as_object_mut().expect("paths").values_mut() {
            for method in passes::tree::METHODS {
                if let Some(operation) = item.get_mut(method) {
                    operation["responses"]["x-note"] = note.clone();
                    if let Some(body) = operation.get_mut("requestBody") {
                        body["content"]["x-note"] = note.clone();
                    }
                }
            }
        }
        for section in ["responses", "parameters"] {
            document["components"][section]["x-note"] = note.clone();
        }
        document["components"]["x-note"] = note.clone();
        document["servers"] = json!([{"url": "/", "x-note": note}]);
    });
    assert!(generated(&passed).client == plain.client, "the client depends on extensions");
}
