//! Replaces schemas that describe Java classes by their getters.
//!
//! Why: springdoc describes unknown classes by their getters, but Jackson serializes many of these classes in another form: a
//! `LocalTime` described as `{hour, minute, second, nano}` is sent as `"10:00:00"`, a `JsonNode` as any JSON, an unpaged
//! `Pageable` as a string. A model of the getters fails for such a value, and the list that contains it fails as well. Uploaded
//! files are also described by getters.
//! Finds: object schemas whose properties are getters of a class in the tables below, and lists of `byte`, which are sent as a
//! Base64 string.
//! Holds afterwards: a file (`MultipartFile`, `Resource`, …) is `{type: string, format: binary}`; a property, item or value of
//! another of these classes is `{}`, any JSON. Parameters keep their objects, which a later pass splits.
//! Delete when: springdoc describes the JSON that Jackson writes.

use serde_json::{Value, json};

use crate::tree::{self, NodeKind, Object};

/// The getters of a class. A schema matches if it has all of `some` and nothing outside of both lists.
struct BeanClass {
    some: &'static [&'static str],
    more: &'static [&'static str],
}

const MULTIPART_FILE: &[&str] =
    &["bytes", "contentType", "empty", "fileItem", "inputStream", "name", "resource", "size", "storageDescription"];

/// Classes of files and streams.
#[rustfmt::skip]
const FILES: &[BeanClass] = &[
    // org.springframework.web.multipart.MultipartFile
    // The getter of the bytes distinguishes a file from a description of a file.
    BeanClass { some: &["bytes", "originalFilename"], more: MULTIPART_FILE },
    BeanClass { some: &["inputStream", "originalFilename"], more: MULTIPART_FILE },
    BeanClass { some: &["originalFilename", "resource"], more: MULTIPART_FILE },
    BeanClass { some: &["empty", "originalFilename"], more: MULTIPART_FILE },
    // jakarta.servlet.http.Part
    BeanClass { some: &["inputStream", "submittedFileName"], more: &["contentType", "headerNames", "name", "size"] },
    BeanClass { some: &["headerNames", "submittedFileName"], more: &["contentType", "inputStream", "name", "size"] },
    // org.springframework.core.io.Resource
    BeanClass { some: &["open", "readable"], more: &[
        "byteArray", "contentAsByteArray", "description", "file", "filename", "inputStream", "outputStream", "path", "uri", "url", "writable",
    ] },
];

/// Classes that Jackson does not serialize by their getters.
#[rustfmt::skip]
const VALUES: &[BeanClass] = &[
    // com.fasterxml.jackson.databind.JsonNode
    BeanClass { some: &["array", "object"], more: &[
        "bigDecimal", "bigInteger", "binary", "boolean", "containerNode", "double", "embeddedValue", "empty", "float", "floatingPointNumber", "int",
        "integralNumber", "long", "missingNode", "nodeType", "null", "number", "pojo", "short", "string", "textual", "valueNode",
    ] },
    // com.google.gson.JsonElement
    BeanClass { some: &["jsonNull", "jsonObject"], more: &[
        "asBigDecimal", "asBigInteger", "asBoolean", "asByte", "asCharacter", "asDouble", "asFloat", "asInt", "asJsonArray", "asJsonNull", "asJsonObject",
        "asJsonPrimitive", "asLong", "asNumber", "asShort", "asString", "jsonArray", "jsonPrimitive",
    ] },
    // java.time: LocalTime and OffsetTime; LocalDate, LocalDateTime, MonthDay, ZonedDateTime; YearMonth; Year; Instant; Duration; Period; ZoneId
    BeanClass { some: &["hour", "minute", "nano"], more: &["offset", "second"] },
    BeanClass { some: &["dayOfMonth"], more: &[
        "chronology", "dayOfWeek", "dayOfYear", "era", "hour", "leapYear", "minute", "month", "monthValue", "nano", "offset", "second", "year", "zone",
    ] },
    BeanClass { some: &["monthValue", "year"], more: &["leapYear", "month"] },
    BeanClass { some: &["leap", "value"], more: &[] },
    BeanClass { some: &["epochSecond", "nano"], more: &[] },
    BeanClass { some: &["nano", "seconds"], more: &["negative", "positive", "units", "zero"] },
    BeanClass { some: &["negative", "seconds", "zero"], more: &["nanos", "positive", "units"] },
    BeanClass { some: &["days", "months", "years"], more: &["chronology", "negative", "units", "zero"] },
    BeanClass { some: &["id", "rules"], more: &["normalized", "totalSeconds"] },
    // java.util: TimeZone, Locale, Currency, Optional and its variants
    BeanClass { some: &["id", "rawOffset"], more: &["displayName", "dstsavings"] },
    BeanClass { some: &["displayLanguage", "language"], more: &[
        "country", "displayCountry", "displayName", "displayScript", "displayVariant", "extensionKeys", "iso3Country", "iso3Language", "script",
        "unicodeLocaleAttributes", "unicodeLocaleKeys", "variant",
    ] },
    BeanClass { some: &["currencyCode"], more: &["defaultFractionDigits", "displayName", "numericCode", "numericCodeAsString", "symbol"] },
    BeanClass { some: &["empty", "present"], more: &["asDouble", "asInt", "asLong", "value"] },
    // java.util.concurrent.atomic
    BeanClass { some: &["acquire", "opaque", "plain"], more: &["andDecrement", "andIncrement"] },
    // org.springframework.data.domain: Pageable, Sort, Sort.Order
    BeanClass { some: &["paged", "unpaged"], more: &["offset", "pageNumber", "pageSize", "sort"] },
    BeanClass { some: &["sorted", "unsorted"], more: &["empty"] },
    BeanClass { some: &["direction", "nullHandling", "property"], more: &["ascending", "descending", "ignoreCase"] },
];

pub(super) fn apply(document: &mut Value) -> usize {
    let mut edits = 0;
    tree::visit_kind(document, NodeKind::Schema, &mut |schema, _| {
        if is_one_of(FILES, schema) {
            let text = schema.remove("description");
            *schema =
                Object::from_iter([(String::from("type"), json!("string")), (String::from("format"), json!("binary"))]);
            schema.extend(text.map(|text| (String::from("description"), text)));
            edits += 1;
        }
    });
    let schemas = tree::schemas_mut(document).cloned().unwrap_or_default();
    tree::visit_kind(document, NodeKind::Schema, &mut |schema, pointer| {
        let is_part = pointer.contains("/requestBody/content/multipart~1");
        tree::visit_values(schema, &mut |value| {
            if has_any_form(value, &schemas) && !is_part {
                value.retain(|key, _| ["description", "deprecated"].contains(&key.as_str()));
                edits += 1;
            }
        });
    });
    edits
}

/// Returns `true` if values of this schema may have any form.
fn has_any_form(schema: &Object, schemas: &Object) -> bool {
    let Some(schema) = tree::resolve_schema(schema, schemas) else {
        return false;
    };
    let items = tree::object(schema, "items").and_then(|items| tree::resolve_schema(items, schemas));
    is_one_of(VALUES, schema)
        // springdoc describes a `Sort` as the list of its orders.
        || items.is_some_and(|items| {
            tree::text(items, "format") == Some("byte") || (is_one_of(VALUES, items) && has(items, "nullHandling"))
        })
}

fn has(schema: &Object, name: &str) -> bool {
    tree::object(schema, "properties").is_some_and(|properties| properties.contains_key(name))
}

fn is_one_of(classes: &[BeanClass], schema: &Object) -> bool {
    let Some(properties) = tree::object(schema, "properties") else {
        return false;
    };
    classes.iter().any(|class| {
        class.some.iter().all(|name| properties.contains_key(*name))
            && properties.keys().all(|name| class.some.contains(&name.as_str()) || class.more.contains(&name.as_str()))
    })
}
