//! Uploads: the files of the command line, or the built-in samples.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use documine::Source;

/// The files to upload, each under a name of its own: in a dossier a file replaces an earlier one of the same name.
pub(crate) fn sources(paths: &[PathBuf]) -> Vec<(String, Source)> {
    let mut names = HashSet::new();
    let mut unique = |path: &Path| {
        let part = |part: Option<&OsStr>| part.unwrap_or_default().to_string_lossy().into_owned();
        let (name, stem, ending) = (part(path.file_name()), part(path.file_stem()), part(path.extension()));
        let dot = if ending.is_empty() { "" } else { "." };
        let numbered = (2..).map(|number| format!("{stem}-{number}{dot}{ending}"));
        std::iter::once(name.clone()).chain(numbered).find(|name| names.insert(name.to_lowercase())).unwrap_or(name)
    };
    if paths.is_empty() {
        return SAMPLES.iter().map(|(name, content)| ((*name).to_owned(), Source::bytes(*name, *content))).collect();
    }
    paths
        .iter()
        .map(|path| {
            let name = unique(path);
            let shown = if name.is_empty() { path.display().to_string() } else { name.clone() };
            (shown, Source::path(path).file_name(name))
        })
        .collect()
}

/// Built in, so that the program works in any folder.
const SAMPLES: [(&str, &[u8]); 3] = [
    ("study-report.pdf", include_bytes!("../samples/study-report.pdf")),
    ("invoice.pdf", include_bytes!("../samples/invoice.pdf")),
    ("scan.pdf", include_bytes!("../samples/scan.pdf")),
];
