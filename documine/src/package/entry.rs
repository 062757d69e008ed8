//! Entries of a package and their inferred kinds.

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
    /// Returns the name with its folders, `Reports/Overview.xlsx`. The separator is always `/`.
    ///
    /// The name never leads out of a folder, but may contain control characters and characters that are invalid on some system.
    /// [`unpack_to`](super::PackageArchive::unpack_to) assigns a valid path.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the last component of the name, `Overview.xlsx`.
    pub fn file_name(&self) -> &str {
        self.name.rsplit('/').next().unwrap_or_default()
    }

    /// Returns the stated size in bytes. Reading yields exactly as many bytes, or an error.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Returns the reason why the entry cannot be read, for example encryption. Other entries are not affected.
    pub fn unreadable(&self) -> Option<&str> {
        self.unreadable.as_deref()
    }

    /// Returns the inferred kind.
    pub fn kind(&self) -> &EntryKind {
        &self.kind
    }
}

/// The kind of an entry, inferred from its folder and extension.
///
/// The folder names of the real service are not published; these are the names used by the simulator.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum EntryKind {
    /// An extraction report: an XLSX file in `Reports`.
    Report,
    /// The components of a file, in JSON or XML: in `Components`.
    Components,
    /// An uploaded document: in `Originals`.
    Original,
    /// Another version of a document: in `Previews`, `Delta previews`, `Redacted`, `Annotated` or `Flattened`.
    Version(DownloadFileType),
    /// A by-product of an operating system or an office program: `.DS_Store`, `._name`, `Thumbs.db`, `~$name.xlsx`.
    System,
    /// Any other file.
    Other,
}

impl EntryKind {
    pub(super) fn of(name: &str) -> Self {
        if name.split('/').any(is_system_file) {
            return Self::System;
        }
        let Some((folder, file)) = name.split_once('/') else { return Self::Other };
        let has_extension = |extension: &str| file.to_ascii_lowercase().ends_with(extension);
        let version = match folder.to_ascii_lowercase().as_str() {
            "reports" if has_extension(".xlsx") => return Self::Report,
            "components" if has_extension(".json") || has_extension(".xml") => return Self::Components,
            "originals" => return Self::Original,
            "previews" => DownloadFileType::Preview,
            "delta previews" => DownloadFileType::DeltaPreview,
            "redacted" => DownloadFileType::Redacted,
            "annotated" => DownloadFileType::Annotated,
            "flattened" => DownloadFileType::Flatten,
            _ => return Self::Other,
        };
        // A note that the simulator adds to its versions.
        if file == "NOTE.txt" { Self::Other } else { Self::Version(version) }
    }
}

/// Returns whether a file or folder is a by-product of macOS, Windows, a Linux desktop, or a program that has a document open.
fn is_system_file(part: &str) -> bool {
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
