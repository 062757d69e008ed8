//! Self-contained HTML pages: templates, a policy that forbids all requests, and data that cannot leave its script element.

use std::io::{self, Write};

use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value};
use serde::Serialize;
use sha2::{Digest, Sha256};

const STYLE: &str = include_str!("templates/style.css");
const SCRIPT: &str = include_str!("templates/table.js");
const TEMPLATES: [(&str, &str); 3] = [
    ("layout.html", include_str!("templates/layout.html")),
    ("report.html", include_str!("templates/report.html")),
    ("difference.html", include_str!("templates/difference.html")),
];
/// The place of the data in a rendered page. Values are escaped and cannot contain it.
const DATA: &str = "<!--data-->";

/// A rendered page without the data of its table.
pub(crate) struct Page {
    html: String,
    data_at: usize,
}

impl Page {
    /// Renders a template.
    pub(crate) fn render(template: &str, context: &impl Serialize) -> io::Result<Self> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_auto_escape_callback(|_| AutoEscape::Html);
        environment.add_filter("count", crate::text::count);
        for (name, text) in TEMPLATES {
            environment.add_template(name, text).map_err(io::Error::other)?;
        }
        // The browser computes the hashes after it has replaced CRLF by LF.
        let (style, script) = (STYLE.replace('\r', ""), SCRIPT.replace('\r', ""));
        let policy = format!(
            "default-src 'none'; script-src 'sha256-{}'; style-src 'sha256-{}'; base-uri 'none'; form-action 'none'",
            hash(&script),
            hash(&style)
        );
        let page = minijinja::context! {
            page => Value::from(Serde(context)),
            style => Value::from_safe_string(style),
            script => Value::from_safe_string(script),
            policy => Value::from_safe_string(policy),
        };
        let template = environment.get_template(template).map_err(io::Error::other)?;
        let html = template.render(page).map_err(io::Error::other)?.replace('\r', "");
        let data_at = html.find(DATA).ok_or_else(|| io::Error::other("the template has no place for data"))?;
        Ok(Self { html, data_at })
    }

    /// Writes the page; `data` writes the content of the data element.
    pub(crate) fn write(
        &self,
        writer: &mut impl Write,
        data: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> io::Result<()> {
        writer.write_all(&self.html.as_bytes()[..self.data_at])?;
        data(writer)?;
        writer.write_all(&self.html.as_bytes()[self.data_at + DATA.len()..])
    }
}

/// Escapes JSON for a script element: no `<`, `>` or `&` is left, so that no value ends the element. JSON has these characters in texts only.
pub(crate) struct ScriptData<W> {
    writer: W,
    written: u64,
}

impl<W: Write> ScriptData<W> {
    pub(crate) fn new(writer: W) -> Self {
        Self { writer, written: 0 }
    }

    /// Returns the number of bytes written.
    pub(crate) fn written(&self) -> u64 {
        self.written
    }

    pub(crate) fn into_inner(self) -> W {
        self.writer
    }

    pub(crate) fn json(&mut self, value: &impl Serialize) -> io::Result<()> {
        serde_json::to_writer(self, value).map_err(io::Error::from)
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.written += bytes.len() as u64;
        self.writer.write_all(bytes)
    }
}

impl<W: Write> Write for ScriptData<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for chunk in bytes.split_inclusive(|byte| matches!(byte, b'<' | b'>' | b'&')) {
            let (escape, plain) = match chunk.split_last() {
                Some((b'<', plain)) => ("\\u003c", plain),
                Some((b'>', plain)) => ("\\u003e", plain),
                Some((b'&', plain)) => ("\\u0026", plain),
                _ => ("", chunk),
            };
            self.put(plain)?;
            self.put(escape.as_bytes())?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

/// Returns the SHA-256 of a text in Base64, as a content security policy states it.
fn hash(text: &str) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut base64 = String::with_capacity(44);
    for group in Sha256::digest(text).chunks(3) {
        let bits =
            (0..3).fold(0_u32, |bits, index| bits << 8 | u32::from(group.get(index).copied().unwrap_or_default()));
        for index in 0..4 {
            let digit = ALPHABET[(bits >> (18 - 6 * index) & 63) as usize];
            base64.push(if index <= group.len() { char::from(digit) } else { '=' });
        }
    }
    base64
}
