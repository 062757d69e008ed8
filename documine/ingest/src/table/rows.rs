//! The rows of a table: one per value, or one per document.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use documine::Components;
use documine::extract::Component;

use super::types::{Cell, CellKind, Column, Inference, ValueType};
use super::{Shape, Table};
use crate::document::{DocumentRecord, DocumentState};
use crate::error::Result;

/// The columns of a long table before those of typed values.
const LONG_VALUE: [(&str, CellKind); 5] = [
    ("source", CellKind::Text),
    ("sha256", CellKind::Text),
    ("component", CellKind::Text),
    ("index", CellKind::Integer),
    ("value", CellKind::Text),
];
/// The columns of typed values in a long table, where components of all types share them.
const LONG_TYPED: [(&str, CellKind); 3] =
    [("number", CellKind::Number), ("date", CellKind::Date), ("boolean", CellKind::Boolean)];
/// The columns of a long table after those of typed values.
const LONG_ORIGIN: [(&str, CellKind); 8] = [
    ("original", CellKind::Text),
    ("description", CellKind::Text),
    ("page", CellKind::Integer),
    ("rule", CellKind::Text),
    ("dossier_id", CellKind::Text),
    ("file_id", CellKind::Text),
    ("file_name", CellKind::Text),
    ("analysed_at", CellKind::Text),
];
/// The columns of a wide table before those of the components.
const WIDE: [(&str, CellKind); 7] = [
    ("source", CellKind::Text),
    ("sha256", CellKind::Text),
    ("dossier_id", CellKind::Text),
    ("file_id", CellKind::Text),
    ("file_name", CellKind::Text),
    ("pages", CellKind::Integer),
    ("analysed_at", CellKind::Text),
];
/// Distinguishes a component from a column of the table.
const CLASH_PREFIX: &str = "component:";

/// The layout of a table: its columns, and the rows of each document.
#[derive(Debug)]
pub(super) struct Layout {
    columns: Vec<Column>,
    types: HashMap<String, ValueType>,
    shape: Shape,
    /// The components of a wide table by their place in a row.
    places: HashMap<String, usize>,
    has_typed_columns: bool,
    separator: String,
}

impl Layout {
    /// Creates the layout of a table. Reads all documents once if the columns or their types depend on them.
    pub(super) fn new(table: &Table, documents: impl Iterator<Item = Result<DocumentRecord>>) -> Result<Self> {
        let is_wide = table.shape == Shape::Wide;
        let needs_names = is_wide && table.columns.is_none();
        let survey = if needs_names || table.infer { Survey::new(documents, table.infer)? } else { Survey::default() };
        let mut types = HashMap::new();
        for (name, facts) in survey.names.iter().zip(&survey.facts) {
            // A typed cell holds one value.
            let fits = table.infer && !(is_wide && facts.has_several);
            if let Some(value_type) = facts.inference.value_type().filter(|_| fits) {
                types.insert(name.clone(), value_type);
            }
        }
        types.extend(table.types.iter().map(|(name, value_type)| (name.clone(), *value_type)));
        types.retain(|_, value_type| *value_type != ValueType::Text);
        let mut layout = Self {
            columns: Vec::new(),
            types,
            shape: table.shape,
            places: HashMap::new(),
            has_typed_columns: table.infer || !table.types.is_empty(),
            separator: table.separator.clone(),
        };
        if is_wide {
            layout.add_wide_columns(table.columns.as_ref().unwrap_or(&survey.names));
        } else {
            let typed_columns: &[_] = if layout.has_typed_columns { &LONG_TYPED } else { &[] };
            layout.add_columns(&LONG_VALUE);
            layout.add_columns(typed_columns);
            layout.add_columns(&LONG_ORIGIN);
        }
        Ok(layout)
    }

    fn add_columns(&mut self, columns: &[(&str, CellKind)]) {
        self.columns.extend(columns.iter().map(|(name, kind)| Column::new(*name, *kind)));
    }

    fn add_wide_columns(&mut self, names: &[String]) {
        self.add_columns(&WIDE);
        for name in names {
            let kind = self.types.get(name).map_or(CellKind::Text, |value_type| value_type.kind());
            self.places.insert(name.clone(), self.columns.len());
            self.columns.push(Column::new(wide_name(name), kind));
        }
    }

    /// Returns the columns.
    pub(super) fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// Passes each row of a document to `write`. Documents that did not succeed have no rows.
    pub(super) fn write_document(
        &self,
        document: &DocumentRecord,
        counts: &mut RowCounts,
        mut write: impl FnMut(&[Cell<'_>]) -> Result<()>,
    ) -> Result<()> {
        if document.state != DocumentState::Succeeded {
            return Ok(());
        }
        counts.documents += 1;
        match self.shape {
            Shape::Long => self.write_values(document, counts, &mut write),
            Shape::Wide => {
                counts.rows += 1;
                write(&self.wide_row(document, counts))
            }
        }
    }

    fn write_values(
        &self,
        document: &DocumentRecord,
        counts: &mut RowCounts,
        write: &mut impl FnMut(&[Cell<'_>]) -> Result<()>,
    ) -> Result<()> {
        let Some(components) = &document.components else { return Ok(()) };
        let mut row = Vec::with_capacity(self.columns.len());
        for component in components.iter() {
            let value_type = self.types.get(component.name()).copied();
            for (index, value) in (0_i64..).zip(component.iter()) {
                row.clear();
                row.extend([
                    Cell::text(&document.source),
                    Cell::text_or_empty(document.sha256.as_deref()),
                    Cell::text(component.name()),
                    Cell::Integer(index),
                    Cell::text(value.raw()),
                ]);
                if self.has_typed_columns {
                    let typed = value_type.map_or(Cell::Empty, |value_type| parse(value_type, value.raw(), counts));
                    row.extend(
                        LONG_TYPED.map(|(_, kind)| if holds(kind, &typed) { typed.clone() } else { Cell::Empty }),
                    );
                }
                row.extend([
                    Cell::text_or_empty(value.original()),
                    Cell::text_or_empty(value.description()),
                    value.page().map_or(Cell::Empty, |page| Cell::Integer(page.into())),
                    Cell::text_or_empty(value.rule()),
                    Cell::text_or_empty(document.dossier_id.as_deref()),
                    Cell::text_or_empty(document.file_id.as_deref()),
                    Cell::text(&document.file_name),
                    Cell::text_or_empty(document.analysed_at.as_deref()),
                ]);
                counts.rows += 1;
                write(&row)?;
            }
        }
        Ok(())
    }

    fn wide_row<'a>(&self, document: &'a DocumentRecord, counts: &mut RowCounts) -> Vec<Cell<'a>> {
        let mut row = vec![
            Cell::text(&document.source),
            Cell::text_or_empty(document.sha256.as_deref()),
            Cell::text_or_empty(document.dossier_id.as_deref()),
            Cell::text_or_empty(document.file_id.as_deref()),
            Cell::text(&document.file_name),
            document.pages.map_or(Cell::Empty, |pages| Cell::Integer(pages.into())),
            Cell::text_or_empty(document.analysed_at.as_deref()),
        ];
        row.resize(self.columns.len(), Cell::Empty);
        for component in document.components.iter().flat_map(Components::iter) {
            if let Some(cell) = self.places.get(component.name()).and_then(|place| row.get_mut(*place)) {
                *cell = self.wide_cell(component, counts);
            }
        }
        row
    }

    fn wide_cell<'a>(&self, component: Component<'a>, counts: &mut RowCounts) -> Cell<'a> {
        match (component.values(), self.types.get(component.name())) {
            ([], _) => Cell::Empty,
            ([only], Some(value_type)) => parse(*value_type, only, counts),
            (several, Some(_)) => {
                counts.unparsed += several.len() as u64;
                Cell::Empty
            }
            ([only], None) => Cell::text(only),
            (several, None) => Cell::Text(Cow::Owned(several.join(&self.separator))),
        }
    }
}

/// Returns the name of a component's column, distinct from all other columns.
fn wide_name(component: &str) -> String {
    let is_taken = WIDE.iter().any(|(name, _)| name.eq_ignore_ascii_case(component));
    if is_taken || component.starts_with(CLASH_PREFIX) {
        format!("{CLASH_PREFIX}{component}")
    } else {
        component.to_owned()
    }
}

fn holds(kind: CellKind, cell: &Cell<'_>) -> bool {
    match cell {
        Cell::Empty => true,
        Cell::Integer(_) | Cell::Number(_) => kind == CellKind::Number,
        Cell::Boolean(_) => kind == CellKind::Boolean,
        Cell::Date(_) => kind == CellKind::Date,
        Cell::Text(_) => kind == CellKind::Text,
    }
}

/// Parses a value. A blank value is no value.
fn parse<'a>(value_type: ValueType, text: &'a str, counts: &mut RowCounts) -> Cell<'a> {
    if text.trim().is_empty() {
        return Cell::Empty;
    }
    value_type.parse(text).unwrap_or_else(|| {
        counts.unparsed += 1;
        Cell::Empty
    })
}

/// The numbers of what was written.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct RowCounts {
    pub(super) rows: u64,
    pub(super) documents: u64,
    pub(super) unparsed: u64,
}

/// The components of all documents in the order of their first appearance, which is that of the template.
#[derive(Debug, Default)]
struct Survey {
    names: Vec<String>,
    facts: Vec<ComponentFacts>,
}

#[derive(Debug)]
struct ComponentFacts {
    inference: Inference,
    has_several: bool,
}

impl Survey {
    fn new(documents: impl Iterator<Item = Result<DocumentRecord>>, infer: bool) -> Result<Self> {
        let mut survey = Self::default();
        let mut places: HashMap<String, usize> = HashMap::new();
        for document in documents {
            let document = document?;
            for component in document.components.iter().flat_map(Components::iter) {
                let place = places.get(component.name()).copied().unwrap_or_else(|| {
                    let place = survey.names.len();
                    places.insert(component.name().to_owned(), place);
                    survey.names.push(component.name().to_owned());
                    survey.facts.push(ComponentFacts { inference: Inference::new(), has_several: false });
                    place
                });
                let facts = &mut survey.facts[place];
                facts.has_several |= component.len() > 1;
                if infer {
                    component.values().iter().for_each(|value| facts.inference.add(value));
                }
            }
        }
        Ok(survey)
    }
}

/// Returns the first name that occurs twice.
pub(super) fn repeated(names: &[String]) -> Option<&str> {
    let mut seen = HashSet::new();
    names.iter().map(String::as_str).find(|name| !seen.insert(*name))
}
