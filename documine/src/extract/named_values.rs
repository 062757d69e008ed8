//! The input of the extraction: component names with their values.

/// The components of one file: names with their values, in the order of the template.
#[derive(Debug, Clone)]
pub struct NamedValues<'a> {
    pub(super) components: Vec<(&'a str, &'a [String])>,
    pub(super) file_name: Option<&'a str>,
    pub(super) file_id: Option<&'a str>,
}

impl<'a> NamedValues<'a> {
    /// Creates the components from names and values, in the given order.
    pub fn new<I>(components: I) -> Self
    where
        I: IntoIterator<Item = (&'a str, &'a [String])>,
    {
        Self { components: components.into_iter().collect(), file_name: None, file_id: None }
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
        self.components.iter().map(|(name, _)| *name)
    }

    /// Returns the values of a component; empty if it has none or is not listed.
    pub fn values(&self, name: &str) -> &'a [String] {
        self.components.iter().find(|(listed, _)| *listed == name).map_or(&[], |(_, values)| *values)
    }
}
