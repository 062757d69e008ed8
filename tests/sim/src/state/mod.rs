//! The persistent state of the service: templates, dossiers, files, packages, users, license.
//!
//! Nothing runs in the background. Time-dependent states (analysis, packages, trash) are computed from the clock on every access, so advancing the
//! clock takes effect at once.

mod blobs;
mod components;
mod components_xml;
mod dossier;
mod download;
mod file;
mod folder;
mod ids;
mod license;
mod lookup;
mod setup;
mod template;
mod timing;
mod user;
mod workspace;

pub(crate) use blobs::BlobStore;
pub(crate) use components::FileComponents;
pub(crate) use components_xml::{dossier_xml, file_xml};
pub(crate) use dossier::Dossier;
pub(crate) use download::{Download, PackageOptions};
pub(crate) use file::{File, text_blob};
pub(crate) use folder::{DataFolder, FolderInUse};
pub(crate) use license::{License, UsageEvent};
pub(crate) use template::Template;
pub use timing::Timing;
pub(crate) use user::User;
pub(crate) use workspace::{AnalysisEffect, PlannedAnalysis, Workspace};
