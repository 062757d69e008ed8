//! Text formats of a document.

use serde_json::Value;

/// Text format of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// JSON.
    Json,
    /// JSON with a byte order mark and CRLF line ends.
    JsonWithByteOrderMark,
    /// YAML.
    Yaml,
    /// YAML with a byte order mark and CRLF line ends.
    YamlWithByteOrderMark,
}

impl Format {
    /// Writes the document.
    pub fn write(self, document: &Value) -> String {
        let text = match self.extension() {
            "json" => format!("{document:#}\n"),
            // A JSON value has only text keys, which YAML can hold.
            _ => serde_saphyr::to_string(document).unwrap_or_default(),
        };
        match self {
            Self::Json | Self::Yaml => text,
            _ => format!("\u{feff}{}", text.replace('\n', "\r\n")),
        }
    }

    /// Returns the extension of the file name.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Json | Self::JsonWithByteOrderMark => "json",
            Self::Yaml | Self::YamlWithByteOrderMark => "yaml",
        }
    }
}

/// Writes JSON with the keys of every object in random order.
pub fn json_shuffled(value: &Value, random: &mut fastrand::Rng) -> String {
    match value {
        Value::Object(object) => {
            let mut entries: Vec<(&String, &Value)> = object.iter().collect();
            random.shuffle(&mut entries);
            let members: Vec<String> = entries
                .into_iter()
                .map(|(key, value)| format!("{}:{}", Value::from(key.as_str()), json_shuffled(value, random)))
                .collect();
            format!("{{{}}}", members.join(","))
        }
        Value::Array(list) => {
            let items: Vec<String> = list.iter().map(|item| json_shuffled(item, random)).collect();
            format!("[{}]", items.join(","))
        }
        other => other.to_string(),
    }
}
