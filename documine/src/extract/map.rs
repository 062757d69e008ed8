//! Compares the components that a type reads with those of a template, before any request. Feature `schemars`.

use std::fmt::{self, Display};
use std::marker::PhantomData;

use schemars::JsonSchema;

use super::failure::{quoted, quoted_list};
use super::named_values::NamedValues;
use super::schema;
use super::suggest::suggest;

/// The components that `T` reads, according to its JSON schema.
///
/// Follows serde's renames, `default`, `flatten`, `Option` and nested newtypes. A schema contains neither an `alias` (the check expects the main
/// name) nor the format of a text.
///
/// ```
/// use documine::extract::ComponentMap;
///
/// #[derive(schemars::JsonSchema, serde::Deserialize)]
/// struct Study {
///     #[serde(rename = "Study_Title")]
///     title: String,
///     #[serde(rename = "Sponsor")]
///     sponsor: Option<String>,
/// }
///
/// let report = ComponentMap::<Study>::check(&["Study Title", "Sponsor", "Species"]);
/// assert!(!report.is_satisfied());
/// assert_eq!(report.missing()[0].name(), "Study_Title");
/// assert_eq!(report.missing()[0].similar(), Some("Study Title"));
/// assert_eq!(report.unused(), ["Study Title", "Species"]);
/// assert_eq!(
///     report.to_string(),
///     "Study needs 1 component and can use 1 more; 3 are given\n  \
///      missing: \"Study_Title\" (\"Study Title\" is given)\n  \
///      unused: \"Study Title\", \"Species\""
/// );
/// ```
#[derive(Debug)]
pub struct ComponentMap<T> {
    of: PhantomData<fn() -> T>,
}

impl<T: JsonSchema> ComponentMap<T> {
    /// Returns the components that `T` requires, in the order of its fields if the schema preserves it.
    pub fn needs() -> Vec<String> {
        schema::fields::<T>().required
    }

    /// Returns the optional components of `T`.
    pub fn can_use() -> Vec<String> {
        schema::fields::<T>().optional
    }

    /// Compares the components of `T` with the names of `given`.
    #[must_use = "the report says whether the type can be read"]
    pub fn check<N: ComponentNames + ?Sized>(given: &N) -> ComponentReport {
        let fields = schema::fields::<T>();
        let given = given.component_names();
        let absent = |names: &[String], required| -> Vec<MissingComponent> {
            let absent = names.iter().filter(|name| !given.contains(&name.as_str()));
            let suggest = |name: &str| suggest(name, given.iter().copied()).map(str::to_owned);
            absent.map(|name| MissingComponent { similar: suggest(name), name: name.clone(), required }).collect()
        };
        let mut missing = absent(&fields.required, true);
        missing.extend(absent(&fields.optional, false));
        let is_known =
            |name: &str| fields.any || fields.required.iter().chain(&fields.optional).any(|known| known == name);
        let unused = given.iter().filter(|name| !is_known(name)).map(|name| (*name).to_owned()).collect();
        ComponentReport {
            type_name: T::schema_name().into_owned(),
            needs: fields.required,
            can_use: fields.optional,
            given: given.len(),
            missing,
            unused,
        }
    }
}

/// A source of component names: names, the components of a file, a template.
pub trait ComponentNames {
    /// Returns the names in the order of the template.
    fn component_names(&self) -> Vec<&str>;
}

impl<S: AsRef<str>> ComponentNames for [S] {
    fn component_names(&self) -> Vec<&str> {
        self.iter().map(AsRef::as_ref).collect()
    }
}

impl<S: AsRef<str>, const COUNT: usize> ComponentNames for [S; COUNT] {
    fn component_names(&self) -> Vec<&str> {
        self.as_slice().component_names()
    }
}

impl<S: AsRef<str>> ComponentNames for Vec<S> {
    fn component_names(&self) -> Vec<&str> {
        self.as_slice().component_names()
    }
}

impl ComponentNames for NamedValues<'_> {
    fn component_names(&self) -> Vec<&str> {
        self.names().collect()
    }
}

impl ComponentNames for crate::models::FileComponents {
    fn component_names(&self) -> Vec<&str> {
        self.components.keys().map(String::as_str).collect()
    }
}

/// The result of [`ComponentMap::check`]. `Display` has a few lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComponentReport {
    type_name: String,
    needs: Vec<String>,
    can_use: Vec<String>,
    given: usize,
    missing: Vec<MissingComponent>,
    unused: Vec<String>,
}

/// A component that the type reads and the template does not list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingComponent {
    name: String,
    similar: Option<String>,
    required: bool,
}

impl MissingComponent {
    /// Returns the name by which the type knows the component.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns a listed name that differs only in case, spaces, underscores or punctuation.
    pub fn similar(&self) -> Option<&str> {
        self.similar.as_deref()
    }

    /// Returns whether the type requires the component.
    pub fn is_required(&self) -> bool {
        self.required
    }
}

impl ComponentReport {
    /// Returns the required components.
    pub fn needs(&self) -> &[String] {
        &self.needs
    }

    /// Returns the optional components.
    pub fn can_use(&self) -> &[String] {
        &self.can_use
    }

    /// Returns the components that are not listed, required ones first.
    pub fn missing(&self) -> &[MissingComponent] {
        &self.missing
    }

    /// Returns the listed components that the type does not read.
    pub fn unused(&self) -> &[String] {
        &self.unused
    }

    /// Returns whether all required components are listed.
    pub fn is_satisfied(&self) -> bool {
        !self.missing.iter().any(MissingComponent::is_required)
    }

    /// Returns the report if all required components are listed, otherwise an error that contains it.
    pub fn into_result(self) -> Result<Self, UnmetComponents> {
        if self.is_satisfied() { Ok(self) } else { Err(UnmetComponents(Box::new(self))) }
    }

    fn missing_line(&self, required: bool) -> String {
        let name = |missing: &MissingComponent| match &missing.similar {
            Some(similar) => format!("{} ({} is given)", quoted(&missing.name), quoted(similar)),
            None => quoted(&missing.name),
        };
        self.missing.iter().filter(|missing| missing.required == required).map(name).collect::<Vec<_>>().join(", ")
    }
}

impl Display for ComponentReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (needs, more, given) = (self.needs.len(), self.can_use.len(), self.given);
        let needed = if needs == 1 { "component" } else { "components" };
        let are = if given == 1 { "is" } else { "are" };
        write!(f, "{} needs {needs} {needed} and can use {more} more; {given} {are} given", self.type_name)?;
        for (label, required) in [("missing", true), ("missing, but optional", false)] {
            let line = self.missing_line(required);
            if !line.is_empty() {
                write!(f, "\n  {label}: {line}")?;
            }
        }
        if !self.unused.is_empty() {
            write!(f, "\n  unused: {}", quoted_list(&self.unused))?;
        }
        Ok(())
    }
}

/// The error of a type that requires components which are not listed.
///
/// `Display` is one line; [`report`](Self::report) returns all details.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnmetComponents(Box<ComponentReport>);

impl UnmetComponents {
    /// Returns the full report.
    pub fn report(&self) -> &ComponentReport {
        &self.0
    }
}

impl Display for UnmetComponents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} needs components that are not given: {}", self.0.type_name, self.0.missing_line(true))
    }
}

impl std::error::Error for UnmetComponents {}
