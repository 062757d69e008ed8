//! The input of the extraction: component names with their values.

use super::component::Component;
use crate::models::{ComponentValue, FileComponents};

/// The components of one file: names with their values, in the order of the template.
#[derive(Debug, Clone)]
pub struct NamedValues<'a> {
    pub(super) components: Vec<Component<'a>>,
    pub(super) file_name: Option<&'a str>,
    pub(super) file_id: Option<&'a str>,
    pub(super) terms: &'static Terms,
}

/// The words by which errors name a value and the place that lists it.
#[derive(Debug)]
pub(crate) struct Terms {
    pub(super) item: &'static str,
    pub(super) container: &'static str,
}

const COMPONENTS: &Terms = &Terms { item: "component", container: "file" };
/// The terms of a report.
#[cfg(feature = "package")]
pub(crate) const COLUMNS: &Terms = &Terms { item: "column", container: "sheet" };

impl<'a> NamedValues<'a> {
    /// Creates the components from names and values, in the given order.
    pub fn new<I>(components: I) -> Self
    where
        I: IntoIterator<Item = (&'a str, &'a [String])>,
    {
        Self::of_components(components.into_iter().map(|(name, values)| Component::new(name, values, &[])), COMPONENTS)
    }

    pub(crate) fn of_components(components: impl IntoIterator<Item = Component<'a>>, terms: &'static Terms) -> Self {
        Self { components: components.into_iter().collect(), file_name: None, file_id: None, terms }
    }

    /// Sets the file that errors name.
    #[must_use = "the returned value names the file"]
    pub fn of_file(mut self, name: Option<&'a str>, id: Option<&'a str>) -> Self {
        self.file_name = name;
        self.file_id = id;
        self
    }

    /// Returns the names in the order of the template.
    pub fn names(&self) -> impl Iterator<Item = &'a str> + '_ {
        self.components.iter().map(Component::name)
    }

    /// Returns the values of a component; empty if it has none or is not listed.
    pub fn values(&self, name: &str) -> &'a [String] {
        self.components.iter().find(|listed| listed.name() == name).map_or(&[], Component::values)
    }
}

/// Takes the components with their details, and the file that errors name.
impl<'a> From<&'a FileComponents> for NamedValues<'a> {
    fn from(model: &'a FileComponents) -> Self {
        Self::of_components(components_of(model), COMPONENTS)
            .of_file(model.file_name.as_deref(), Some(model.file_id.as_str()))
    }
}

/// Returns the components of a file with their details, in the order of the template.
pub(crate) fn components_of(model: &FileComponents) -> impl Iterator<Item = Component<'_>> {
    model.components.iter().map(|(name, values)| Component::new(name, values, details_of(model, name)))
}

/// Returns the details of the values of one component; empty if the service did not include them.
pub(crate) fn details_of<'a>(model: &'a FileComponents, name: &str) -> &'a [ComponentValue] {
    model.component_details.get(name).map_or(&[], |details| details.values.as_slice())
}
