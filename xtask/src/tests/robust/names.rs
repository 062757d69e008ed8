//! Names that meet, hide something, or are no identifiers; and that the service still gets its own.

use serde_json::{Value, json};

use super::{client, code, document, marked, passed, with_operation};

fn operation(id: &str) -> Value {
    json!({"operationId": id, "responses": {"204": {"description": ""}}})
}

fn ids(document: &Value) -> Vec<String> {
    let items = document["paths"].as_object().into_iter().flatten();
    let operations = items.flat_map(|(_, item)| item.as_object().cloned().unwrap_or_default());
    operations.filter_map(|(_, it)| it["x-operation-id"].as_str().map(String::from)).collect()
}

#[test]
fn operations_have_distinct_names() {
    let given = document(
        json!({
            "/a": {"get": operation("getFile")}, "/b": {"get": operation("get_file")}, "/c": {"get": operation("get_1")},
            "/d": {"get": operation("get1")}, "/e": {"get": operation("new")}, "/f": {"get": operation("byteStream")},
            "/g": {"get": operation("from")}, "/h": {"get": operation("文件")}, "/i/{id}/x": {"get": {"responses": {}}, "post": operation("")},
            "/j": {"get": operation("#![x]\n*/ `\"#")}, "/k": {"get": operation("Self")}, "/l": {"get": operation("1st")},
        }),
        json!({}),
    );
    let source = client(&given);
    let found = ids(&passed(&given));
    assert_eq!(found[..8], ["getFile", "get_file2", "get_1", "get12", "new2", "byteStream2", "from2", "getH"]);
    assert_eq!(found[8..10], ["getIByIdX", "postIByIdX"]);
    for method in ["get_file(", "get_file2(", "new2(", "get_i_by_id_x(", "self_(", "x1st("] {
        assert_eq!(source.matches(&format!("pub fn {method}&self")).count(), 1, "{method}");
    }
}

#[test]
fn names_of_the_contract_take_precedence() {
    let given = document(
        json!({"/a": {"get": operation("getFile")}, "/z": {"get": operation("get_file")}}),
        json!({"Dossier": {"type": "object"}, "dossier": {"type": "object", "properties": {"a": {"type": "string"}}}}),
    );
    let found = marked(&given, |document| {
        document["paths"]["/z"]["get"]["x-canonical"] = json!(true);
        document["components"]["schemas"]["dossier"]["x-canonical"] = json!(true);
    });
    assert_eq!(ids(&found), ["getFile2", "get_file"]);
    let schemas = &found["components"]["schemas"];
    assert!(schemas["dossier"].get("properties").is_some());
    assert!(schemas.get("Dossier2").is_some(), "{schemas}");
    // A document can't take the mark itself.
    let mut forged = given.clone();
    forged["paths"]["/z"]["get"]["x-canonical"] = json!(true);
    forged["components"]["schemas"]["Evil"] = json!({"type": "string", "x-replace": "std::process::exit", "x-rust-type": {"crate": "evil", "version": "1", "path": "evil::T"}});
    assert_eq!(ids(&passed(&forged)), ["getFile", "get_file2"]);
    assert!(!client(&forged).contains("process::exit"));
}

#[test]
fn alternative_format_gets_an_unused_name() {
    let both = json!({"200": {"description": "", "content": {"application/json": {"schema": {"type": "string"}}, "application/xml": {}}}});
    let given = document(
        json!({"/a": {"get": {"operationId": "get", "responses": both}}, "/b": {"get": operation("get_xml")}}),
        json!({}),
    );
    client(&given);
    assert_eq!(passed(&given)["paths"]["/a#xml"]["get"]["operationId"], "get_xml2");
}

#[test]
fn schemas_have_distinct_names_and_references_follow() {
    let model = |property: &str| json!({"type": "object", "properties": {property: {"type": "string"}}});
    let given = document(
        json!({}),
        json!({
            "GetFile": model("a"), "getFile": model("b"), "string": model("c"), "": model("d"), "a/b": model("e"), "Page«X»": model("f"),
            "🦀": model("g"), "User": {"type": "object", "properties": {
                "a": {"$ref": "#/components/schemas/getFile"}, "b": {"$ref": "#/components/schemas/string"},
                "c": {"$ref": "#/components/schemas/a~1b"}, "d": {"$ref": "#/components/schemas/Page%C2%ABX%C2%BB"}, "e": {"$ref": "#/components/schemas/"},
            }},
        }),
    );
    let source = client(&given);
    for field in [
        "a: ::std::option::Option<GetFile2>",
        "b: ::std::option::Option<String2>",
        "c: ::std::option::Option<AB>",
        "d: ::std::option::Option<PageX>",
        "e: ::std::option::Option<Unnamed>",
    ] {
        assert!(source.contains(&format!("pub {field}")), "{field}: {source}");
    }
}

/// Returns the source before the field `name` of the struct `model`.
fn attributes(source: &str, model: &str, name: &str) -> String {
    let start = source.find(&format!("pub struct {model} ")).expect("the struct is there");
    let rest = &source[start..];
    let at = rest.find(&format!("pub {name}:")).unwrap_or_else(|| panic!("no field {name}: {rest}"));
    let before = &rest[..at];
    before[before.rfind("#[serde").unwrap_or(0)..].to_owned()
}

#[test]
fn colliding_properties_keep_their_wire_names() {
    let text = json!({"type": "string"});
    let list = json!({"type": "array", "items": {"type": "string"}});
    let given = document(
        json!({}),
        json!({"A": {
            "type": "object", "required": ["user_name", "Type"], "additionalProperties": {"type": "string"},
            "properties": {
                "userName": list, "user_name": list, "UserName": text, "": text, "-": text, "1st": text, "type": text, "Type": text,
                "🦀": text, "a\"b": text, "x*/y": text, "extra": text, "\u{202e}": text, "line\nbreak": text,
            },
        }}),
    );
    let source = client(&given);
    for (field, wire) in [
        ("user_name", "UserName"),
        ("user_name2", "userName"),
        ("user_name3", "user_name"),
        ("type_", "Type"),
        ("type2", "type"),
        ("empty", ""),
        ("x", "-"),
        ("x1st", "1st"),
        ("extra2", "extra"),
        ("a_b", "a\\\"b"),
        ("line_break", "line\\nbreak"),
    ] {
        let found = attributes(&source, "A", field);
        assert!(found.contains(&format!("rename = \"{wire}\"")), "{field}: {found}");
        assert_eq!(found.matches("rename").count(), 1, "{field}: {found}");
    }
    let list = attributes(&source, "A", "user_name3");
    assert!(list.contains("crate::scalars::read") && list.contains("default"), "{list}");
    assert!(source.contains("\\u{202e}") && !source.contains('\u{202e}'), "{source}");
}

#[test]
fn fields_can_have_other_wire_names_and_aliases() {
    let given = document(
        json!({}),
        json!({"File": {"type": "object", "required": ["id", "must"], "properties": {
            "id": {"type": "string"}, "must": {"type": "array", "items": {"type": "string"}}, "may": {"type": "string"}, "someName": {"type": "integer"},
        }}}),
    );
    let found = marked(&given, |document| {
        let schema = &mut document["components"]["schemas"]["File"];
        schema["x-canonical"] = json!(true);
        schema["x-wire-names"] = json!({"id": "fileId", "must": "mustList", "someName": "other"});
        schema["x-read-also"] = json!({"id": ["id", "_id"], "may": ["might"]});
    });
    let generated = code::generate(&found).unwrap_or_else(|reasons| panic!("{reasons:#?}"));
    let source = generated.client;
    for (field, options) in [
        ("id", vec!["rename = \"fileId\"", "alias = \"id\"", "alias = \"_id\""]),
        ("must", vec!["rename = \"mustList\"", "crate::scalars::read", "default"]),
        ("may", vec!["alias = \"might\"", "skip_serializing_if"]),
        ("some_name", vec!["rename = \"other\"", "skip_serializing_if"]),
    ] {
        let found = attributes(&source, "File", field);
        for option in options {
            assert!(found.contains(option), "{field}: {option} not in {found}");
        }
        assert!(!found.contains("someName"), "{found}");
    }
    assert!(generated.counts.contains(&("wire_names", 6)), "{:?}", generated.counts);
    let missing = marked(&given, |document| {
        document["components"]["schemas"]["File"]["x-wire-names"] = json!({"gone": "x"});
    });
    let reasons = code::generate(&missing).err().unwrap_or_default();
    assert_eq!(reasons, ["code pass wire_names: the struct `File` has no field for `gone`"]);
}

#[test]
fn colliding_parameters_keep_their_wire_names() {
    let query = |name: &str| json!({"name": name, "in": "query", "schema": {"type": "string"}});
    let header = |name: &str, required: bool| json!({"name": name, "in": "header", "required": required, "schema": {"type": "string"}});
    let given = document(
        json!({"/x/{id}/{a b}/{client}": {"post": {"operationId": "sendIt", "responses": {}, "requestBody": {"content": {"application/json": {}}}, "parameters": [
            query("id"), query("body"), query("send"), query("client"), query("userName"), query("user_name"), query("🦀"), query("header_map"),
            query("self"), query("encodePath"), query("new"), query("type"), query("1st"), query("x\"y"), header("user-name", true), header("ID", false),
        ]}}}),
        json!({}),
    );
    let source = client(&given);
    for (wire, field) in [
        ("id", "id2"),
        ("body", "body2"),
        ("send", "send2"),
        ("userName", "user_name"),
        ("user_name", "user_name2"),
        ("🦀", "value"),
        ("header_map", "header_map2"),
        ("self", "self_"),
        ("encodePath", "encode_path2"),
        ("new", "new2"),
        ("type", "type_"),
        ("1st", "x1st"),
        ("x\\\"y", "x_y"),
    ] {
        let sent = format!("progenitor_client::QueryParam::new(\"{wire}\", &{field})");
        let sent_wide = source.replace(char::is_whitespace, "");
        assert!(sent_wide.contains(&sent.replace(char::is_whitespace, "").replace(",)", ")")), "{sent}: {source}");
    }
    assert!(source.contains("\"user-name\"") && source.contains("\"ID\""), "{source}");
    assert!(source.contains("`/x/{id}/{a b}/{client2}`"), "{source}");
    let id = passed(&given)["paths"]["/x/{id}/{a b}/{client2}"]["post"]["x-operation-id"].clone();
    assert_eq!(id, "sendIt");
}

#[test]
fn encodes_paths_as_urls() {
    let given = document(json!({"/a/**/b c/\"`<ü>\\/{x}": {"get": operation("getX")}}), json!({}));
    let source = client(&given);
    assert!(source.contains("/a/%2A%2A/b%20c/%22%60%3C%C3%BC%3E%5C/{}"), "{source}");
}

#[test]
fn values_of_enums_that_are_no_identifiers_have_variants() {
    let values = json!(["²", "ⓐ", "文", "é", "e\u{301}", "\u{202e}", "*/", "", " ", "Self", "\n"]);
    let given = with_operation(json!({}), json!({"Kind": {"type": "string", "enum": values}}));
    let enums = code::generate(&passed(&given)).map(|generated| generated.enums).expect("generates");
    for line in enums.lines().filter(|line| line.contains(" = \"") && line.ends_with(',')) {
        let name = line.split('=').next().unwrap_or_default().trim();
        assert!(syn::parse_str::<syn::Ident>(name).is_ok(), "{line}");
    }
    assert!(!enums.contains('\u{202e}'), "{enums}");
}
