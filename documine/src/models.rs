//! The types of the document: generated, open to new values and fields, identical for live and saved responses.

pub use documine_api::Timestamp;
pub use documine_api::enums::{
    DossierTemplateStatus, DownloadFileType, DownloadState, ProcessingStatus, WorkflowStatus,
};
pub use documine_api::ids::{DossierId, DossierTemplateId, DownloadId, FileId, InvalidId, ReportTemplateId, UserId};
pub use documine_api::types::{
    ComponentDetails, ComponentValue, Dossier, DossierTemplate, DownloadStatus, EntityReference, FileComponents,
    FileStatus, License, LicenseUsage, MonthlyUsage, User,
};
