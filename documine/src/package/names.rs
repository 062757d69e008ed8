//! Validation of entry names, and assignment of paths to unpacked files.
//!
//! Names that lead out of the folder are rejected. Every other name gets a path: names that are invalid on some system, or equal to the name of
//! another entry there, are escaped or numbered in the same way on every system.

use std::collections::HashMap;
use std::fmt::Write;

use icu_normalizer::ComposingNormalizerBorrowed;

/// Longest path and longest path component in bytes, and most nested folders.
const MAX_PATH: usize = 1024;
const MAX_COMPONENT: usize = 255;
const MAX_DEPTH: usize = 32;
/// Longest number in bytes that is inserted into a duplicate name: ` (99999999)` and one more.
const MAX_NUMBER_SUFFIX: usize = 12;
/// Longest extension in bytes that is kept when a name is shortened.
const MAX_EXTENSION: usize = 20;

/// Returns a name with `/` as its separator and without empty components. The name of a folder ends with `/`.
///
/// The error text completes `entry NAME: `.
pub(super) fn normalize(raw_name: &str) -> Result<String, &'static str> {
    let name = raw_name.replace('\\', "/");
    if name.starts_with("//") {
        return Err("network path");
    }
    if name.starts_with('/') {
        return Err("absolute path");
    }
    let is_drive = |part: &str| matches!(part.as_bytes(), [ch, b':'] if ch.is_ascii_alphabetic());
    if name.split('/').next().is_some_and(is_drive) {
        return Err("path with a drive letter");
    }
    let parts: Vec<&str> = name.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    if parts.contains(&"..") {
        return Err("path leads out of the folder");
    }
    let slash = if name.ends_with('/') { "/" } else { "" };
    Ok(parts.join("/") + slash)
}

/// The relative path of each file and folder, in the order of their names.
#[derive(Debug)]
pub(super) struct UnpackPaths {
    pub(super) files: Vec<String>,
    pub(super) folders: Vec<String>,
}

impl UnpackPaths {
    /// Assigns a path to each [normalized](normalize) name. No two paths are equal on any system, and no file has the path of a folder.
    pub(super) fn assign<'a>(
        files: impl Iterator<Item = &'a str> + Clone,
        folders: impl Iterator<Item = &'a str>,
    ) -> Self {
        let mut tree = PathTree::default();
        let folders: Vec<u32> = folders.map(|name| tree.folder(&portable(name))).collect();
        let mut paths: Vec<(u32, String)> = files
            .map(|name| {
                let mut components = portable(name);
                let last = components.pop().unwrap_or_default();
                (tree.folder(&components), last)
            })
            .collect();
        // In a first pass, so that a unique name is never taken by a numbered duplicate.
        let mut colliding = Vec::new();
        for (index, (folder, name)) in paths.iter().enumerate() {
            if !tree.insert_file(*folder, name) {
                colliding.push(index);
            }
        }
        let mut numbers = HashMap::<(u32, String), u32>::new();
        for index in colliding {
            let Some((folder, name)) = paths.get_mut(index) else { continue };
            // Long names are shortened and may become equal, so they share one counter and each number is tried once.
            let is_long = name.len() + MAX_NUMBER_SUFFIX > MAX_COMPONENT;
            let counter_key = if is_long { String::new() } else { collation_key(name) };
            let number = numbers.entry((*folder, counter_key)).or_insert(1);
            let free = loop {
                *number += 1;
                let candidate = with_number(name, *number);
                if tree.insert_file(*folder, &candidate) {
                    break candidate;
                }
            };
            *name = free;
        }
        let files = paths.into_iter().map(|(folder, name)| tree.path(folder, &name)).collect();
        let folders = folders.into_iter().map(|folder| tree.path(folder, "")).collect();
        Self { files, folders }
    }
}

/// Folders and their children, by the collation keys of their names.
#[derive(Default)]
struct PathTree {
    /// Parent and name of each folder. Number 0 is the root, so the first folder is number 1.
    folders: Vec<(u32, String)>,
    /// Children by parent and key: `Some` with the number of a folder, or `None` for a file.
    children: HashMap<(u32, String), Option<u32>>,
}

impl PathTree {
    /// Returns the number of a folder. Folders whose names are equal on some system are the same folder.
    fn folder(&mut self, components: &[String]) -> u32 {
        components.iter().fold(0, |parent, name| {
            let next = u32::try_from(self.folders.len() + 1).unwrap_or(u32::MAX);
            let found = *self.children.entry((parent, collation_key(name))).or_insert(Some(next));
            if found == Some(next) {
                self.folders.push((parent, name.clone()));
            }
            // Never `None`, because all folders are inserted before the first file.
            found.unwrap_or_default()
        })
    }

    /// Inserts a file and returns true, unless the name is taken.
    fn insert_file(&mut self, folder: u32, name: &str) -> bool {
        let key = (folder, collation_key(name));
        let is_free = !self.children.contains_key(&key);
        if is_free {
            self.children.insert(key, None);
        }
        is_free
    }

    fn path(&self, mut folder: u32, last: &str) -> String {
        let mut path = last.to_owned();
        while let Some((parent, name)) = self.folders.get((folder as usize).wrapping_sub(1)) {
            path = if path.is_empty() { name.clone() } else { format!("{name}/{path}") };
            folder = *parent;
        }
        path
    }
}

/// Returns the components of a name in a form that is valid on every system.
fn portable(name: &str) -> Vec<String> {
    let name = name.strip_suffix('/').unwrap_or(name);
    let components: Vec<String> = name.split('/').map(portable_component).collect();
    let length = components.iter().map(|component| component.len() + 1).sum::<usize>();
    if components.len() <= MAX_DEPTH && length <= MAX_PATH {
        return components;
    }
    let last = components.last().cloned();
    std::iter::once(format!("long-{:08x}", crc32fast::hash(name.as_bytes()))).chain(last).collect()
}

fn portable_component(component: &str) -> String {
    let last = component.char_indices().next_back().filter(|(_, last)| *last == '.' || last.is_whitespace());
    let mut portable = String::with_capacity(component.len());
    for (at, ch) in component.char_indices() {
        let is_invalid = matches!(ch, '<' | '>' | ':' | '"' | '|' | '?' | '*')
            || ch.is_control()
            || changes_text_direction(ch)
            // Some systems drop a trailing dot or space.
            || last.is_some_and(|(last, _)| last == at);
        if is_invalid {
            let mut bytes = [0; 4];
            for byte in ch.encode_utf8(&mut bytes).bytes() {
                // Writing to a `String` cannot fail.
                let _ = write!(portable, "%{byte:02X}");
            }
        } else {
            portable.push(ch);
        }
    }
    if portable.is_empty() {
        portable.push('_');
    }
    if is_device(&portable) {
        let stem = portable.find('.').unwrap_or(portable.len());
        portable.insert(stem, '_');
    }
    if portable.len() > MAX_COMPONENT {
        with_suffix(&portable, &format!("~{:08x}", crc32fast::hash(portable.as_bytes())))
    } else {
        portable
    }
}

/// Returns whether a character changes the text direction (Unicode TR 9): `x\u{202e}fdp.exe` is displayed like the name of a PDF.
fn changes_text_direction(ch: char) -> bool {
    matches!(ch, '\u{200e}' | '\u{200f}' | '\u{061c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Returns whether Windows treats a name as a device, with any extension.
fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim_end().to_uppercase();
    if matches!(stem.as_str(), "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$" | "CLOCK$") {
        return true;
    }
    let number = stem.strip_prefix("COM").or_else(|| stem.strip_prefix("LPT"));
    number.is_some_and(|number| matches!(number, "¹" | "²" | "³") || matches!(number.as_bytes(), [b'0'..=b'9']))
}

/// Inserts a number before the extension.
fn with_number(name: &str, number: u32) -> String {
    with_suffix(name, &format!(" ({number})"))
}

/// Inserts `suffix` before the extension, and shortens the stem if the name gets too long.
fn with_suffix(name: &str, suffix: &str) -> String {
    let dot = name.rfind('.').filter(|at| *at > 0 && name.len() - at <= MAX_EXTENSION).unwrap_or(name.len());
    let (stem, extension) = name.split_at_checked(dot).unwrap_or((name, ""));
    let mut length = stem.len().min(MAX_COMPONENT.saturating_sub(suffix.len() + extension.len()));
    while !stem.is_char_boundary(length) {
        length -= 1;
    }
    format!("{}{suffix}{extension}", &stem[..length])
}

/// Returns a key that is equal for names which are equal on a system that ignores case or normalizes Unicode.
pub(super) fn collation_key(name: &str) -> String {
    let nfc = ComposingNormalizerBorrowed::new_nfc();
    // Uppercase first: `ß` and `SS` are equal on some systems.
    nfc.normalize(&nfc.normalize(name).to_uppercase().to_lowercase()).into_owned()
}

#[cfg(test)]
mod properties;
