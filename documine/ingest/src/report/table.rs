//! The data of the table of a page: documents with their rows, and the names that rows refer to.

use std::collections::HashMap;
use std::io::{self, Write};

use serde::Serialize;

use super::page::ScriptData;

/// A row of the table.
#[derive(Debug, Default)]
pub(crate) struct Row<'a> {
    /// The index of the status.
    pub(crate) status: usize,
    pub(crate) component: Option<&'a str>,
    pub(crate) page: Option<u32>,
    pub(crate) rule: Option<&'a str>,
    pub(crate) texts: Vec<std::borrow::Cow<'a, str>>,
}

/// The document of rows.
#[derive(Debug)]
pub(crate) struct RowDocument<'a> {
    pub(crate) source: &'a str,
    pub(crate) href: Option<&'a str>,
    pub(crate) file_id: Option<&'a str>,
}

/// Writes the data of a table document by document.
///
/// `{"documents": [[source, URL, file, [[status, component, page, rule, text…]…]]…], "components": […], "rules": […], …}`; component and rule are
/// indices from 1, and 0 stands for none.
pub(crate) struct TableWriter<W> {
    data: ScriptData<W>,
    components: Names,
    rules: Names,
    is_first: bool,
    limit: u64,
    is_full: bool,
}

impl<W: Write> TableWriter<W> {
    /// Starts a table. After `limit` bytes, documents are left out.
    pub(crate) fn new(writer: W, limit: u64) -> io::Result<Self> {
        let mut data = ScriptData::new(writer);
        data.write_all(b"{\"documents\":[")?;
        Ok(Self { data, components: Names::default(), rules: Names::default(), is_first: true, limit, is_full: false })
    }

    /// Adds a document. Returns whether there was space.
    pub(crate) fn add(&mut self, document: &RowDocument<'_>, rows: &[Row<'_>]) -> io::Result<bool> {
        if self.is_full {
            return Ok(false);
        }
        let rows: Vec<_> = rows
            .iter()
            .map(|row| {
                let component = self.components.index(row.component);
                let rule = self.rules.index(row.rule);
                RowCells { head: (row.status, component, row.page.unwrap_or_default(), rule), texts: &row.texts }
            })
            .collect();
        let json = serde_json::to_vec(&(document.source, document.href, document.file_id, rows))?;
        if self.data.written() + json.len() as u64 > self.limit {
            self.is_full = true;
            return Ok(false);
        }
        if !std::mem::take(&mut self.is_first) {
            self.data.write_all(b",\n")?;
        }
        self.data.write_all(&json)?;
        Ok(true)
    }

    /// Ends the table. `statuses` are the names of the statuses, `texts` the titles of the columns of texts.
    pub(crate) fn finish(mut self, statuses: &[&str], texts: &[&str]) -> io::Result<W> {
        self.data.write_all(b"]")?;
        for (key, names) in [
            ("components", &self.components.names[..]),
            ("rules", &self.rules.names[..]),
            ("statuses", &owned(statuses)),
            ("texts", &owned(texts)),
        ] {
            write!(self.data, ",\"{key}\":")?;
            self.data.json(&names)?;
        }
        self.data.write_all(b"}")?;
        self.data.flush()?;
        Ok(self.data.into_inner())
    }
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

struct RowCells<'a> {
    head: (usize, usize, u32, usize),
    texts: &'a [std::borrow::Cow<'a, str>],
}

impl Serialize for RowCells<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeSeq;
        let mut cells = serializer.serialize_seq(Some(4 + self.texts.len()))?;
        let (status, component, page, rule) = self.head;
        cells.serialize_element(&status)?;
        cells.serialize_element(&component)?;
        cells.serialize_element(&page)?;
        cells.serialize_element(&rule)?;
        for text in self.texts {
            cells.serialize_element(text)?;
        }
        cells.end()
    }
}

#[derive(Default)]
struct Names {
    names: Vec<String>,
    indices: HashMap<String, usize>,
}

impl Names {
    /// Returns the index from 1; 0 without a name.
    fn index(&mut self, name: Option<&str>) -> usize {
        let Some(name) = name else { return 0 };
        if let Some(index) = self.indices.get(name) {
            return *index;
        }
        self.names.push(name.to_owned());
        self.indices.insert(name.to_owned(), self.names.len());
        self.names.len()
    }
}
