#![doc = include_str!("../README.md")]

mod address;
mod auth;
mod backoff;
mod call;
mod client;
mod clock;
mod components;
mod config;
mod disk;
mod dossiers;
mod downloads;
mod error;
pub mod extract;
mod files;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzzing;
mod identity;
mod json_memory;
mod license;
mod models;
mod net;
mod operation;
#[cfg(feature = "package")]
pub mod package;
mod page;
mod profile;
#[cfg(test)]
mod properties;
mod request;
mod templates;
mod text;
mod transfer;
mod transport;
mod uploads;
mod users;

#[cfg(feature = "keyring")]
pub use auth::KeyringStore;
pub use auth::{
    Authorization, ClientAuthMethod, Credentials, DeviceCode, FileStore, LoggedOut, Login, LoginEvent, Loopback,
    MemoryStore, Secret, StoreLock, StoredLogin, TokenSet, TokenSource, TokenStore,
};
pub use call::Call;
pub use client::Client;
pub use clock::{BoxFuture, Clock, SystemClock};
pub use components::{Components, Export};
pub use config::ClientBuilder;
pub use dossiers::{Deletion, DossierFields, DossierHandle, DossierPath, NewDossier};
pub use downloads::{DownloadHandle, Package, PackageContent, Saving, Writing};
pub use error::{Error, ErrorKind, Result, TimeoutPhase};
pub use files::{FileHandle, FilePath, Upload, Uploaded};
pub use identity::Identity;
pub use license::Period;
pub use models::*;
pub use operation::{Condition, Operation, OperationRef, State, Wait, WaitError};
#[cfg(feature = "package")]
pub use package::{Contents, PackageLimits};
pub use page::{BadItem, Continuation, List, ListStream, Page};
pub use templates::{DossierFilter, DossierTemplateHandle};
pub use text::SNIPPET_LIMIT;
pub use transfer::{IfExists, PackageStream, Progress, Saved, Source, Written};
pub use transport::{CallEnded, Observer, Pacing, Retry, RetryPolicy, Retrying};
pub use uploads::{UploadAll, UploadOutcome};

/// Chapters of the guide.
pub mod guide {
    #[doc = include_str!("../docs/faults.md")]
    pub mod faults {}
}

/// The generated client that this crate stands on: every operation and type of the document.
pub use documine_api as api;

/// Methods, statuses and headers in this crate's signatures are this crate's types.
pub use http;
