//! Schemas of Java tools, and bodies without a description.

use super::*;

#[test]
fn maps_object_without_description_to_any_json() {
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
fn accepts_any_values_in_map_of_java_objects() {
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
fn maps_classes_with_custom_serialisers_to_any_json() {
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
fn maps_lists_of_bytes_and_sort_orders_to_any_json() {
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
fn accepts_times_declared_as_numbers_or_lists() {
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
fn uses_contract_for_body_without_description() {
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
fn accepts_responses_without_required_fields() {
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
