//! Lookup by the ids of a path, with the errors for unknown ids.

use super::{Dossier, Download, File, Template, Workspace};
use crate::api_error::{ApiError, excerpt};

impl Workspace {
    pub(crate) fn template(&self, id: &str) -> Result<&Template, ApiError> {
        self.templates
            .iter()
            .find(|template| template.id == id)
            .ok_or_else(|| ApiError::not_found(format!("There is no dossier template {}.", excerpt(id))))
    }

    pub(crate) fn dossier(&self, template: &str, id: &str) -> Result<&Dossier, ApiError> {
        self.template(template)?;
        self.dossiers.get(id).filter(|dossier| dossier.template_id == template).ok_or_else(|| {
            ApiError::not_found(format!("There is no dossier {} in this dossier template.", excerpt(id)))
        })
    }

    /// Returns the dossier if it can be changed.
    pub(crate) fn open_dossier(&self, template: &str, id: &str) -> Result<&Dossier, ApiError> {
        let dossier = self.dossier(template, id)?;
        if dossier.archived.is_some() {
            return Err(ApiError::conflict(format!(
                "The dossier {} is archived and can no longer be changed.",
                dossier.name
            )));
        }
        if dossier.deleted.is_some() {
            return Err(ApiError::conflict(format!(
                "The dossier {} is in the trash. Restore it before changing it.",
                dossier.name
            )));
        }
        Ok(dossier)
    }

    pub(crate) fn file(&self, template: &str, dossier: &str, id: &str) -> Result<&File, ApiError> {
        self.dossier(template, dossier)?;
        self.files
            .get(id)
            .filter(|file| file.dossier_id == dossier)
            .ok_or_else(|| ApiError::not_found(format!("There is no file {} in this dossier.", excerpt(id))))
    }

    pub(crate) fn download(&self, id: &str) -> Result<&Download, ApiError> {
        self.downloads
            .get(id)
            .ok_or_else(|| ApiError::not_found(format!("There is no download {}, or it has expired.", excerpt(id))))
    }

    /// Iterates over the files of a dossier that are not in the trash, in the order of their first upload.
    pub(crate) fn files_of<'a>(&'a self, dossier: &'a Dossier) -> impl Iterator<Item = &'a File> {
        dossier.files.iter().filter_map(|id| self.files.get(id)).filter(|file| file.deleted.is_none())
    }
}
