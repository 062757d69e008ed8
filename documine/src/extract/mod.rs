//! Typed extraction: deserializes the components of a file into a type of the caller.
//!
//! A component is a name with a list of texts. Any `T: Deserialize` whose field names, after serde's renames, are component names can be read:
//!
//! | The component has | The field may be |
//! |---|---|
//! | one value | a scalar, an `Option`, a list of one |
//! | several values | a `Vec`, a set, a tuple or an array of that length; a scalar is an error that states the count |
//! | an empty list | `None`, an empty list, the `#[serde(default)]`; otherwise an error |
//! | not listed at all | `None` or the `#[serde(default)]`; otherwise, also for lists, an error: the name is probably misspelt |
//!
//! Conversion of texts:
//!
//! - **Texts** (`String`) are kept unchanged, including white space. A blank text is `None` for an `Option`.
//! - **Integers and floats**: surrounding white space is ignored. Thousands separators and decimal commas are accepted if unambiguous: `1 234`,
//!   `1'234`, `1,234,567`, `1,234.50`, `1.234,50`, `12,5`. All dashes in use as minus signs are accepted, spaces of any width group thousands, and
//!   full-width characters count as their ASCII forms. A single dot is always a decimal point. A single comma before exactly three digits (`1,234`)
//!   is ambiguous and an error; [`with::decimal_point`] or [`with::decimal_comma`] states the notation, and these also read `(1,234.50)` and `1,234.50-` as
//!   negative. A number with a unit or a currency is an error.
//! - **Other number types** (`rust_decimal::Decimal`): [`with::number`] reads them in the same notations, and [`number()`] reads one text.
//!   [`with::number_strict`] rejects `1.234` as well, for documents from countries where it is 1234.
//! - **Amounts of money**: [`Money`] keeps the currency (`EUR 1.234,50`, `$1,234.50`, `1 234,50 €`); [`with::amount`] reads the number only.
//! - **Booleans**: `true`/`false`, `yes`/`no`, `1`/`0` in any case.
//! - **Enums** of unit variants: the text is the name of the variant (serde's renames apply), case-sensitive; surrounding white space is ignored.
//! - **Dates** and all other types that deserialize from a string (chrono, jiff, time, uuid, url, ids) receive the text unchanged. [`with::date`]
//!   converts notations such as `12 March 2024` to `2024-03-12` first; [`with::date_day_first`] and [`with::date_month_first`] state the order of
//!   `03/04/2024`.
//!
//! Further tools:
//!
//! - [`Sourced<T>`](Sourced) as the type of a field keeps the text, the page and the rule beside the parsed value.
//! - [`Components::check`](crate::Components::check) returns an [`ExtractReport`] with every problem instead of the first error.
//! - [`describe`] prints a Rust struct for the components of files.
//!
//! `#[serde(flatten)]`, `deny_unknown_fields`, `default`, `alias`, newtypes and maps (`HashMap<String, Vec<String>>`) work. Behind `flatten` serde
//! does not pass the type of a field, so the reader tries: after a mismatch the component is read again as the expected type (`Deserialize` of a
//! type may therefore run more than once). Three limits are serde's own: `u128`/`i128` do not work behind `flatten`; in an untagged enum a text
//! stays a text; and an *optional* struct behind `flatten` is `None` if any of its fields is invalid. [`with::parse`] on the numbers inside helps
//! with the last two.
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

mod check;
mod component;
mod de;
mod describe;
mod entry;
mod error;
mod failure;
#[cfg(feature = "schemars")]
mod map;
mod money;
mod named_values;
mod number;
mod plan;
#[cfg(feature = "schemars")]
mod schema;
mod sourced;
mod suggest;
mod text;
mod value;
pub mod with;

#[cfg(feature = "package")]
pub(crate) use self::de::field_names;
#[cfg(feature = "package")]
pub(crate) use self::named_values::COLUMNS;
pub(crate) use self::named_values::{components_of, details_of};

pub use self::check::ExtractReport;
pub use self::component::{Component, SourcedValue};
pub use self::describe::{ComponentSource, describe};
pub use self::error::ExtractError;
#[cfg(feature = "schemars")]
pub use self::map::{ComponentMap, ComponentNames, ComponentReport, MissingComponent, UnmetComponents};
pub use self::money::Money;
pub use self::named_values::NamedValues;
pub use self::number::{NumberError, number, number_strict};
pub use self::sourced::Sourced;

#[cfg(test)]
mod tests;
