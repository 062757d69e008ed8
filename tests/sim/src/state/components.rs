//! Components of a file in the JSON form of the API.

use serde::Serialize;
use serde::ser::SerializeMap;

use super::{File, Workspace};
use crate::analysis::Component;

/// The components of one file, in the order of the rules.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FileComponents {
    pub(super) dossier_template_id: String,
    pub(super) dossier_id: String,
    pub(super) file_id: String,
    pub(super) file_name: String,
    pub(super) components: ComponentValues,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) component_details: Option<ComponentDetails>,
}

pub(super) struct ComponentValues(pub(super) Vec<(String, Vec<String>)>);

pub(super) struct ComponentDetails(pub(super) Vec<(String, Vec<DetailedValue>)>);

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DetailedValue {
    pub(super) value: String,
    pub(super) original_value: String,
    pub(super) value_description: Option<String>,
    pub(super) component_rule_id: String,
    pub(super) entity_references: Vec<EntityReference>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct EntityReference {
    pub(super) id: String,
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) page: u32,
    pub(super) entity_rule_id: Option<String>,
}

impl Serialize for ComponentValues {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, values)| (name, values)))
    }
}

impl Serialize for ComponentDetails {
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

impl FileComponents {
    /// Creates the components of a file, with details on request. The workspace derives the ids of the entities.
    pub(crate) fn new(file: &File, details: bool, workspace: &Workspace) -> Self {
        let components = file.effective_components();
        let component_details = details.then(|| {
            let detailed =
                |component: &Component| (component.name.clone(), detailed_values(file, component, workspace));
            ComponentDetails(components.iter().map(detailed).collect())
        });
        let values = components
            .into_iter()
            .map(|component| (component.name, component.values.into_iter().map(|found| found.value).collect()));
        Self {
            dossier_template_id: file.template_id.clone(),
            dossier_id: file.dossier_id.clone(),
            file_id: file.id.clone(),
            file_name: file.name.clone(),
            components: ComponentValues(values.collect()),
            component_details,
        }
    }
}

fn detailed_values(file: &File, component: &Component, workspace: &Workspace) -> Vec<DetailedValue> {
    let values = component.values.iter().enumerate();
    values
        .map(|(index, found)| DetailedValue {
            value: found.value.clone(),
            original_value: found.original.clone(),
            value_description: found.description.clone(),
            component_rule_id: found.rule.clone(),
            entity_references: found
                .page
                .map(|page| EntityReference {
                    id: workspace.derived_id(&format!("entity/{}/{}", file.id, component.name), index as u64),
                    kind: found.kind.clone(),
                    page,
                    entity_rule_id: None,
                })
                .into_iter()
                .collect(),
        })
        .collect()
}
