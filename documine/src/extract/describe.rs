//! Prints a Rust struct for the components of files.

use std::collections::HashSet;
use std::fmt::Write as _;

use super::component::Component;
use super::named_values::NamedValues;
use super::text;
use crate::models::FileComponents;

/// A source of the components of one or more files: live, saved, or from a package.
pub trait ComponentSource {
    /// Returns the components of each file.
    fn files(&self) -> Vec<NamedValues<'_>>;
}

impl ComponentSource for NamedValues<'_> {
    fn files(&self) -> Vec<NamedValues<'_>> {
        vec![self.clone()]
    }
}

impl ComponentSource for FileComponents {
    fn files(&self) -> Vec<NamedValues<'_>> {
        vec![self.into()]
    }
}

impl<S: ComponentSource> ComponentSource for [S] {
    fn files(&self) -> Vec<NamedValues<'_>> {
        self.iter().flat_map(ComponentSource::files).collect()
    }
}

impl<S: ComponentSource> ComponentSource for Vec<S> {
    fn files(&self) -> Vec<NamedValues<'_>> {
        self.as_slice().files()
    }
}

/// Returns the source text of a Rust struct into which the components of these files can be extracted.
///
/// Has one field for each component, in the order of the template. A component with several values in a file is a `Vec`, one that a file lacks or
/// leaves empty is an `Option`. The types are guesses from the values that are not blank: `i64` if all are whole numbers in digits, `bool` if all are
/// `true`, `false`, `yes` or `no`, and otherwise `String`; a comment names a narrower type for dates and other numbers. A `Vec` with blank numbers
/// has `Option` elements. The struct is named after a single file (`invoice.pdf` is `Invoice`), otherwise `Extracted`.
///
/// ```
/// use documine::{Components, extract};
///
/// let saved = r#"{
///     "fileId": "f-1",
///     "fileName": "invoice.pdf",
///     "components": {"InvoiceNumber": ["R-7"], "Total Amount": ["1234.50"], "Items": ["a", "b"], "type": []}
/// }"#;
/// let components: Components = serde_json::from_str(saved)?;
/// assert_eq!(
///     extract::describe(&components),
///     r##"// Guessed by documine::extract::describe from the components of 1 file. Check the types.
/// #[derive(Debug, serde::Deserialize)]
/// pub struct Invoice {
///     #[serde(rename = "InvoiceNumber")]
///     pub invoice_number: String,
///     // A number: f64, or another number type with documine::extract::with::number_strict.
///     #[serde(rename = "Total Amount")]
///     pub total_amount: String,
///     #[serde(rename = "Items")]
///     pub items: Vec<String>,
///     // Without a value.
///     #[serde(rename = "type")]
///     pub type_: Option<String>,
/// }
/// "##
/// );
/// # Ok::<(), serde_json::Error>(())
/// ```
pub fn describe<S: ComponentSource + ?Sized>(source: &S) -> String {
    let files = source.files();
    let count = files.len();
    let plural = if count == 1 { "file" } else { "files" };
    let struct_name = match files.as_slice() {
        [file] => file.file_name.and_then(type_name),
        _ => None,
    };
    let mut out = format!(
        "// Guessed by documine::extract::describe from the components of {count} {plural}. Check the types.\n\
         #[derive(Debug, serde::Deserialize)]\npub struct {} {{\n",
        struct_name.as_deref().unwrap_or("Extracted")
    );
    let mut taken = HashSet::new();
    for field in fields(&files) {
        field.write(&mut out, &mut taken);
    }
    out.push_str("}\n");
    out
}

/// A component as seen in all files.
struct Field<'a> {
    name: &'a str,
    values: Vec<&'a str>,
    most_values: usize,
    /// The number of files that list the component.
    listed: usize,
    /// True if a file lacks the component or leaves it empty.
    is_missing: bool,
    /// True if a file does not list the component.
    is_unlisted: bool,
}

/// Merges the components of all files, in the order of the first file that lists them.
fn fields<'a>(files: &[NamedValues<'a>]) -> Vec<Field<'a>> {
    let mut fields: Vec<Field<'a>> = Vec::new();
    for component in files.iter().flat_map(|file| &file.components) {
        let at = fields.iter().position(|field| field.name == component.name());
        let at = at.unwrap_or_else(|| {
            fields.push(Field::new(component));
            fields.len() - 1
        });
        if let Some(field) = fields.get_mut(at) {
            field.add(component);
        }
    }
    for field in &mut fields {
        field.is_unlisted = field.listed < files.len();
        field.is_missing |= field.is_unlisted;
    }
    fields
}

impl<'a> Field<'a> {
    fn new(component: &Component<'a>) -> Self {
        Self {
            name: component.name(),
            values: Vec::new(),
            most_values: 0,
            listed: 0,
            is_missing: false,
            is_unlisted: false,
        }
    }

    fn add(&mut self, component: &Component<'a>) {
        let values = component.values();
        self.values.extend(values.iter().map(String::as_str));
        self.most_values = self.most_values.max(values.len());
        self.listed += 1;
        self.is_missing |= values.iter().all(|value| value.trim().is_empty());
    }

    fn write(&self, out: &mut String, taken: &mut HashSet<String>) {
        let identifier = unique(&field_name(self.name), taken);
        let (scalar, comment) = self.guess();
        let type_name = match (self.most_values, self.is_missing) {
            // A text can be blank.
            (2.., _) if self.has_blank() && scalar != "String" => format!("Vec<Option<{scalar}>>"),
            (2.., _) => format!("Vec<{scalar}>"),
            (_, true) => format!("Option<{scalar}>"),
            (_, false) => scalar.to_owned(),
        };
        let rename = (identifier != self.name).then(|| format!("rename = {:?}", self.name));
        let default = (self.most_values > 1 && self.is_unlisted).then(|| "default".to_owned());
        let attributes: Vec<String> = rename.into_iter().chain(default).collect();
        if !comment.is_empty() {
            let _ = writeln!(out, "    // {comment}");
        }
        if !attributes.is_empty() {
            let _ = writeln!(out, "    #[serde({})]", attributes.join(", "));
        }
        let _ = writeln!(out, "    pub {identifier}: {type_name},");
    }

    fn has_blank(&self) -> bool {
        self.values.iter().any(|value| value.trim().is_empty())
    }

    /// Returns the type of one value, and a comment.
    fn guess(&self) -> (&'static str, &'static str) {
        let values: Vec<&str> = self.values.iter().copied().filter(|value| !value.trim().is_empty()).collect();
        let all = |fits: fn(&str) -> bool| values.iter().all(|value| fits(value));
        if values.is_empty() {
            ("String", "Without a value.")
        } else if all(is_whole_number) {
            ("i64", "")
        } else if all(is_boolean) {
            ("bool", "")
        } else if all(is_iso_date) {
            ("String", "A date: chrono::NaiveDate, jiff::civil::Date or time::Date.")
        } else if all(|value| text::float(value).is_ok() && !is_identifier_number(value)) {
            ("String", "A number: f64, or another number type with documine::extract::with::number_strict.")
        } else {
            ("String", "")
        }
    }
}

/// Returns whether a text is a whole number in digits. A leading zero marks an identifier, such as a postal code.
fn is_whole_number(text: &str) -> bool {
    text.parse::<i64>().is_ok_and(|number| number.to_string() == text)
}

/// Returns whether a text has a leading zero or only digits, as identifiers have.
fn is_identifier_number(text: &str) -> bool {
    text.len() > 1 && text.bytes().all(|byte| byte.is_ascii_digit()) && !is_whole_number(text)
}

fn is_boolean(text: &str) -> bool {
    !matches!(text.trim(), "0" | "1") && text::boolean(text).is_some()
}

fn is_iso_date(text: &str) -> bool {
    text.len() == 10
        && text
            .bytes()
            .enumerate()
            .all(|(at, byte)| if matches!(at, 4 | 7) { byte == b'-' } else { byte.is_ascii_digit() })
}

/// The keywords of Rust, also the reserved ones.
const KEYWORDS: [&str; 53] = [
    "_", "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate", "do", "dyn",
    "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop", "macro",
    "match", "mod", "move", "mut", "override", "priv", "pub", "ref", "return", "self", "Self", "static", "struct",
    "super", "trait", "true", "try", "type", "typeof", "unsafe", "unsized", "use", "virtual", "where", "while",
    "yield",
];
/// Types in the output, which the name of the struct must not hide.
const USED_TYPES: [&str; 4] = ["Option", "String", "Vec", "Self"];

/// Returns a field name in snake case: `InvoiceNumber`, `Invoice Number` and `invoice-number` are `invoice_number`.
fn field_name(name: &str) -> String {
    let name = words(name).iter().map(|word| word.to_lowercase()).collect::<Vec<_>>().join("_");
    let name = composed(&name);
    if name.is_empty() {
        "component".to_owned()
    } else if KEYWORDS.contains(&name.as_str()) {
        format!("{name}_")
    } else if name.starts_with(unicode_ident::is_xid_start) {
        name
    } else {
        format!("_{name}")
    }
}

/// Returns a type name in camel case for a file name; `None` if it does not begin with a letter.
fn type_name(file_name: &str) -> Option<String> {
    let stem = file_name.rsplit_once('.').map_or(file_name, |(stem, _)| stem);
    let mut name = String::new();
    for word in words(stem) {
        let mut letters = word.chars();
        name.extend(letters.next().into_iter().flat_map(char::to_uppercase));
        name.push_str(&letters.as_str().to_lowercase());
    }
    let name = composed(&name);
    let fits = name.starts_with(|c: char| unicode_ident::is_xid_start(c) && c.is_uppercase())
        && !USED_TYPES.contains(&name.as_str());
    fits.then_some(name)
}

/// Returns the text in Unicode NFC, in which the compiler compares identifiers, without characters that case changes made invalid.
fn composed(text: &str) -> String {
    let composed = icu_normalizer::ComposingNormalizerBorrowed::new_nfc().normalize(text);
    composed.chars().filter(|c| unicode_ident::is_xid_continue(*c)).collect()
}

/// Splits a name into words: at characters that an identifier cannot contain, and before a capital after a small letter.
fn words(name: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut letters = name.chars().peekable();
    let mut previous = ' ';
    while let Some(letter) = letters.next() {
        if letter == '_' || !unicode_ident::is_xid_continue(letter) {
            words.push(std::mem::take(&mut word));
        } else {
            let next_is_small = letters.peek().is_some_and(|next| next.is_lowercase());
            let starts = letter.is_uppercase()
                && (previous.is_lowercase() || previous.is_ascii_digit() || (previous.is_uppercase() && next_is_small));
            if starts {
                words.push(std::mem::take(&mut word));
            }
            word.push(letter);
        }
        previous = letter;
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    words
}

/// Numbers a name that is taken: `name_2`.
fn unique(name: &str, taken: &mut HashSet<String>) -> String {
    let mut candidate = name.to_owned();
    let mut number = 2_u32;
    while !taken.insert(candidate.clone()) {
        candidate = format!("{name}_{number}");
        number += 1;
    }
    candidate
}
