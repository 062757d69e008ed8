//! Which components a type needs, held against those that a service gives, before anything runs. Feature `schemars`.

use std::fmt::{self, Display};
use std::marker::PhantomData;

use schemars::JsonSchema;

use super::NamedValues;
use super::failure::{list, shown};
use super::schema;
use super::suggest::suggest;

/// The components that `T` reads, as its JSON schema tells.
///
/// Serde's renames, `default`, `flatten`, `Option` and nested newtypes are followed. Two things a schema does not tell: an `alias` (the
/// check wants the main name), and whether a text will parse.
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
    /// The components without which `T` cannot be read, in the order of its fields where the schema keeps it.
    pub fn needs() -> Vec<String> {
        schema::fields::<T>().needs
    }

    /// The components that `T` reads when they are there.
    pub fn can_use() -> Vec<String> {
        schema::fields::<T>().can_use
    }

    /// Holds them against the names that `given` lists.
    #[must_use = "the report says whether the type can be read"]
    pub fn check<N: ComponentNames + ?Sized>(given: &N) -> ComponentReport {
        let fields = schema::fields::<T>();
        let given = given.component_names();
        let absent = |names: &[String], required| -> Vec<MissingComponent> {
            let absent = names.iter().filter(|name| !given.contains(&name.as_str()));
            let suggest = |name: &str| suggest(name, given.iter().copied()).map(str::to_owned);
            absent.map(|name| MissingComponent { similar: suggest(name), name: name.clone(), required }).collect()
        };
        let mut missing = absent(&fields.needs, true);
        missing.extend(absent(&fields.can_use, false));
        let is_known = |name: &str| fields.any || fields.needs.iter().chain(&fields.can_use).any(|known| known == name);
        let unused = given.iter().filter(|name| !is_known(name)).map(|name| (*name).to_owned()).collect();
        ComponentReport {
            type_name: T::schema_name().into_owned(),
            needs: fields.needs,
            can_use: fields.can_use,
            given: given.len(),
            missing,
            unused,
        }
    }
}

/// Anything that lists component names: names, a file's components, a template.
pub trait ComponentNames {
    /// The names, in the order of the template.
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

/// What [`ComponentMap::check`] found. `Display` gives it in a few lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComponentReport {
    type_name: String,
    needs: Vec<String>,
    can_use: Vec<String>,
    given: usize,
    missing: Vec<MissingComponent>,
    unused: Vec<String>,
}

/// A component that the type reads and the service does not list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingComponent {
    name: String,
    similar: Option<String>,
    required: bool,
}

impl MissingComponent {
    /// Its name as the type knows it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A given name that differs in case, blanks, underscores or the like only.
    pub fn similar(&self) -> Option<&str> {
        self.similar.as_deref()
    }

    /// Whether the type cannot be read without it.
    pub fn is_required(&self) -> bool {
        self.required
    }
}

impl ComponentReport {
    /// The components the type cannot do without.
    pub fn needs(&self) -> &[String] {
        &self.needs
    }

    /// The components the type reads when they are there.
    pub fn can_use(&self) -> &[String] {
        &self.can_use
    }

    /// Those of both kinds that are not given, the required ones first.
    pub fn missing(&self) -> &[MissingComponent] {
        &self.missing
    }

    /// Given components that the type does not read.
    pub fn unused(&self) -> &[String] {
        &self.unused
    }

    /// Whether everything required is given.
    pub fn is_satisfied(&self) -> bool {
        !self.missing.iter().any(MissingComponent::is_required)
    }

    /// The report if everything required is given, else an error that holds it.
    pub fn into_result(self) -> Result<Self, UnmetComponents> {
        if self.is_satisfied() { Ok(self) } else { Err(UnmetComponents(Box::new(self))) }
    }

    fn missing_line(&self, required: bool) -> String {
        let name = |missing: &MissingComponent| match &missing.similar {
            Some(similar) => format!("{} ({} is given)", shown(&missing.name), shown(similar)),
            None => shown(&missing.name),
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
            write!(f, "\n  unused: {}", list(&self.unused))?;
        }
        Ok(())
    }
}

/// A type needs components that are not given. `Display` is one line; the [report](Self::report) has the rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnmetComponents(Box<ComponentReport>);

impl UnmetComponents {
    /// The whole report.
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
