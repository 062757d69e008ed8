//! Components as XML.

use std::fmt::Write;

use super::components::{DetailedValue, FileComponents};

const HEAD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

/// Returns the components of one file.
pub(crate) fn file_xml(components: &FileComponents) -> String {
    let mut out = HEAD.to_owned();
    write_file(&mut out, components, "");
    out
}

/// Returns the components of several files.
pub(crate) fn dossier_xml(files: &[FileComponents]) -> String {
    let mut out = format!("{HEAD}<dossierComponents>\n");
    for file in files {
        write_file(&mut out, file, "  ");
    }
    out.push_str("</dossierComponents>\n");
    out
}

fn write_file(out: &mut String, file: &FileComponents, indent: &str) {
    let mut line = |text: &str| {
        out.push_str(indent);
        out.push_str(text);
        out.push('\n');
    };
    line("<fileComponents>");
    line(&element("  ", "dossierTemplateId", &file.dossier_template_id));
    line(&element("  ", "dossierId", &file.dossier_id));
    line(&element("  ", "fileId", &file.file_id));
    line(&element("  ", "fileName", &file.file_name));
    line("  <components>");
    for (name, values) in &file.components.0 {
        let name = escaped(name);
        if values.is_empty() {
            line(&format!("    <component name=\"{name}\"/>"));
            continue;
        }
        let values: String = values.iter().map(|value| element("", "value", value)).collect();
        line(&format!("    <component name=\"{name}\">{values}</component>"));
    }
    line("  </components>");
    if let Some(details) = &file.component_details {
        line("  <componentDetails>");
        for (name, values) in &details.0 {
            line(&format!("    <component name=\"{}\">", escaped(name)));
            for value in values {
                line(&format!("      <value>{}</value>", detail_xml(value)));
            }
            line("    </component>");
        }
        line("  </componentDetails>");
    }
    line("</fileComponents>");
}

fn detail_xml(value: &DetailedValue) -> String {
    let mut out = element("", "value", &value.value);
    out.push_str(&element("", "originalValue", &value.original_value));
    if let Some(description) = &value.value_description {
        out.push_str(&element("", "valueDescription", description));
    }
    out.push_str(&element("", "componentRuleId", &value.component_rule_id));
    for reference in &value.entity_references {
        // Writing to a String cannot fail.
        let _ = write!(
            out,
            "<entityReference id=\"{}\" type=\"{}\" page=\"{}\"/>",
            escaped(&reference.id),
            escaped(&reference.kind),
            reference.page
        );
    }
    out
}

fn element(indent: &str, name: &str, text: &str) -> String {
    format!("{indent}<{name}>{}</{name}>", escaped(text))
}

/// Escapes markup and removes the characters that XML 1.0 does not allow.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\u{fffe}' | '\u{ffff}' => {}
            letter if letter.is_control() && !matches!(letter, '\t' | '\n' | '\r' | '\u{7f}'..='\u{9f}') => {}
            letter => out.push(letter),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn escapes_markup_and_drops_control_characters() {
        assert_eq!(super::escaped("a<b & \"c\"\u{0}\u{1b}"), "a&lt;b &amp; &quot;c&quot;");
    }
}
