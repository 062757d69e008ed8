//! The creation of packages.

use super::job::PackageJob;
use crate::client::named_call;
use crate::error::Error;
use crate::models::{DownloadFileType, FileId, ReportTemplateId};
use crate::operation::GRACE;
use crate::resources::dossiers::{DossierHandle, DossierPath};
use crate::resources::files::{FileHandle, FilePath};

/// The content of a result package.
///
/// ```
/// use documine::{DownloadFileType, PackageRequest};
/// let content = PackageRequest::file_types([DownloadFileType::Original]);
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PackageRequest(documine_api::types::DownloadRequest);

impl PackageRequest {
    /// Selects extraction reports by the template's report templates.
    pub fn reports(ids: impl IntoIterator<Item = ReportTemplateId>) -> Self {
        Self::default().and_reports(ids)
    }

    /// Selects versions of the documents.
    pub fn file_types(types: impl IntoIterator<Item = DownloadFileType>) -> Self {
        Self::default().and_file_types(types)
    }

    /// Adds extraction reports.
    #[must_use]
    pub fn and_reports(mut self, ids: impl IntoIterator<Item = ReportTemplateId>) -> Self {
        self.0.report_template_ids.get_or_insert_default().extend(ids);
        self
    }

    /// Adds versions of the documents.
    #[must_use]
    pub fn and_file_types(mut self, types: impl IntoIterator<Item = DownloadFileType>) -> Self {
        self.0.download_file_types.get_or_insert_default().extend(types);
        self
    }

    /// Sets the colour of redactions in previews, as `#rrggbb`.
    #[must_use]
    pub fn preview_color(mut self, color: impl Into<String>) -> Self {
        self.0.preview_color = Some(color.into());
        self
    }
}

impl DossierHandle {
    /// Starts the preparation of a package of the whole dossier (`prepareDossierDownload`).
    ///
    /// ```
    /// # async fn f(dossier: documine::DossierHandle) -> documine::Result<()> {
    /// use documine::{DownloadFileType, PackageRequest};
    /// let package = dossier.create_package(PackageRequest::file_types([DownloadFileType::Original])).await?;
    /// package.wait().await?.save_to("out.zip").await?;
    /// # Ok(()) }
    /// ```
    pub fn create_package(&self, content: PackageRequest) -> CreateDossierPackage {
        CreateDossierPackage::new(&self.client, (self.path.clone(), content), |client, (path, content), options| {
            Box::pin(async move {
                let request = client
                    .requests()
                    .prepare_dossier_download()
                    .dossier_template_id(path.template)
                    .dossier_id(path.dossier)
                    .body(content.0);
                let reference = client.fetch(request.prepare(), &options).await?;
                Ok(client.download(reference.download_id).job_after(GRACE))
            })
        })
    }

    /// Starts the preparation of a package of some of the dossier's files (`prepareFilesDownload`).
    pub fn create_files_package<'a>(
        &self,
        files: impl IntoIterator<Item = &'a FileId>,
        content: PackageRequest,
    ) -> CreateFilesPackage {
        let files = files.into_iter().cloned().collect();
        CreateFilesPackage::new(
            &self.client,
            (self.path.clone(), files, content),
            |client, (path, files, content), options| {
                Box::pin(async move {
                    if files.is_empty() {
                        let error = Error::input("the package has no files; pass at least one file id");
                        return Err(error.with_operation("prepareFilesDownload"));
                    }
                    let mut body = documine_api::types::BulkDownloadRequest::default();
                    body.file_ids = files;
                    body.report_template_ids = content.0.report_template_ids;
                    body.download_file_types = content.0.download_file_types;
                    body.preview_color = content.0.preview_color;
                    let request = client
                        .requests()
                        .prepare_files_download()
                        .dossier_template_id(path.template)
                        .dossier_id(path.dossier)
                        .body(body);
                    let reference = client.fetch(request.prepare(), &options).await?;
                    Ok(client.download(reference.download_id).job_after(GRACE))
                })
            },
        )
    }
}

impl FileHandle {
    /// Starts the preparation of a package of this file (`prepareFileDownload`).
    pub fn create_package(&self, content: PackageRequest) -> CreateFilePackage {
        CreateFilePackage::new(&self.client, (self.path.clone(), content), |client, (path, content), options| {
            Box::pin(async move {
                let request = client
                    .requests()
                    .prepare_file_download()
                    .dossier_template_id(path.dossier.template)
                    .dossier_id(path.dossier.dossier)
                    .file_id(path.file)
                    .body(content.0);
                let reference = client.fetch(request.prepare(), &options).await?;
                Ok(client.download(reference.download_id).job_after(GRACE))
            })
        })
    }
}

named_call! {
    /// Starts the preparation of a package of a dossier (`prepareDossierDownload`). Created by [`DossierHandle::create_package`].
    ///
    /// ```
    /// # async fn f(dossier: documine::DossierHandle) -> documine::Result<()> {
    /// use documine::{DownloadFileType, PackageRequest};
    /// let job = dossier.create_package(PackageRequest::file_types([DownloadFileType::Original])).await?;
    /// job.wait().await?.save_to("out.zip").await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`is_not_found`](crate::Error::is_not_found) if there is no such dossier.
    CreateDossierPackage((DossierPath, PackageRequest)) -> PackageJob
}

named_call! {
    /// Starts the preparation of a package of some files of a dossier (`prepareFilesDownload`). Created by
    /// [`DossierHandle::create_files_package`].
    ///
    /// ```
    /// # async fn f(dossier: documine::DossierHandle, ids: Vec<documine::models::FileId>) -> documine::Result<()> {
    /// use documine::{DownloadFileType, PackageRequest};
    /// let job = dossier.create_files_package(&ids, PackageRequest::file_types([DownloadFileType::Original])).await?;
    /// job.wait().await?.save_to("out.zip").await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Input`](crate::ErrorKind::Input) without file ids, before anything is sent.
    CreateFilesPackage((DossierPath, Vec<FileId>, PackageRequest)) -> PackageJob
}

named_call! {
    /// Starts the preparation of a package of one file (`prepareFileDownload`). Created by [`FileHandle::create_package`].
    ///
    /// ```
    /// # async fn f(file: documine::FileHandle) -> documine::Result<()> {
    /// use documine::{DownloadFileType, PackageRequest};
    /// let job = file.create_package(PackageRequest::file_types([DownloadFileType::Original])).await?;
    /// job.wait().await?.save_to("out.zip").await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`is_not_found`](crate::Error::is_not_found) if there is no such file.
    CreateFilePackage((FilePath, PackageRequest)) -> PackageJob
}
