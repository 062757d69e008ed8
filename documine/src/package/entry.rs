//! One entry of a package, and what it seems to be.

use crate::models::DownloadFileType;

/// A file in a package.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    pub(super) name: String,
    pub(super) size: u64,
    pub(super) packed: u64,
    pub(super) kind: EntryKind,
    pub(super) index: usize,
    pub(super) unreadable: Option<String>,
}

impl Entry {
    /// Its name with its folders, `Reports/Overview.xlsx`, with `/` between them whatever the package was made with.
    ///
    /// It leads out of no folder, but may hold characters that a terminal acts on or a system refuses:
    /// [`unpack_to`](super::Contents::unpack_to) finds a path for it.
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

    /// The reason why it can't be read, for example that it is encrypted. The other entries can be read all the same.
    pub fn unreadable(&self) -> Option<&str> {
        self.unreadable.as_deref()
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
    /// A file that an operating system or an office program leaves beside documents: `.DS_Store`, `._name`, `Thumbs.db`, `~$name.xlsx`.
    System,
    /// Something else.
    Other,
}

impl EntryKind {
    pub(super) fn of(name: &str) -> Self {
        if name.split('/').any(is_left_by_system) {
            return Self::System;
        }
        let Some((folder, file)) = name.split_once('/') else { return Self::Other };
        let ends_with = |ending: &str| file.to_ascii_lowercase().ends_with(ending);
        let version = match folder.to_ascii_lowercase().as_str() {
            "reports" if ends_with(".xlsx") => return Self::Report,
            "components" if ends_with(".json") || ends_with(".xml") => return Self::Components,
            "originals" => return Self::Original,
            "previews" => DownloadFileType::Preview,
            "delta previews" => DownloadFileType::DeltaPreview,
            "redacted" => DownloadFileType::Redacted,
            "annotated" => DownloadFileType::Annotated,
            "flattened" => DownloadFileType::Flatten,
            _ => return Self::Other,
        };
        // What the simulator says about its versions.
        if file == "NOTE.txt" { Self::Other } else { Self::Version(version) }
    }
}

/// Returns whether a file or folder is a by-product: of macOS, Windows, Linux desktops, or of a program that has a document open.
fn is_left_by_system(part: &str) -> bool {
    let part = part.to_ascii_lowercase();
    part.starts_with("._")
        || part.starts_with("~$")
        || part.starts_with(".~lock.")
        || part.starts_with(".nfs")
        || part.starts_with(".trash-")
        || part.starts_with(".fuse_hidden")
        || matches!(
            part.as_str(),
            "__macosx"
                | ".ds_store"
                | ".localized"
                | ".spotlight-v100"
                | ".trashes"
                | ".fseventsd"
                | ".temporaryitems"
                | ".apdisk"
                | "icon\r"
                | "thumbs.db"
                | "ehthumbs.db"
                | "ehthumbs_vista.db"
                | "desktop.ini"
                | "$recycle.bin"
                | "system volume information"
                | ".directory"
        )
}
