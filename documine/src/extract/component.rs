//! Views of one component and of one of its values, each with its details.

use crate::models::{ComponentValue, EntityReference};

/// One component of a file: its name and its values, with their details if the service included them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Component<'a> {
    name: &'a str,
    values: &'a [String],
    details: &'a [ComponentValue],
    /// Set for the number of a cell, whose text is written by this crate.
    is_number: bool,
}

impl<'a> Component<'a> {
    pub(crate) fn new(name: &'a str, values: &'a [String], details: &'a [ComponentValue]) -> Self {
        Self { name, values, details, is_number: false }
    }

    /// Creates the column of a report.
    #[cfg(feature = "package")]
    pub(crate) fn of_cell(name: &'a str, values: &'a [String], is_number: bool) -> Self {
        Self { name, values, details: &[], is_number }
    }

    /// Returns the name.
    pub fn name(&self) -> &'a str {
        self.name
    }

    /// Returns the values in the document's order.
    pub fn values(&self) -> &'a [String] {
        self.values
    }

    /// Returns the values with their details, in the same order.
    pub fn iter(&self) -> impl Iterator<Item = SourcedValue<'a>> + use<'a> {
        let component = *self;
        (0..component.values.len()).filter_map(move |index| component.get(index))
    }

    /// Returns the value at `index` with its details.
    pub fn get(&self, index: usize) -> Option<SourcedValue<'a>> {
        let raw = self.values.get(index)?;
        // Details of another value would state a wrong page.
        let same = |detail: &&ComponentValue| detail.value.as_ref().is_none_or(|value| value == raw);
        Some(SourcedValue { raw, detail: self.details.get(index).filter(same) })
    }

    /// Returns the number of values.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Returns whether the component has no value.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    pub(super) fn is_number(&self) -> bool {
        self.is_number
    }
}

/// One value of a component with its details.
///
/// All but [`raw`](Self::raw) is `None` or empty unless the components were requested with `include_details(true)`, and for details that state
/// another value than the component has at this place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SourcedValue<'a> {
    raw: &'a str,
    detail: Option<&'a ComponentValue>,
}

impl<'a> SourcedValue<'a> {
    /// Creates a value without details.
    pub(super) fn bare(raw: &'a str) -> Self {
        Self { raw, detail: None }
    }

    /// Returns the text of the value.
    pub fn raw(&self) -> &'a str {
        self.raw
    }

    /// Returns the text in the document, before a rule or a user changed it.
    pub fn original(&self) -> Option<&'a str> {
        self.detail?.original_value.as_deref()
    }

    /// Returns the number of the first page, counted from 1.
    pub fn page(&self) -> Option<u32> {
        self.pages().next()
    }

    /// Returns the numbers of all pages in the order of the service, without immediate repetitions.
    pub fn pages(&self) -> impl Iterator<Item = u32> + use<'a> {
        let mut last = None;
        self.references()
            .iter()
            .filter_map(|reference| u32::try_from(reference.page?).ok())
            .filter(move |page| last.replace(*page) != Some(*page))
    }

    /// Returns the id of the rule that created the value.
    pub fn rule(&self) -> Option<&'a str> {
        self.detail?.component_rule_id.as_deref()
    }

    /// Returns the description of the value by the rule.
    pub fn description(&self) -> Option<&'a str> {
        self.detail?.value_description.as_deref()
    }

    /// Returns the positions in the document from which the value was extracted.
    pub fn references(&self) -> &'a [EntityReference] {
        self.detail.map_or(&[], |detail| detail.entity_references.as_slice())
    }
}
