//! The contents of a package, collected from the workspace in one step.

use crate::analysis::Component;
use crate::service::App;
use crate::state::{Download, FileComponents, Workspace, file_xml};

/// Everything that a package contains, collected under one lock.
pub(super) struct PackageContents {
    pub(super) download: Download,
    pub(super) dossier: String,
    pub(super) template: String,
    pub(super) reports: Vec<String>,
    pub(super) files: Vec<PackagedFile>,
}

/// One file of a package.
pub(super) struct PackagedFile {
    pub(super) name: String,
    pub(super) pages: usize,
    pub(super) state: String,
    /// The path of the original.
    pub(super) path: std::path::PathBuf,
    pub(super) components: Vec<Component>,
    /// The components in the JSON of the API. `None` before the first analysis.
    pub(super) json: Option<String>,
    pub(super) xml: Option<String>,
}

impl PackageContents {
    pub(super) fn new(app: &App, workspace: &Workspace, download: &Download) -> Result<Self, String> {
        let dossier_deleted = "The dossier was deleted before the package was made.";
        let dossier = workspace.dossiers.get(&download.dossier_id).ok_or(dossier_deleted)?;
        let template =
            workspace.templates.iter().find(|template| template.id == download.template_id).ok_or(dossier_deleted)?;
        let reports =
            download.options.report_template_ids.iter().filter_map(|id| template.reports.get(id).cloned()).collect();
        let files =
            download.file_ids.iter().filter_map(|id| workspace.files.get(id)).filter(|file| file.deleted.is_none());
        let files: Vec<PackagedFile> = files
            .map(|file| {
                // Values of an earlier analysis remain available during a reanalysis.
                let ready = file.last_processed(download.ends).is_some();
                let api_components = ready.then(|| FileComponents::new(file, true, workspace));
                PackagedFile {
                    name: file.name.clone(),
                    pages: file.pages,
                    state: file.state(download.ends).to_owned(),
                    path: app.blobs.path(&file.blob),
                    components: if ready { file.effective_components() } else { Vec::new() },
                    json: api_components
                        .as_ref()
                        .and_then(|api_components| serde_json::to_string_pretty(api_components).ok()),
                    xml: api_components.as_ref().map(file_xml),
                }
            })
            .collect();
        if files.is_empty() && !download.file_ids.is_empty() {
            return Err("The files were deleted before the package was made.".to_owned());
        }
        Ok(Self {
            download: download.clone(),
            dossier: dossier.name.clone(),
            template: template.name.clone(),
            reports,
            files,
        })
    }
}
