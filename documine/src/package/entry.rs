//! One entry of a package, and what it seems to be.

use crate::DownloadFileType;

/// A file in a package.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    pub(super) name: String,
    pub(super) size: u64,
    pub(super) packed: u64,
    pub(super) kind: EntryKind,
    pub(super) index: usize,
}

impl Entry {
    /// Its name with its folders, `Reports/Overview.xlsx`. It stays beneath a folder on every system.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its last part, `Overview.xlsx`.
    pub fn file_name(&self) -> &str {
        self.name.rsplit('/').next().unwrap_or_default()
    }

    /// How many bytes it has, as the package says; whoever reads it gets as many, or an error.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// What it seems to be.
    pub fn kind(&self) -> &EntryKind {
        &self.kind
    }
}

/// What an entry seems to be, by its folder and ending.
///
/// Inferred: how the real service names its folders is not published; these are the simulator's.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum EntryKind {
    /// An extraction report: an XLSX file in `Reports`.
    Report,
    /// The components of a file, as JSON or XML: in `Components`.
    Components,
    /// A document as it was uploaded: in `Originals`.
    Original,
    /// Another version of a document: in `Previews`, `Delta previews`, `Redacted`, `Annotated` or `Flattened`.
    Version(DownloadFileType),
    /// Something else.
    Other,
}

impl EntryKind {
    pub(super) fn of(name: &str) -> Self {
        let Some((folder, file)) = name.split_once('/') else { return Self::Other };
        let ends_with = |ending: &str| file.to_ascii_lowercase().ends_with(ending);
        let version = match folder {
            "Reports" if ends_with(".xlsx") => return Self::Report,
            "Components" if ends_with(".json") || ends_with(".xml") => return Self::Components,
            "Originals" => return Self::Original,
            "Previews" => DownloadFileType::Preview,
            "Delta previews" => DownloadFileType::DeltaPreview,
            "Redacted" => DownloadFileType::Redacted,
            "Annotated" => DownloadFileType::Annotated,
            "Flattened" => DownloadFileType::Flatten,
            _ => return Self::Other,
        };
        // What the simulator says about its versions.
        if file == "NOTE.txt" { Self::Other } else { Self::Version(version) }
    }
}
