//! Spells out the two text operators that the PDF library does not know: `'` is a new line and a text, `"` sets spaces before that.

use pdf_extract::content::{Content, Operation};
use pdf_extract::{Document, Object, ObjectId, Stream};
use regex::bytes::Regex;

/// Rewrites pages and forms that use them.
pub(super) fn spell_out(document: &mut Document) {
    // A text ends, and the operator follows.
    let Ok(used) = Regex::new(r#"(?-u)[)>][ \t\r\n]*['"]"#) else { return };
    let pages: Vec<ObjectId> = document.get_pages().into_values().collect();
    for page in pages {
        let Some(content) = document.get_page_content(page).ok().filter(|content| used.is_match(content)) else {
            continue;
        };
        let Some(content) = rewritten(&content) else { continue };
        let content = document.add_object(Stream::new(pdf_extract::Dictionary::new(), content));
        if let Some(Object::Dictionary(page)) = document.objects.get_mut(&page) {
            page.set("Contents", content);
        }
    }
    for object in document.objects.values_mut() {
        let Object::Stream(stream) = object else { continue };
        if !stream.dict.get(b"Subtype").and_then(Object::as_name).is_ok_and(|name| name == b"Form") {
            continue;
        }
        let content = stream.decompressed_content().unwrap_or_else(|_| stream.content.clone());
        if used.is_match(&content)
            && let Some(content) = rewritten(&content)
        {
            stream.set_plain_content(content);
        }
    }
}

fn rewritten(content: &[u8]) -> Option<Vec<u8>> {
    let mut operations = Vec::new();
    for Operation { operator, mut operands } in Content::decode(content).ok()?.operations {
        match operator.as_str() {
            "'" => operations.push(Operation::new("T*", Vec::new())),
            "\"" if operands.len() == 3 => {
                let text = operands.split_off(2);
                let letters = operands.split_off(1);
                operations.push(Operation::new("Tw", operands));
                operations.push(Operation::new("Tc", letters));
                operations.push(Operation::new("T*", Vec::new()));
                operands = text;
            }
            _ => {
                operations.push(Operation { operator, operands });
                continue;
            }
        }
        operations.push(Operation::new("Tj", operands));
    }
    Content { operations }.encode().ok()
}
