//! Typed extraction: the components of a file as a type of the caller's own.
//!
//! A component is a name with a list of texts. Any `T: Deserialize` whose field names, after serde's renames, are component names can be
//! read from them:
//!
//! | The component has | The field may be |
//! |---|---|
//! | one value | a scalar, an `Option`, a list of one |
//! | several values | a `Vec`, a set, a tuple or an array of that length; for a scalar it is an error that says how many there are |
//! | an empty list | `None`, an empty list, the `#[serde(default)]`; for anything else it is an error |
//! | not listed at all | `None` or the `#[serde(default)]`; for anything else, lists too, it is an error: the name is probably misspelt |
//!
//! What a text becomes:
//!
//! - **Texts** (`String`) are kept as they are, white space included. A blank text is `None` for an `Option`.
//! - **Integers and floats**: white space around is dropped. Thousands separators and decimal commas are understood where only one reading
//!   is possible: `1 234`, `1'234`, `1,234,567`, `1,234.50`, `1.234,50`, `12,5`. Every dash that documents set as a minus sign is one, blanks of any
//!   width group thousands, and full-width characters count as their ASCII forms. A single dot is always a decimal point. A single comma
//!   before exactly three digits (`1,234`) could mean either, so it is refused; [`with::english`] or [`with::continental`] states the notation, and these
//!   read `(1,234.50)` and `1,234.50-` as negative. A number with a unit or a currency is no number.
//! - **Amounts of money**: [`Money`] keeps the currency beside the number (`EUR 1.234,50`, `$1,234.50`, `1 234,50 €`); [`with::amount`] reads the number
//!   alone.
//! - **Booleans**: `true`/`false`, `yes`/`no`, `1`/`0` in any case.
//! - **Enums** of plain variants: the text is the variant's name (serde's renames apply), with its case; white space around is dropped.
//! - **Dates** and everything else that deserialises from a string (chrono, jiff, time, uuid, url, ids): given the text as it is.
//!   [`with::date`] turns `12 March 2024` and its like into `2024-03-12` first; [`with::date_day_first`] and [`with::date_month_first`] state what
//!   `03/04/2024` means.
//!
//! `#[serde(flatten)]`, `deny_unknown_fields`, `default`, `alias`, newtypes and maps (`HashMap<String, Vec<String>>`) work. Behind `flatten`
//! serde does not say which type a field has, and so the reader finds out by trying: a mismatch makes it read the component again as what
//! was expected (a type's `Deserialize` therefore runs more than once). Three limits are serde's own: `u128`/`i128` do not work behind
//! `flatten`; in an untagged enum a text stays a text; and an *optional* struct behind `flatten` is `None` when any of its fields does
//! not fit. [`with::parse`] on the numbers inside helps with the last two.
//!
//! ```
//! use documine::extract::NamedValues;
//! use serde::Deserialize;
//!
//! #[derive(Debug, PartialEq, Deserialize)]
//! enum Species { Rat, Mouse }
//!
//! #[derive(Deserialize)]
//! #[serde(rename_all = "PascalCase")]
//! struct Study {
//!     title: String,
//!     animals: u32,
//!     species: Species,
//!     #[serde(rename = "GLP_compliance")]
//!     glp: bool,
//!     #[serde(default)]
//!     batches: Vec<String>,
//!     sponsor: Option<String>,
//! }
//!
//! let values = |texts: &[&str]| texts.iter().map(|text| text.to_string()).collect::<Vec<_>>();
//! let (title, animals, species, glp, batches) =
//!     (values(&["Acute Oral Toxicity"]), values(&["15"]), values(&["Rat"]), values(&["yes"]), values(&["SG-1", "SG-2"]));
//! let listed: Vec<(&str, &[String])> =
//!     vec![("Title", &title), ("Animals", &animals), ("Species", &species), ("GLP_compliance", &glp), ("Batches", &batches)];
//!
//! let study: Study = NamedValues::new(listed).of_file(Some("report.pdf"), None).extract()?;
//! assert_eq!((study.animals, study.species, study.glp), (15, Species::Rat, true));
//! assert_eq!(study.batches, ["SG-1", "SG-2"]);
//! assert_eq!((study.title.as_str(), study.sponsor), ("Acute Oral Toxicity", None));
//! # Ok::<(), documine::extract::ExtractError>(())
//! ```

mod de;
mod entry;
mod error;
mod failure;
#[cfg(feature = "schemars")]
mod map;
mod money;
mod plan;
#[cfg(feature = "schemars")]
mod schema;
mod suggest;
mod text;
mod value;
pub mod with;

use serde::de::DeserializeOwned;

pub use self::error::ExtractError;
#[cfg(feature = "schemars")]
pub use self::map::{ComponentMap, ComponentNames, ComponentReport, MissingComponent, UnmetComponents};
pub use self::money::Money;

/// The components of one file as the extraction reads them: names with their values in the template's order.
#[derive(Debug, Clone)]
pub struct NamedValues<'a> {
    listed: Vec<(&'a str, &'a [String])>,
    file_name: Option<&'a str>,
    file_id: Option<&'a str>,
}

impl<'a> NamedValues<'a> {
    /// Takes names and values in the order they are given.
    pub fn new<I>(listed: I) -> Self
    where
        I: IntoIterator<Item = (&'a str, &'a [String])>,
    {
        Self { listed: listed.into_iter().collect(), file_name: None, file_id: None }
    }

    /// Says which file they belong to, so that an error can name it.
    #[must_use = "the file is named in the value this returns"]
    pub fn of_file(mut self, name: Option<&'a str>, id: Option<&'a str>) -> Self {
        self.file_name = name;
        self.file_id = id;
        self
    }

    /// The names in the template's order.
    pub fn names(&self) -> impl Iterator<Item = &'a str> + '_ {
        self.listed.iter().map(|(name, _)| *name)
    }

    /// The values of one component; empty when it has none or is not listed.
    pub fn values(&self, name: &str) -> &'a [String] {
        self.listed.iter().find(|(listed, _)| *listed == name).map_or(&[], |(_, values)| *values)
    }

    /// Reads them into a type of the caller's own; the [module](self) says how.
    ///
    /// # Errors
    ///
    /// [`ExtractError`] names the file, the component, the field and the value that does not fit.
    pub fn extract<T: DeserializeOwned>(&self) -> Result<T, ExtractError> {
        de::read(&self.listed).map_err(|failure| ExtractError::new::<T>(failure, self))
    }
}

#[cfg(test)]
mod tests;
