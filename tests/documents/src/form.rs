//! A document as text: JSON and YAML in the ways in which tools and people write them.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Map, Value};

use crate::random::Random;

/// How a document is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// JSON.
    Json,
    /// JSON with a byte order mark and the line ends of Windows.
    JsonOfWindows,
    /// JSON in UTF-16.
    JsonUtf16,
    /// YAML. Words such as `no` stand without quotes.
    Yaml,
    /// YAML with anchors for everything that is there twice, and with comments.
    YamlByHand,
    /// The same with a byte order mark and the line ends of Windows.
    YamlOfWindows,
}

impl Form {
    /// The document as bytes.
    pub fn write(self, document: &Value) -> Vec<u8> {
        let windows = |text: String| format!("\u{feff}{}", text.replace('\n', "\r\n"));
        let text = match self {
            Self::Json | Self::JsonUtf16 => format!("{document:#}\n"),
            Self::JsonOfWindows => windows(format!("{document:#}\n")),
            Self::Yaml => yaml(document, false),
            Self::YamlByHand => yaml(document, true),
            Self::YamlOfWindows => windows(yaml(document, true)),
        };
        if self == Self::JsonUtf16 {
            return std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
        }
        text.into_bytes()
    }

    /// The end of a file's name.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Json | Self::JsonOfWindows | Self::JsonUtf16 => "json",
            Self::Yaml | Self::YamlByHand | Self::YamlOfWindows => "yaml",
        }
    }
}

/// JSON with the keys of every object in an order that the random numbers say.
pub fn json_shuffled(value: &Value, random: &mut Random) -> String {
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

/// YAML in block style; `by_hand`: with anchors and comments.
pub fn yaml(document: &Value, by_hand: bool) -> String {
    let mut writer = Writer { text: String::new(), by_hand, anchors: BTreeMap::new(), named: 0 };
    if by_hand {
        writer.text.push_str("# Made by hand, more or less.\n---\n");
        count(document, &mut writer.anchors);
        writer.anchors.retain(|_, (times, _)| *times > 1);
    }
    writer.node(document, 0);
    writer.text
}

/// Objects shorter than this get no anchor.
const WORTH_AN_ANCHOR: usize = 40;

/// Counts how often each larger object is there.
fn count(value: &Value, found: &mut BTreeMap<String, (usize, Option<usize>)>) {
    match value {
        Value::Object(object) => {
            let text = value.to_string();
            if text.len() >= WORTH_AN_ANCHOR {
                found.entry(text).or_insert((0, None)).0 += 1;
            }
            object.values().for_each(|inner| count(inner, found));
        }
        Value::Array(list) => list.iter().for_each(|inner| count(inner, found)),
        _ => {}
    }
}

struct Writer {
    text: String,
    by_hand: bool,
    /// An object's text → how often it is there, and the number of its anchor once it was written.
    anchors: BTreeMap<String, (usize, Option<usize>)>,
    named: usize,
}

impl Writer {
    fn node(&mut self, value: &Value, depth: usize) {
        match value {
            Value::Object(object) => self.mapping(object, depth),
            Value::Array(list) => {
                for item in list {
                    self.indent(depth);
                    self.text.push('-');
                    self.inner(item, depth);
                }
            }
            scalar => {
                self.text.push_str(&plain(scalar));
                self.text.push('\n');
            }
        }
    }

    fn mapping(&mut self, object: &Map<String, Value>, depth: usize) {
        for (number, (key, value)) in object.iter().enumerate() {
            if self.by_hand && number == 1 && depth < 3 {
                self.indent(depth);
                self.text.push_str("# the rest: \"#, *no alias, &no anchor\n");
            }
            self.indent(depth);
            self.text.push_str(&word(key));
            self.text.push(':');
            self.inner(value, depth);
        }
    }

    /// What stands behind a key or a dash.
    fn inner(&mut self, value: &Value, depth: usize) {
        match value {
            Value::Object(object) if object.is_empty() => self.text.push_str(" {}\n"),
            Value::Array(list) if list.is_empty() => self.text.push_str(" []\n"),
            Value::Object(_) | Value::Array(_) => {
                if let Some((_, number)) = self.anchors.get_mut(&value.to_string()) {
                    if let Some(number) = number {
                        let _ = writeln!(self.text, " *same{number}");
                        return;
                    }
                    self.named += 1;
                    *number = Some(self.named);
                    let _ = write!(self.text, " &same{}", self.named);
                }
                self.text.push('\n');
                self.node(value, depth + 1);
            }
            scalar => {
                self.text.push(' ');
                self.node(scalar, depth);
            }
        }
    }

    fn indent(&mut self, depth: usize) {
        self.text.extend(std::iter::repeat_n("  ", depth));
    }
}

fn plain(scalar: &Value) -> String {
    match scalar {
        Value::String(text) => word(text),
        other => other.to_string(),
    }
}

/// A text without quotes where YAML 1.2 takes it for a text, else between double quotes.
fn word(text: &str) -> String {
    let is_word = text.chars().all(|c| c.is_ascii_alphanumeric() || "_-:".contains(c))
        && !text.ends_with(':')
        && match text.chars().next() {
            Some(first) if first.is_ascii_alphabetic() || first == '_' => true,
            Some(first) if first.is_ascii_digit() => text.contains(['_', ':']),
            _ => false,
        };
    if is_word && !["null", "true", "false"].contains(&text.to_lowercase().as_str()) {
        return text.to_owned();
    }
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            ' '..='~' => quoted.push(c),
            _ => {
                let _ = write!(quoted, "\\U{:08x}", u32::from(c));
            }
        }
    }
    quoted.push('"');
    quoted
}
