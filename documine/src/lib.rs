#![doc = include_str!("../README.md")]

mod auth;
mod call;
mod client;
mod clock;
mod components;
mod config;
mod dossiers;
mod downloads;
mod error;
pub mod extract;
mod files;
mod license;
mod models;
mod operation;
mod page;
mod templates;
mod transfer;
mod transport;
mod users;

pub use auth::{Credentials, Secret, TokenSet, TokenSource};
pub use call::Call;
pub use client::Client;
pub use clock::{BoxFuture, Clock, SystemClock};
pub use components::{Components, Export};
pub use config::ClientBuilder;
pub use dossiers::{Deletion, DossierFields, DossierHandle, DossierPath, NewDossier};
pub use downloads::{DownloadHandle, Package, PackageContent, Saving};
pub use error::{Error, ErrorKind, Result};
pub use files::{FileHandle, FilePath, Upload, Uploaded};
pub use license::Period;
pub use models::*;
pub use operation::{Operation, State, Wait, WaitError};
pub use page::List;
pub use templates::{DossierFilter, DossierTemplateHandle};
pub use transfer::{PackageStream, Progress, Saved, Source};
pub use transport::classify::SNIPPET_LIMIT;

/// The generated client that this crate stands on: every operation and type of the document.
pub use documine_api as api;
