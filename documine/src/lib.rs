#![doc = include_str!("../README.md")]

mod address;
mod auth;
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
mod list;
mod models;
mod operation;
#[cfg(feature = "package")]
pub mod package;
#[cfg(test)]
mod properties;
mod resources;
mod text;
mod timeout;
mod transfer;
mod transport;

#[cfg(feature = "keyring")]
pub use auth::KeyringStore;
pub use auth::{
    Authorization, ClientAuthMethod, Credentials, DeviceCode, FileStore, LoggedOut, Login, LoginEvent, Loopback,
    MemoryStore, Secret, StoreLock, StoredLogin, TokenSet, TokenSource, TokenStore,
};
pub use client::{Call, Client, ClientBuilder, Identity};
pub use clock::{BoxFuture, Clock, SystemClock};
pub use error::{Error, ErrorKind, Result, TimeoutPhase};
pub use list::{BadItem, Continuation, List, ListStream, Page};
pub use models::*;
pub use operation::{Condition, Operation, OperationRef, State, Wait, WaitError, WaitErrorKind};
#[cfg(feature = "package")]
pub use package::{Contents, PackageLimits};
pub use resources::components::{Components, Export};
pub use resources::dossiers::{Deletion, DossierFields, DossierHandle, DossierPath, NewDossier};
pub use resources::downloads::{DownloadHandle, Package, PackageContent, Saving, Writing};
pub use resources::files::{FileHandle, FilePath};
pub use resources::license::Period;
pub use resources::templates::{DossierFilter, DossierTemplateHandle};
pub use resources::uploads::{Upload, UploadAll, UploadOutcome, Uploaded};
pub use text::SNIPPET_LIMIT;
pub use transfer::{IfExists, PackageStream, Progress, Saved, Source, Written};
pub use transport::{CallEnded, Observer, Pacing, Retry, RetryPolicy, Retrying};

/// The chapters of the guide.
pub mod guide {
    #[doc = include_str!("../docs/faults.md")]
    pub mod faults {}
}

/// The generated client below this crate: every operation and type of the document.
pub use documine_api as api;

/// The `http` crate, whose methods, statuses and headers are part of this crate's signatures.
pub use http;
