//! A value of a component together with its origin in the document.

use serde::{Deserialize, Serialize};

use super::component::SourcedValue;

/// The name under which a [`Sourced`] requests the origin from the deserializer of this crate. No type of a user has it.
pub(super) const SOURCED: &str = "$documine::extract::Sourced";
/// The name under which a helper of [`with`](super::with) requests texts with their origins.
pub(super) const TEXTS: &str = "$documine::extract::Texts";
/// The description of a [`Sourced`] in an error, by which the plan recognises it.
pub(super) const EXPECTED_ORIGIN: &str = "a value with its origin";

/// A parsed value with the text of the service and its origin, for fields beside plain ones.
///
/// `T` is any type that can be read from one value. `Option<Sourced<T>>` and `Vec<Sourced<T>>` work, and so do the functions of
/// [`with`](super::with), behind `#[serde(flatten)]` as well. The page, the rule and the description are present only if the components were
/// requested with `include_details(true)` and the service states them.
///
/// Serializes to an object with all fields and deserializes from that form in every format.
///
/// ```
/// use documine::extract::{Money, Sourced};
///
/// #[derive(serde::Deserialize)]
/// struct Invoice {
///     number: String,
///     total: Sourced<Money>,
/// }
///
/// let saved = serde_json::json!({
///     "fileId": "f-1",
///     "components": {"number": ["R-7"], "total": ["EUR 1.234,50"]},
///     "componentDetails": {"total": {"values": [
///         {"value": "EUR 1.234,50", "componentRuleId": "Total.1.0", "entityReferences": [{"page": 2}]}
///     ]}}
/// });
/// let components: documine::Components = serde_json::from_value(saved)?;
/// let invoice: Invoice = components.extract()?;
/// assert_eq!((invoice.number.as_str(), invoice.total.value.amount), ("R-7", 1234.5));
/// assert_eq!((invoice.total.raw.as_str(), invoice.total.page), ("EUR 1.234,50", Some(2)));
/// assert_eq!(invoice.total.rule.as_deref(), Some("Total.1.0"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename(deserialize = "$documine::extract::Sourced"), expecting = "a value with its origin")]
#[non_exhaustive]
pub struct Sourced<T> {
    /// The parsed value.
    pub value: T,
    /// The text of the component, from which the value was parsed.
    pub raw: String,
    /// The text in the document, before a rule or a user changed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub original: Option<String>,
    /// The number of the first page, counted from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<u32>,
    /// The id of the rule that created the value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// The description of the value by the rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

#[cfg(feature = "schemars")]
impl<T: schemars::JsonSchema> schemars::JsonSchema for Sourced<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        T::schema_name()
    }

    fn schema_id() -> std::borrow::Cow<'static, str> {
        T::schema_id()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        T::json_schema(generator)
    }
}

/// The origin of one value, without the value.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
pub(super) struct Origin {
    pub(super) raw: String,
    #[serde(default)]
    original: Option<String>,
    #[serde(default)]
    page: Option<u32>,
    #[serde(default)]
    rule: Option<String>,
    #[serde(default)]
    description: Option<String>,
}

impl Origin {
    pub(super) fn new(value: SourcedValue<'_>) -> Self {
        Self {
            raw: value.raw().to_owned(),
            original: value.original().map(str::to_owned),
            page: value.page(),
            rule: value.rule().map(str::to_owned),
            description: value.description().map(str::to_owned),
        }
    }

    /// Returns the fields of a [`Sourced`] except the value.
    pub(super) fn fields(self) -> [(&'static str, serde_json::Value); 5] {
        [
            ("raw", self.raw.into()),
            ("original", self.original.into()),
            ("page", self.page.into()),
            ("rule", self.rule.into()),
            ("description", self.description.into()),
        ]
    }
}
