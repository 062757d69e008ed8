//! Two documents for each line of the table: what is edited in which, and what is told of it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::super::rules::RULES;
use super::{base, compared, compared_with, contract, edit, line, thing_id};

/// An edit of the old document (`-`) or the new one (`+`): pointer and value.
type Edit = (char, &'static str, Value);

const OTHER: &str = "POST /api/other/{key}";
const GET_THINGS: &str = "/paths/~1api~1things/get";
const GET_THING: &str = "/paths/~1api~1things~1{thingId}/get";
const PUT_THING: &str = "/paths/~1api~1things~1{thingId}/put";
const GET_FILE: &str = "/paths/~1api~1things~1{thingId}~1file/get";
const SEND_FILE: &str = "/paths/~1api~1things~1{thingId}~1file/post";
const GUESS: &str = "/paths/~1api~1guess/get";
const POST_OTHER: &str = "/paths/~1api~1other~1{key}/post";
const SCHEMAS: &str = "/components/schemas";

/// `$T` and the like stand for the pointers above.
fn pointer(short: &str) -> String {
    let full = [
        ("$THINGS", GET_THINGS),
        ("$THING", GET_THING),
        ("$PUT", PUT_THING),
        ("$FILE", GET_FILE),
        ("$SEND", SEND_FILE),
        ("$GUESS", GUESS),
        ("$OTHER", POST_OTHER),
        ("$S", SCHEMAS),
    ];
    let found = full.iter().find_map(|(name, full)| {
        let rest = short.strip_prefix(name)?;
        (rest.is_empty() || rest.starts_with('/')).then(|| format!("{full}{rest}"))
    });
    found.unwrap_or_else(|| short.to_owned())
}

#[expect(clippy::too_many_lines, reason = "a table")]
fn cases() -> Vec<(Vec<Edit>, Vec<String>)> {
    let n = Value::Null;
    let text = json!({"type": "string"});
    let required = |names: &[&str]| json!(names);
    let query = |name: &str, required: bool| json!({"name": name, "in": "query", "required": required, "schema": {"type": "string"}});
    let one = |operation: &'static str, lines: &[&str]| -> Vec<String> {
        lines
            .iter()
            .map(|line| {
                let (beginning, place) = line.split_once(':').unwrap_or((line, ""));
                format!("{beginning} {operation}:{}", if place.is_empty() { " " } else { place })
            })
            .collect()
    };
    let whole = |lines: &[&str]| one("-", lines);
    vec![
        // The document
        (vec![('+', "/info/title", json!("Stuff"))], whole(&["none title: title"])),
        (vec![('+', "/info/version", json!("2"))], whole(&["none version: version"])),
        (vec![('+', "/openapi", json!("3.0.1"))], whole(&["none open-api: openapi"])),
        (vec![('+', "/servers/0/url", json!("https://elsewhere.example"))], whole(&["none servers: servers"])),
        (vec![('+', "/servers/0/url", json!("https://things.example/v2"))], whole(&["none servers: servers"])),
        (vec![('+', "/servers/0/url", json!("https://things.example/{x}"))], whole(&["none servers: servers"])),
        (vec![('+', "/tags/-", json!({"name": "new"}))], whole(&["none tag-gained: tags"])),
        (vec![('+', "/tags/0", n.clone())], whole(&["none tag-lost: tags"])),
        // Security
        (
            vec![('+', "/components/securitySchemes/basic", json!({"type": "http", "scheme": "basic"}))],
            whole(&["none scheme-gained: security scheme basic"]),
        ),
        (vec![('+', "/components/securitySchemes/key", n.clone())], whole(&["none scheme-lost: security scheme key"])),
        (
            vec![(
                '+',
                "/components/securitySchemes/oauth/flows/authorizationCode/tokenUrl",
                json!("https://other.example"),
            )],
            whole(&["none scheme-other: security scheme oauth"]),
        ),
        (vec![('+', "$OTHER/security", json!([{"key": []}]))], one(OTHER, &["raw unmet: security"])),
        (vec![('+', "$THING/security", json!([{"key": []}]))], one("getThing", &["caller unmet: security"])),
        (
            vec![('+', "$OTHER/security", json!([{"oauth": ["openid", "admin"]}]))],
            one(OTHER, &["raw scopes: security"]),
        ),
        (
            vec![('+', "$THING/security", json!([{"oauth": ["openid", "admin"]}]))],
            one("getThing", &["caller scopes: security"]),
        ),
        (vec![('+', "$THING/security", json!([]))], one("getThing", &["none requirement: security"])),
        (
            vec![('+', "/security", json!([{"oauth": ["all"]}]))],
            vec![
                String::from("caller scopes getFile: security"),
                String::from("raw scopes POST /api/other/{key}: security"),
            ],
        ),
        // Operations
        (
            vec![('+', "/paths/~1api~1new", json!({"get": {"operationId": "new2", "responses": {}}}))],
            one("GET /api/new", &["none operation-new"]),
        ),
        (vec![('-', "/paths/~1api~1things", n.clone())], one("getThings", &["none operation-new"])),
        (vec![('+', "/paths/~1api~1other~1{key}", n.clone())], one(OTHER, &["raw operation-gone"])),
        (vec![('+', "/paths/~1api~1guess", n.clone())], one("getGuess", &["caller operation-gone"])),
        (vec![('+', "/paths/~1api~1things", n.clone())], one("getThings", &["facade operation-gone"])),
        (vec![('+', "$OTHER/operationId", json!("another"))], one(OTHER, &["raw operation-renamed"])),
        (vec![('+', "$THING/operationId", json!("another"))], one("getThing", &["none operation-renamed"])),
        (vec![('+', "$OTHER/tags", json!(["x"]))], one(OTHER, &["none operation-tag"])),
        (vec![('+', "$OTHER/deprecated", json!(true))], one(OTHER, &["none deprecated"])),
        (vec![('-', "$OTHER/deprecated", json!(true))], one(OTHER, &["none not-deprecated"])),
        (vec![('+', "$THINGS/x-paging", json!({"form": "page"}))], one("getThings", &["none paging"])),
        (vec![('+', "$OTHER/servers", json!([{"url": "https://elsewhere.example"}]))], one(OTHER, &["none servers"])),
        // Parameters
        (vec![('+', "$OTHER/parameters/-", query("x", false))], one(OTHER, &["none parameter-new: query x"])),
        (vec![('-', "$THINGS/parameters/0", n.clone())], one("getThings", &["none parameter-new: query includeOld"])),
        (vec![('+', "$OTHER/parameters/-", query("x", true))], one(OTHER, &["raw parameter-new-required: query x"])),
        (
            vec![('+', "$THINGS/parameters/-", query("x", true))],
            one("getThings", &["facade parameter-new-required: query x"]),
        ),
        (
            vec![(
                '+',
                "$OTHER/parameters/-",
                json!({"name": "c", "in": "cookie", "required": true, "schema": {"type": "string"}}),
            )],
            one(OTHER, &["raw parameter-cookie: cookie c"]),
        ),
        (
            vec![(
                '+',
                "$THINGS/parameters/-",
                json!({"name": "c", "in": "cookie", "required": true, "schema": {"type": "string"}}),
            )],
            one("getThings", &["caller parameter-cookie: cookie c"]),
        ),
        (
            vec![(
                '+',
                "$THINGS/parameters/-",
                json!({"name": "X-Tenant-Id", "in": "header", "required": true, "schema": {"type": "string"}}),
            )],
            one("getThings", &["none parameter-transport: header x-tenant-id"]),
        ),
        (vec![('+', "$OTHER/parameters/1", n.clone())], one(OTHER, &["raw parameter-gone: query q"])),
        (vec![('+', "$OTHER/parameters/2", n.clone())], one(OTHER, &["raw parameter-gone: header x-trace"])),
        (
            vec![('+', "$THINGS/parameters/0", n.clone())],
            one("getThings", &["caller parameter-gone: query includeOld"]),
        ),
        (
            vec![('+', "$THINGS/parameters/0/name", json!("include_old"))],
            one("getThings", &["none parameter-mapped: query include_old"]),
        ),
        (
            vec![
                ('-', "/paths/~1api~1last~1{a}", json!({"get": {"parameters": [], "responses": {}}})),
                ('+', "/paths/~1api~1last~1{b}", json!({"get": {"parameters": [], "responses": {}}})),
            ],
            one("GET /api/last/{b}", &["raw parameter-renamed: path b"]),
        ),
        (vec![('+', "$OTHER/parameters/1/required", json!(true))], one(OTHER, &["raw parameter-required: query q"])),
        (
            vec![('+', "$THINGS/parameters/1/required", json!(true))],
            one("getThings", &["facade parameter-required: query further"]),
        ),
        (
            vec![('+', "$THINGS/parameters/0/required", json!(true))],
            one("getThings", &["caller parameter-required: query includeOld"]),
        ),
        (vec![('-', "$OTHER/parameters/1/required", json!(true))], one(OTHER, &["none parameter-optional: query q"])),
        (
            vec![('+', "$OTHER/parameters/1/style", json!("pipeDelimited"))],
            one(OTHER, &["raw parameter-form: query q"]),
        ),
        (
            vec![('+', "$THINGS/parameters/0/explode", json!(false))],
            one("getThings", &["none parameter-form: query includeOld"]),
        ),
        (vec![('+', "$OTHER/parameters/1/schema/type", json!("integer"))], one(OTHER, &["raw request-type: query q"])),
        (
            vec![('+', "$THINGS/parameters/0/schema/type", json!("string"))],
            one("getThings", &["facade request-type-refused: query includeOld"]),
        ),
        (
            vec![('+', "$THINGS/parameters/0/schema/default", json!(true))],
            one("getThings", &["caller request-default: query includeOld"]),
        ),
        // Bodies
        (vec![('-', "$OTHER/requestBody", n.clone())], one(OTHER, &["none body-new: body"])),
        (
            vec![('-', "$OTHER/requestBody", n.clone()), ('+', "$OTHER/requestBody/required", json!(true))],
            one(OTHER, &["raw body-new-required: body"]),
        ),
        (
            vec![('+', "$GUESS/requestBody", json!({"required": true, "content": {}}))],
            one("getGuess", &["facade body-new-required: body"]),
        ),
        (vec![('+', "$OTHER/requestBody", n.clone())], one(OTHER, &["raw body-gone: body"])),
        (vec![('+', "$PUT/requestBody", n.clone())], one("putThing", &["facade body-gone: body"])),
        (
            vec![
                ('-', "$GUESS/requestBody", json!({"content": {}})),
                ('+', "$GUESS/requestBody", json!({"content": {}, "required": true})),
            ],
            one("getGuess", &["facade body-required: body"]),
        ),
        (vec![('+', "$OTHER/requestBody/required", json!(true))], one(OTHER, &["raw body-required: body"])),
        (vec![('-', "$OTHER/requestBody/required", json!(true))], one(OTHER, &["none body-optional: body"])),
        (vec![('-', "$PUT/requestBody/required", n.clone())], one("putThing", &["none body-required: body"])),
        (
            vec![('+', "$OTHER/requestBody/content/text~1plain", json!({"schema": {"type": "string"}}))],
            one(OTHER, &["none body-type-gained: body"]),
        ),
        (vec![('+', "$OTHER/requestBody/content/text~1csv", n.clone())], one(OTHER, &["raw body-type-lost: body"])),
        (vec![('+', "$PUT/requestBody/content/text~1csv", n.clone())], one("putThing", &["raw body-type-lost: body"])),
        (
            vec![('+', "$PUT/requestBody/content/application~1json", n.clone())],
            one("putThing", &["facade body-type-lost: body"]),
        ),
        // What goes into a request
        (vec![('+', "$S/OtherRequest/properties/x", text.clone())], one(OTHER, &["none request-field-new: body x"])),
        (
            vec![('+', "$S/OtherRequest/properties/x", text.clone()), ('+', "$S/OtherRequest/required/-", json!("x"))],
            one(OTHER, &["raw request-field-new-required: body x"]),
        ),
        (
            vec![('+', "$S/ThingRequest/properties/x", text.clone()), ('+', "$S/ThingRequest/required/-", json!("x"))],
            one("putThing", &["facade request-field-new-required: body x"]),
        ),
        (vec![('+', "$S/OtherRequest/properties/mood", n.clone())], one(OTHER, &["raw request-field-gone: body mood"])),
        (
            vec![('+', "$S/ThingRequest/properties/more", n.clone())],
            one("putThing", &["raw request-field-gone: body more"]),
        ),
        (
            vec![('+', "$S/ThingRequest/properties/color", n.clone())],
            one("putThing", &["caller request-field-gone: body color"]),
        ),
        (
            vec![('+', "$S/ThingRequest/properties/name", n.clone()), ('+', "$S/ThingRequest/required", required(&[]))],
            one("putThing", &["facade request-field-gone: body name"]),
        ),
        (
            vec![
                ('+', "$S/ThingRequest/properties/color", n.clone()),
                ('+', "$S/ThingRequest/properties/Color", json!({"type": "string", "maxLength": 7})),
            ],
            one("putThing", &["none request-field-mapped: body Color"]),
        ),
        (
            vec![
                ('+', "$SEND/requestBody/content/multipart~1form-data/schema/properties/file", n.clone()),
                (
                    '+',
                    "$SEND/requestBody/content/multipart~1form-data/schema/properties/data",
                    json!({"type": "string", "format": "binary"}),
                ),
            ],
            one("sendFile", &["none request-field-mapped: body data"]),
        ),
        (
            vec![('+', "$SEND/requestBody/content/multipart~1form-data/schema/properties/file/format", json!("uri"))],
            one("sendFile", &["facade request-field-gone: body file"]),
        ),
        (
            vec![('+', "$SEND/requestBody/content/multipart~1form-data/schema/required", json!(["note"]))],
            one("sendFile", &["facade request-required: body note"]),
        ),
        (vec![('+', "$S/OtherRequest/required/-", json!("mood"))], one(OTHER, &["raw request-required: body mood"])),
        (
            vec![('+', "$S/ThingRequest/required/-", json!("more"))],
            one("putThing", &["facade request-required: body more"]),
        ),
        (
            vec![('+', "$S/ThingRequest/required/-", json!("color"))],
            one("putThing", &["caller request-required: body color"]),
        ),
        (
            vec![('-', "$S/ThingRequest/required", required(&[]))],
            one("putThing", &["none request-required: body name"]),
        ),
        (vec![('+', "$S/OtherRequest/required", required(&[]))], one(OTHER, &["none request-optional: body sure"])),
        (
            vec![('+', "$S/OtherRequest/properties/mood/nullable", json!(true))],
            one(OTHER, &["none request-nullable: body mood"]),
        ),
        (
            vec![('+', "$S/OtherRequest/properties/perhaps/nullable", n.clone())],
            one(OTHER, &["raw request-not-nullable: body perhaps"]),
        ),
        (
            vec![('-', "$S/ThingRequest/properties/color/nullable", json!(true))],
            one("putThing", &["none request-not-nullable: body color"]),
        ),
        (
            vec![('+', "$S/OtherRequest/properties/sure/type", json!("integer"))],
            one(OTHER, &["raw request-type: body sure"]),
        ),
        (
            vec![('+', "$S/ThingRequest/properties/color/format", json!("color"))],
            one("putThing", &["none request-type: body color"]),
        ),
        (
            vec![('+', "$S/ThingRequest/properties/kind/type", json!("integer"))],
            one("putThing", &["caller request-type-follows: body kind"]),
        ),
        (
            vec![('+', "$S/ThingRequest/properties/color/type", json!("integer"))],
            one("putThing", &["facade request-type-refused: body color"]),
        ),
        (
            vec![
                ('+', "$S/Another", base()["components"]["schemas"]["OtherRequest"].clone()),
                (
                    '+',
                    "$OTHER/requestBody/content/application~1json/schema",
                    json!({"$ref": "#/components/schemas/Another"}),
                ),
            ],
            one(OTHER, &["raw request-type-name: body"]),
        ),
        (
            vec![
                ('+', "$S/ThingRequest2", base()["components"]["schemas"]["ThingRequest"].clone()),
                (
                    '+',
                    "$PUT/requestBody/content/application~1json/schema",
                    json!({"$ref": "#/components/schemas/ThingRequest2"}),
                ),
            ],
            one("putThing", &["none request-type-name: body"]),
        ),
        (
            vec![('+', "$S/OtherRequest/properties/sure", json!({"oneOf": [{"type": "string"}, {"type": "string"}]}))],
            one(OTHER, &["raw request-forms: body sure"]),
        ),
        (
            vec![(
                '+',
                "$S/ThingRequest/properties/color",
                json!({"maxLength": 7, "anyOf": [{"type": "string"}, {"type": "string"}]}),
            )],
            one("putThing", &["none request-forms: body color"]),
        ),
        (vec![('+', "$S/OtherRequest/additionalProperties", json!(false))], one(OTHER, &["raw request-closed: body"])),
        (
            vec![('+', "$S/ThingRequest/additionalProperties", json!(false))],
            one("putThing", &["none request-closed: body"]),
        ),
        (vec![('-', "$S/OtherRequest/additionalProperties", json!(false))], one(OTHER, &["none request-opened: body"])),
        (
            vec![('+', "$S/OtherRequest/properties/mood/enum/-", json!("odd"))],
            one(OTHER, &["none request-values-gained: body mood"]),
        ),
        (
            vec![('+', "$S/OtherRequest/properties/mood/enum/0", n.clone())],
            one(OTHER, &["raw request-values-lost: body mood"]),
        ),
        (
            vec![('+', "$S/ThingRequest/properties/color/enum", json!(["red"]))],
            one("putThing", &["caller request-values-lost: body color", "none request-values-listed: body color"]),
        ),
        (
            vec![('+', "$S/OtherRequest/properties/sure/enum", json!(["yes"]))],
            one(OTHER, &["raw request-values-listed: body sure"]),
        ),
        (
            vec![('+', "$S/OtherRequest/properties/mood/enum", n.clone())],
            one(OTHER, &["raw request-values-free: body mood"]),
        ),
        (
            vec![('-', "$S/ThingRequest/properties/color/enum", json!(["red"]))],
            one("putThing", &["none request-values-free: body color"]),
        ),
        (
            vec![('+', "$S/OtherRequest/properties/count/minimum", json!(2))],
            one(OTHER, &["raw request-limits: body count"]),
        ),
        (
            vec![('+', "$S/ThingRequest/properties/color/maxLength", json!(6))],
            one("putThing", &["caller request-limits: body color"]),
        ),
        (
            vec![('+', "$S/ThingRequest/properties/color/maxLength", n.clone())],
            one("putThing", &["none request-limits-eased: body color"]),
        ),
        (
            vec![('+', "$S/OtherRequest/properties/count/default", json!(2))],
            one(OTHER, &["raw request-default: body count"]),
        ),
        (
            vec![('+', "$S/OtherRequest/properties/count/default", n.clone())],
            one(OTHER, &["none request-default-said: body count"]),
        ),
        (
            vec![('-', "$THINGS/parameters/0/schema/default", n.clone())],
            one("getThings", &["none request-default-said: query includeOld"]),
        ),
        (
            vec![('+', "/paths/~1api~1things~1{thingId}/parameters/0/schema/type", json!("integer"))],
            one("getThing", &["none request-type: path thingId"]),
        ),
        (vec![('+', "/paths/~1api~1guess/parameters", json!([thing_id()]))], vec![]),
        // ResponseKind
        (
            vec![('+', "$PUT/responses/202", json!({"description": ""}))],
            one("putThing", &["none status-gained: answer"]),
        ),
        (vec![('-', "$PUT/responses/202", json!({"description": ""}))], one("putThing", &["none status-lost: answer"])),
        (vec![('-', "$OTHER/responses/404", n.clone())], one(OTHER, &["none error-gained: answer"])),
        (vec![('+', "$OTHER/responses/404", n.clone())], one(OTHER, &["none error-lost: answer"])),
        (vec![('-', "$OTHER/responses/200/content", n.clone())], one(OTHER, &["raw content-gained: answer"])),
        (vec![('-', "$THING/responses/200/content", n.clone())], one("getThing", &["none content-gained: answer"])),
        (vec![('+', "$OTHER/responses/200/content", n.clone())], one(OTHER, &["raw content-lost: answer"])),
        (vec![('+', "$THING/responses/200/content", n.clone())], one("getThing", &["none content-lost: answer"])),
        (
            vec![('+', "$OTHER/responses/200/content/text~1csv", json!({"schema": {"type": "string"}}))],
            one(OTHER, &["none answer-type-gained: answer"]),
        ),
        (
            vec![('+', "$OTHER/responses/200/content/application~1xml", n.clone())],
            one(OTHER, &["raw answer-type-lost: answer"]),
        ),
        (
            vec![('+', "$THING/responses/200/content/application~1xml", n.clone())],
            one("getThing", &["caller answer-type-lost: answer"]),
        ),
        (
            vec![('+', "$THING/responses/200/content/application~1json", n.clone())],
            one("getThing", &["facade answer-type-lost: answer"]),
        ),
        (
            vec![(
                '+',
                "$FILE/responses/200/content",
                json!({"application/json": {"schema": {"type": "array", "items": {}}}}),
            )],
            one("getFile", &["facade answer-type-lost: answer", "none answer-type-gained: answer"]),
        ),
        (vec![('+', "$OTHER/responses/200/headers/ETag", json!({}))], one(OTHER, &["none header-gained: answer"])),
        (vec![('+', "$OTHER/responses/200/headers/X-Left", n.clone())], one(OTHER, &["none header-lost: answer"])),
        // What stands in an answer
        (vec![('+', "$S/Other/properties/x", text.clone())], one(OTHER, &["none answer-field-new: answer x"])),
        (
            vec![('+', "$S/Thing/properties/there", text.clone())],
            one("getThing", &["none answer-field-new: answer there"]),
        ),
        (vec![('+', "$S/Other/properties/perhaps", n.clone())], one(OTHER, &["raw answer-field-gone: answer perhaps"])),
        (
            vec![
                ('+', "$S/Other/properties/deep/items/properties/leaf", n.clone()),
                ('+', "$S/Other/properties/deep/items/properties/l", text.clone()),
            ],
            one(OTHER, &["raw answer-field-gone: answer deep[].leaf", "none answer-field-new: answer deep[].l"]),
        ),
        (vec![('+', "$S/Thing/properties/more", n.clone())], one("getThing", &["raw answer-field-gone: answer more"])),
        (
            vec![('+', "$S/Thing/properties/name", n.clone())],
            one("getThing", &["caller answer-field-gone: answer name"]),
        ),
        (
            vec![('+', "$S/Thing/properties/state", n.clone())],
            one("getThing", &["facade answer-field-gone: answer state"]),
        ),
        (
            vec![('+', "$S/Thing/properties/here", n.clone())],
            one("getThing", &["facade answer-field-gone: answer here"]),
        ),
        (
            vec![('+', "$S/Thing/properties/here", n.clone()), ('+', "$S/Thing/properties/there", text.clone())],
            one("getThing", &["caller answer-field-gone: answer here", "none answer-field-new: answer there"]),
        ),
        (
            vec![
                ('+', "$S/Thing/properties/id", n.clone()),
                ('+', "$S/Thing/properties/thingId", text.clone()),
                ('+', "$S/Thing/required", required(&["thingId"])),
            ],
            one("getThing", &["none answer-field-mapped: answer thingId"]),
        ),
        (
            vec![(
                '+',
                "$S/ThingList/properties",
                json!({"entries": {"type": "array", "items": {"$ref": "#/components/schemas/Thing"}}}),
            )],
            one("getThings", &["none answer-field-mapped: answer entries"]),
        ),
        (vec![('+', "$S/Other/required", required(&[]))], one(OTHER, &["raw answer-optional: answer sure"])),
        (vec![('+', "$S/Thing/required", required(&[]))], one("getThing", &["none answer-optional: answer id"])),
        (vec![('+', "$S/Other/required/-", json!("mood"))], one(OTHER, &["raw answer-required: answer mood"])),
        (vec![('+', "$S/Thing/required/-", json!("name"))], one("getThing", &["none answer-required: answer name"])),
        (
            vec![('+', "$S/Other/properties/sure/nullable", json!(true))],
            one(OTHER, &["raw answer-nullable: answer sure"]),
        ),
        (
            vec![('+', "$S/Thing/properties/id/nullable", json!(true))],
            one("getThing", &["caller answer-nullable: answer id"]),
        ),
        (
            vec![
                ('-', "$S/Thing/required/-", json!("name")),
                ('+', "$S/Thing/required/-", json!("name")),
                ('+', "$S/Thing/properties/name/nullable", json!(true)),
            ],
            one("getThing", &["none answer-nullable: answer name"]),
        ),
        (
            vec![('+', "$S/Other/properties/deep/items/nullable", json!(true))],
            one(OTHER, &["raw answer-nullable: answer deep[]"]),
        ),
        (vec![('+', "$S/Other/properties/mood/nullable", json!(true))], one(OTHER, &["none null-said: answer mood"])),
        (vec![('+', "$S/Other/properties/sure/type", json!("integer"))], one(OTHER, &["raw answer-type: answer sure"])),
        (vec![('+', "$S/Other/properties/sure/format", json!("uuid"))], one(OTHER, &["raw answer-type: answer sure"])),
        (
            vec![('+', "$S/Thing/properties/more/type", json!("string"))],
            one("getThing", &["raw answer-type: answer more"]),
        ),
        (
            vec![('+', "$S/Thing/properties/made/format", n.clone())],
            one("getThing", &["none answer-type: answer made"]),
        ),
        (
            vec![('+', "$S/Thing/properties/size/type", json!("string"))],
            one("getThing", &["caller answer-type-follows: answer size"]),
        ),
        (
            vec![
                ('-', "$S/Inner/properties/kept", json!({"type": "string"})),
                ('+', "$S/Inner/properties/kept", json!({"type": "string"})),
                ('+', "$S/Inner/properties/value", n.clone()),
            ],
            one(
                "getThing",
                &["caller answer-field-gone: answer inner[].value", "caller answer-type-follows: answer inner"],
            ),
        ),
        (
            vec![('+', "$S/Thing/properties/name/type", json!("boolean"))],
            one("getThing", &["facade answer-type-refused: answer name"]),
        ),
        (
            vec![('+', "$S/ThingList/properties/things", json!({"type": "object"}))],
            one("getThings", &["facade answer-type-refused: answer things"]),
        ),
        (
            vec![
                ('+', "$S/Other2", base()["components"]["schemas"]["Other"].clone()),
                (
                    '+',
                    "$OTHER/responses/200/content/application~1json/schema",
                    json!({"$ref": "#/components/schemas/Other2"}),
                ),
                (
                    '+',
                    "$OTHER/responses/200/content/application~1xml/schema",
                    json!({"$ref": "#/components/schemas/Other2"}),
                ),
            ],
            one(OTHER, &["raw answer-type-name: answer"]),
        ),
        (
            vec![
                ('+', "$S/Inner2", base()["components"]["schemas"]["Inner"].clone()),
                ('+', "$S/Thing/properties/inner/items", json!({"$ref": "#/components/schemas/Inner2"})),
            ],
            one("getThing", &["none answer-type-name: answer inner[]"]),
        ),
        (
            vec![('+', "$S/Other/properties/sure", json!({"oneOf": [{"type": "string"}, {"type": "string"}]}))],
            one(OTHER, &["raw answer-forms: answer sure"]),
        ),
        (
            vec![(
                '+',
                "$S/Thing/properties/made",
                json!({"oneOf": [{"type": "string", "format": "date-time"}, {"type": "string"}]}),
            )],
            one("getThing", &["none answer-forms: answer made"]),
        ),
        (
            vec![('+', "$S/Other/properties/mood/enum/-", json!("odd"))],
            one(OTHER, &["none answer-values-gained: answer mood"]),
        ),
        (
            vec![('+', "$S/Other/properties/mood/enum/0", n.clone())],
            one(OTHER, &["raw answer-values-lost: answer mood"]),
        ),
        (
            vec![
                ('+', "$S/State/enum", json!(["READY", "STUCK"])),
                ('-', "$S/ThingRequest/properties/state", n.clone()),
                ('+', "$S/ThingRequest/properties/state", n.clone()),
            ],
            one("getThing", &["none answer-values-lost: answer state"]),
        ),
        (
            vec![
                ('+', "$S/State/enum", json!(["READY", "BUSY"])),
                ('-', "$S/ThingRequest/properties/state", n.clone()),
                ('+', "$S/ThingRequest/properties/state", n.clone()),
            ],
            one("getThing", &["raw answer-values-lost: answer state"]),
        ),
        (
            vec![
                ('+', "$S/State/enum", json!(["BUSY", "STUCK"])),
                ('-', "$S/ThingRequest/properties/state", n.clone()),
                ('+', "$S/ThingRequest/properties/state", n.clone()),
            ],
            one("getThing", &["facade answer-values-lost: answer state"]),
        ),
        (
            vec![('-', "$S/State/enum", n.clone()), ('+', "$S/State/enum", json!(["BUSY"]))],
            vec![
                String::from("facade answer-values-lost getThing: answer state"),
                String::from("caller request-values-lost putThing: body state"),
                String::from("none answer-values-listed getThing: answer state"),
                String::from("none request-values-listed putThing: body state"),
            ],
        ),
        (
            vec![('+', "$S/Other/properties/sure/enum", json!(["yes"]))],
            one(OTHER, &["raw answer-values-listed: answer sure"]),
        ),
        (vec![('+', "$S/Other/properties/mood/enum", n.clone())], one(OTHER, &["raw answer-values-free: answer mood"])),
        (
            vec![('-', "$S/Thing/properties/name/enum", json!(["a"]))],
            one("getThing", &["none answer-values-free: answer name"]),
        ),
        (
            vec![('+', "$S/Other/properties/sure/deprecated", json!(true))],
            one(OTHER, &["none deprecated: answer sure"]),
        ),
    ]
}

/// Those that the edits of the table above don't make, as their tests below do.
const ELSEWHERE: [(&str, &str); 6] = [
    ("operation-moved", "none"),
    ("operation-unfit", "raw"),
    ("operation-unfit", "caller"),
    ("operation-unfit", "facade"),
    ("parameter-renamed", "none"),
    ("unfinished", "none"),
];

#[test]
fn each_line_of_the_table() {
    let mut told: BTreeSet<(String, String)> = BTreeSet::new();
    let mut wrong: Vec<String> = Vec::new();
    for (edits, mut expected) in cases() {
        let (mut old, mut new) = (base(), base());
        for (side, short, value) in &edits {
            edit(if *side == '-' { &mut old } else { &mut new }, &pointer(short), value.clone());
        }
        let changes = compared(&old, &new);
        let mut lines: Vec<String> = changes.iter().map(line).collect();
        told.extend(changes.iter().map(|change| (change.what.key(), change.effect.word().to_owned())));
        lines.sort();
        expected.sort();
        if lines != expected {
            let shown: Vec<String> =
                edits.iter().map(|(side, pointer, value)| format!("{side}{pointer} = {value}")).collect();
            wrong.push(format!("{shown:#?}\n  told     {lines:#?}\n  expected {expected:#?}\n  {changes:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    let elsewhere: BTreeSet<(String, String)> =
        ELSEWHERE.iter().map(|(what, effect)| ((*what).to_owned(), (*effect).to_owned())).collect();
    let all: BTreeMap<String, BTreeSet<&str>> = RULES
        .iter()
        .map(|rule| (rule.what.key(), rule.standings().map(|(_, effect)| effect.word()).collect()))
        .collect();
    let missing: Vec<String> = all
        .iter()
        .flat_map(|(what, effects)| effects.iter().map(move |effect| (what.clone(), (*effect).to_owned())))
        .filter(|pair| !told.contains(pair) && !elsewhere.contains(pair))
        .map(|(what, effect)| format!("{what} {effect}"))
        .collect();
    assert!(missing.is_empty(), "no case for {missing:#?}");
}

#[test]
fn a_moved_operation_is_the_same() {
    let old = base();
    // Everything under another prefix, the parameters called otherwise.
    let text = old.to_string().replace("/api/", "/rest/v2/").replace("thingId", "id").replace("{key}", "{k}");
    let new: Value = serde_json::from_str(&text).expect("JSON");
    let lines: Vec<String> = compared(&old, &new).iter().map(line).collect();
    let expected = ["none servers -: servers", "none parameter-renamed getFile: path id"];
    assert_eq!(
        lines.first().map(String::as_str),
        Some("raw parameter-renamed POST /rest/v2/other/{k}: path k"),
        "{lines:#?}"
    );
    for line in expected {
        assert!(lines.contains(&line.to_owned()), "{line}: {lines:#?}");
    }
    assert!(lines.iter().all(|line| !line.contains("gone") && !line.contains("operation")), "{lines:#?}");
    // The prefix in the server's address and one operation elsewhere.
    let mut new = old.clone();
    let item = new["paths"]["/api/other/{key}"].take();
    edit(&mut new, "/paths/~1api~1other~1{key}", Value::Null);
    edit(&mut new, "/paths/~1elsewhere~1{key}", item);
    let lines: Vec<String> = compared(&old, &new).iter().map(line).collect();
    assert_eq!(
        lines,
        ["raw operation-gone POST /api/other/{key}: ", "none operation-new POST /elsewhere/{key}: "],
        "{lines:#?}"
    );
    let text = old.to_string().replace("\"/api/", "\"/");
    let mut new: Value = serde_json::from_str(&text).expect("JSON");
    new["servers"][0]["url"] = json!("https://things.example/api");
    let lines: Vec<String> = compared(&old, &new).iter().map(line).collect();
    assert_eq!(lines, ["none servers -: servers"], "{lines:#?}");
}

#[test]
fn a_decided_operation_tells_that_it_moved() {
    let contract = contract();
    let old = base();
    let mut new = base();
    let item = new["paths"]["/api/guess"].take();
    edit(&mut new, "/paths/~1api~1guess", Value::Null);
    edit(&mut new, "/paths/~1api~1guesses", item);
    let nothing = BTreeSet::new();
    let mut mapping = super::mapped(&new, &contract, &nothing);
    let decisions = crate::passes::decisions::Decisions {
        map: BTreeMap::from([(String::from("getGuess"), String::from("GET /api/guesses"))]),
        ..Default::default()
    };
    mapping.operations = crate::passes::mapping::map_contract(&new, String::new(), &contract, &decisions).0.operations;
    let old_mapping = super::mapped(&old, &contract, &nothing);
    let changes = super::compare(
        &contract,
        &super::Side { document: &old, mapping: &old_mapping, accepted: &nothing },
        &super::Side { document: &new, mapping: &mapping, accepted: &nothing },
    );
    let lines: Vec<String> = changes.iter().map(line).collect();
    assert_eq!(lines, ["none operation-moved getGuess: "]);
    assert_eq!(changes[0].text, "is at `GET /api/guesses`, was at `GET /api/guess`");
}

#[test]
fn an_operation_that_may_be_missing_breaks_callers() {
    let accepted = BTreeSet::from([String::from("getThings")]);
    let mut new = base();
    edit(&mut new, "/paths/~1api~1things", Value::Null);
    let lines: Vec<String> = compared_with(&contract(), &base(), &new, &accepted).iter().map(line).collect();
    assert_eq!(lines, ["caller operation-gone getThings: "]);
    // It is there and does not fit.
    let mut new = base();
    edit(&mut new, "/components/schemas/ThingList/properties/things/type", json!("string"));
    let lines: Vec<String> = compared_with(&contract(), &base(), &new, &accepted).iter().map(line).collect();
    assert!(lines.contains(&String::from("caller operation-unfit getThings: ")), "{lines:#?}");
}

#[test]
fn a_shared_schema_is_told_once() {
    let mut new = base();
    edit(&mut new, "/components/schemas/Thing/properties/size/type", json!("string"));
    let changes = compared(&base(), &new);
    assert_eq!(changes.len(), 1, "{changes:#?}");
    for change in changes {
        assert_eq!(change.operation.as_deref(), Some("getThing"));
        assert_eq!(change.also, ["getThings"]);
    }
}
