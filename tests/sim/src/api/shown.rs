//! What requests and answers of several tags have in common: reading fields, showing components.

use serde::Serialize;
use serde::ser::SerializeMap;

use crate::analysis::Component;
use crate::server::Refusal;
use crate::state::{File, Template};

/// Reading the fields of a JSON body; `null` counts as not there.
pub(super) mod fields {
    use std::collections::BTreeMap;

    use serde_json::{Map, Value};

    use super::{FILE_TYPES, short};
    use crate::server::Refusal;
    use crate::time::Stamp;

    fn wrong(name: &str, kind: &str) -> Refusal {
        Refusal::bad_request(format!("The field {name} must be {kind}."))
    }

    pub(in crate::api) fn text(object: &Map<String, Value>, name: &str) -> Result<Option<String>, Refusal> {
        match object.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(wrong(name, "a text")),
        }
    }

    pub(in crate::api) fn texts(object: &Map<String, Value>, name: &str) -> Result<Option<Vec<String>>, Refusal> {
        match object.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Array(items)) => {
                let texts = items.iter().map(|item| item.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>();
                texts.map(Some).ok_or_else(|| wrong(name, "a list of texts"))
            }
            Some(_) => Err(wrong(name, "a list of texts")),
        }
    }

    pub(in crate::api) fn text_map(
        object: &Map<String, Value>,
        name: &str,
    ) -> Result<Option<BTreeMap<String, String>>, Refusal> {
        match object.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Object(map)) => {
                let pairs = map.iter().map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())));
                pairs.collect::<Option<BTreeMap<_, _>>>().map(Some).ok_or_else(|| wrong(name, "an object of texts"))
            }
            Some(_) => Err(wrong(name, "an object of texts")),
        }
    }

    /// A date-time, kept as the API writes it.
    pub(in crate::api) fn moment(object: &Map<String, Value>, name: &str) -> Result<Option<String>, Refusal> {
        let Some(text) = text(object, name)? else { return Ok(None) };
        let moment = Stamp::parse(&text).ok_or_else(|| wrong(name, "a date and time like 2024-01-31T00:00:00Z"))?;
        Ok(Some(moment.text()))
    }

    pub(in crate::api) fn file_types(object: &Map<String, Value>) -> Result<Option<Vec<String>>, Refusal> {
        let types = texts(object, "downloadFileTypes")?;
        for kind in types.iter().flatten() {
            if !FILE_TYPES.contains(&kind.as_str()) {
                return Err(Refusal::bad_request(format!(
                    "{} is no download file type; there are {}.",
                    short(kind),
                    FILE_TYPES.join(", ")
                )));
            }
        }
        Ok(types)
    }
}

/// The versions of a document that a package can hold.
const FILE_TYPES: [&str; 6] = ["ORIGINAL", "PREVIEW", "DELTA_PREVIEW", "REDACTED", "ANNOTATED", "FLATTEN"];

/// A text of the caller, bounded for a message.
pub(super) fn short(text: &str) -> String {
    let mut short: String = text.chars().filter(|letter| !letter.is_control()).take(80).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

/// The name of a report template.
pub(super) fn report_template<'a>(template: &'a Template, id: &str) -> Result<&'a str, Refusal> {
    let found = template.reports.get(id).map(String::as_str);
    found.ok_or_else(|| {
        Refusal::not_found(format!(
            "There is no report template {} in the dossier template {}.",
            short(id),
            template.name
        ))
    })
}

/// The components of one file as the API writes them; the order of the rules is kept.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FileComponents {
    pub(super) dossier_template_id: String,
    pub(super) dossier_id: String,
    pub(super) file_id: String,
    pub(super) file_name: String,
    pub(super) components: Values,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) component_details: Option<Details>,
}

pub(super) struct Values(pub(super) Vec<(String, Vec<String>)>);

pub(super) struct Details(pub(super) Vec<(String, Vec<DetailedValue>)>);

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DetailedValue {
    pub(super) value: String,
    pub(super) original_value: String,
    pub(super) value_description: Option<String>,
    pub(super) component_rule_id: String,
    pub(super) entity_references: Vec<Reference>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Reference {
    pub(super) id: String,
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) page: u32,
    pub(super) entity_rule_id: Option<String>,
}

impl Serialize for Values {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, values)| (name, values)))
    }
}

impl Serialize for Details {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Wrapped<'a> {
            values: &'a [DetailedValue],
        }
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, values) in &self.0 {
            map.serialize_entry(name, &Wrapped { values })?;
        }
        map.end()
    }
}

/// The components of a file; `id` names the places they rest on.
pub(crate) fn components_files(file: &File, details: bool, id: impl Fn(&str, u64) -> String) -> FileComponents {
    let shown = file.shown_components();
    let component_details = details.then(|| {
        Details(shown.iter().map(|component| (component.name.clone(), detailed(file, component, &id))).collect())
    });
    let values = shown
        .into_iter()
        .map(|component| (component.name, component.values.into_iter().map(|found| found.value).collect()));
    FileComponents {
        dossier_template_id: file.template_id.clone(),
        dossier_id: file.dossier_id.clone(),
        file_id: file.id.clone(),
        file_name: file.name.clone(),
        components: Values(values.collect()),
        component_details,
    }
}

fn detailed(file: &File, component: &Component, id: &impl Fn(&str, u64) -> String) -> Vec<DetailedValue> {
    let values = component.values.iter().enumerate();
    values
        .map(|(index, found)| DetailedValue {
            value: found.value.clone(),
            original_value: found.original.clone(),
            value_description: found.description.clone(),
            component_rule_id: found.rule.clone(),
            entity_references: found
                .page
                .map(|page| Reference {
                    id: id(&format!("entity/{}/{}", file.id, component.name), index as u64),
                    kind: found.kind.clone(),
                    page,
                    entity_rule_id: None,
                })
                .into_iter()
                .collect(),
        })
        .collect()
}
