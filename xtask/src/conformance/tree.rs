//! Compares and copies trees of files.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use super::error::{CheckError, failed};

/// The files of a tree: relative path and hash of the content.
pub(super) type Snapshot = BTreeMap<PathBuf, String>;

/// Hashes every file below `folder`. Links are not followed; the target path counts as the content.
pub(super) fn snapshot(folder: &Path) -> Result<Snapshot, CheckError> {
    let mut found = Snapshot::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(current) = folders.pop() {
        let name = current.display().to_string();
        for entry in std::fs::read_dir(&current).map_err(failed(&name))? {
            let entry = entry.map_err(failed(&name))?;
            let path = entry.path();
            if entry.file_type().map_err(failed(&name))?.is_dir() {
                folders.push(path);
            } else if let Ok(inside) = path.strip_prefix(folder) {
                found.insert(inside.to_owned(), hash(&content(&path)?));
            }
        }
    }
    Ok(found)
}

/// Lists the files that differ.
pub(super) fn differences(before: &Snapshot, after: &Snapshot) -> Vec<PathBuf> {
    let mut paths: Vec<&PathBuf> = before.keys().chain(after.keys()).collect();
    paths.sort();
    paths.dedup();
    paths.into_iter().filter(|path| before.get(*path) != after.get(*path)).cloned().collect()
}

/// Hashes a whole tree.
pub(super) fn fingerprint(tree: &Snapshot) -> String {
    let mut hasher = DefaultHasher::new();
    tree.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

/// Hashes a content.
pub(super) fn hash(content: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    content.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

/// Copies files to the same paths in another tree. Missing files are skipped.
pub(super) fn copy(
    from: &Path,
    to: &Path,
    paths: impl IntoIterator<Item = impl AsRef<Path>>,
) -> Result<(), CheckError> {
    for path in paths {
        let (source, target) = (from.join(&path), to.join(&path));
        let name = source.display().to_string();
        let Ok(metadata) = source.symlink_metadata() else { continue };
        if let Some(parent) = target.parent() {
            std::fs::create_dir_all(parent).map_err(failed(&name))?;
        }
        if metadata.is_symlink() {
            let destination = std::fs::read_link(&source).map_err(failed(&name))?;
            link(&source, &destination, &target).map_err(failed(&name))?;
        } else {
            std::fs::copy(&source, &target).map_err(failed(&name))?;
        }
    }
    Ok(())
}

fn content(path: &Path) -> Result<Vec<u8>, CheckError> {
    let name = path.display().to_string();
    if path.is_symlink() {
        return Ok(std::fs::read_link(path).map_err(failed(&name))?.into_os_string().into_encoded_bytes());
    }
    std::fs::read(path).map_err(failed(&name))
}

#[cfg(unix)]
fn link(_source: &Path, destination: &Path, target: &Path) -> std::io::Result<()> {
    std::os::unix::fs::symlink(destination, target)
}

#[cfg(windows)]
fn link(source: &Path, destination: &Path, target: &Path) -> std::io::Result<()> {
    if source.is_dir() {
        std::os::windows::fs::symlink_dir(destination, target)
    } else {
        std::os::windows::fs::symlink_file(destination, target)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn compares_a_copy_with_its_source() {
        let (one, two) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
        fs::create_dir(one.path().join("a")).expect("creates");
        fs::write(one.path().join("a/b"), "b").expect("writes");
        fs::write(one.path().join("c"), "c").expect("writes");
        let before = snapshot(one.path()).expect("reads");
        copy(one.path(), two.path(), before.keys().map(PathBuf::as_path).chain([Path::new("gone")])).expect("copies");
        let same = snapshot(two.path()).expect("reads");
        assert_eq!(differences(&before, &same), [] as [PathBuf; 0]);
        assert_eq!(fingerprint(&before), fingerprint(&same));
        fs::write(two.path().join("a/b"), "B").expect("writes");
        fs::write(two.path().join("d"), "d").expect("writes");
        fs::remove_file(two.path().join("c")).expect("removes");
        let after = snapshot(two.path()).expect("reads");
        assert_eq!(differences(&before, &after), ["a/b", "c", "d"].map(PathBuf::from));
        assert_ne!(fingerprint(&before), fingerprint(&after));
    }

    #[cfg(unix)]
    #[test]
    fn copies_links_as_links() {
        let (one, two) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
        std::os::unix::fs::symlink("../nowhere", one.path().join("link")).expect("links");
        let tree = snapshot(one.path()).expect("reads");
        copy(one.path(), two.path(), tree.keys()).expect("copies");
        assert_eq!(fs::read_link(two.path().join("link")).expect("is a link"), PathBuf::from("../nowhere"));
        assert_eq!(snapshot(two.path()).expect("reads"), tree);
    }
}
