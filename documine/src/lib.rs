#![doc = include_str!("../README.md")]

mod address;
pub mod auth;
mod backoff;
mod client;
mod clock;
mod disk;
mod error;
pub mod extract;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzzing;
mod http_util;
mod json_memory;
pub mod list;
pub mod models;
mod operation;
#[cfg(feature = "package")]
pub mod package;
#[cfg(test)]
mod properties;
mod resources;
mod text;
mod timeout;
pub mod transfer;
mod transport;

pub use auth::Credentials;
pub use client::{Client, ClientBuilder, RequestOptions};
pub use clock::{BoxFuture, Clock, SystemClock};
pub use error::{Error, ErrorKind, Result, TimeoutPhase};
pub use models::{DossierTemplateId, DownloadFileType};
pub use resources::components::Components;
pub use resources::dossiers::{DossierFields, DossierHandle};
pub use resources::downloads::{DownloadHandle, Package, PackageJob, PackageRequest};
pub use resources::files::FileHandle;
pub use resources::templates::DossierTemplateHandle;
pub use resources::uploads::Uploaded;
pub use transfer::Source;

/// The named builder of each operation, with its fields and options. The methods of the handles create them.
///
/// Methods with bare names set what the operation does: fields of the request, limits, and the treatment of existing files. Methods that begin
/// with `with_` set how it is carried out; [`RequestOptions`] holds those that all builders have.
pub mod request {
    pub use crate::client::{RequestOptions, SendRequest};
    #[cfg(feature = "package")]
    pub use crate::package::OpenPackage;
    pub use crate::resources::components::{
        GetComponents, GetComponentsXml, GetDossierComponentsXml, ListDossierComponents,
    };
    pub use crate::resources::dossiers::{DeleteDossier, GetDossier, UpdateDossier};
    pub use crate::resources::downloads::{
        CancelPackage, CreateDossierPackage, CreateFilePackage, CreateFilesPackage, DeleteDownload, GetDownload,
        ListDownloads, SavePackage, StreamPackage, WritePackage,
    };
    pub use crate::resources::files::{DeleteFile, GetFile, ListFiles};
    pub use crate::resources::license::{GetLicense, GetLicenseUsage};
    pub use crate::resources::templates::{CreateDossier, GetDossierTemplate, ListDossierTemplates, ListDossiers};
    pub use crate::resources::uploads::{UploadAll, UploadFile, UploadOutcome};
    pub use crate::resources::users::ListUsers;
}

/// Retries and rate limits.
pub mod retry {
    pub use crate::transport::{RateLimit, RetryMode, RetryPolicy};
}

/// Observation of calls without a tracing backend.
pub mod observe {
    pub use crate::auth::LoginEvent;
    pub use crate::transport::{CallEnded, Observer, Retrying};
}

/// Waiting for work of the service: the analysis of files and the preparation of packages.
pub mod wait {
    pub use crate::operation::{Condition, PackageJobRef, PollState, States, Wait, WaitError, WaitErrorKind};
    pub use crate::resources::downloads::PackageJob;
}

/// The chapters of the guide.
pub mod guide {
    #[doc = include_str!("../docs/faults.md")]
    pub mod faults {}
}

/// The generated client below this crate: every operation and type of the document.
pub use documine_api as api;

/// The `http` crate, whose methods, statuses and headers are part of this crate's signatures.
pub use http;
