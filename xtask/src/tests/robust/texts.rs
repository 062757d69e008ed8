//! Texts of any kind leave code that parses.

use serde_json::json;

use super::{client, with_operation};

#[test]
fn descriptions_stay_inside_comments() {
    let texts = [
        "*/",
        "/*",
        "/** x */",
        "\"#",
        "`unclosed",
        "```",
        "```rust\nfn main() {}\n```",
        "~~~\nx\n~~~",
        "#![allow(x)]",
        "        indented\n        block",
        "<script>alert(1)</script>",
        "a\rb",
        "a\r\nb",
        "\u{202e}evil\u{202c}",
        "a\u{200b}b\u{feff}",
        "\0",
        "{}",
        "{{x}}",
        "\\",
        "\\u{",
        "\"",
        "///",
        "//! x",
        "* list\n* of",
        "# head",
        "a [link](http://x) [x]",
        "\u{2028}",
        "",
        "\n\n\n",
        "   ",
        "'\u{e9}'",
        "$ref",
        "*",
    ];
    for text in texts {
        let source = client(&with_operation(
            json!({
                "summary": text, "description": text, "requestBody": {"description": text, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/A"}}}},
                "parameters": [{"name": "q", "in": "query", "description": text, "schema": {"type": "string", "enum": [text, "b"], "description": text}}],
                "responses": {"200": {"description": text, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/A"}}}}},
            }),
            json!({
                "A": {"type": "object", "title": text, "description": text, "properties": {"p": {"type": "string", "description": text}, format!("p{text}q"): {"type": "string"}}},
                "E": {"type": "string", "description": text, "enum": [text, format!("x{text}y")]},
            }),
        ));
        for hidden in ['\r', '\u{202e}', '\u{200b}', '\u{feff}', '\0'] {
            assert!(!source.contains(hidden), "{text:?}");
        }
    }
}

#[test]
fn accepts_long_descriptions() {
    let text = "A line of it, with `code` and <b>more</b>.\n".repeat(25_000);
    let source =
        client(&with_operation(json!({"description": text}), json!({"A": {"type": "object", "description": text}})));
    assert!(source.len() > 2_000_000);
}
