//! Names of entries: which ones are refused, and under which path each entry is written.
//!
//! Names that lead out of the folder are refused. Every other name has a place: names that one system can't hold, or takes for another entry's,
//! are escaped or numbered, on every system in the same way.

use std::collections::HashMap;
use std::fmt::Write;

use icu_normalizer::ComposingNormalizerBorrowed;

/// The most bytes that file systems take for a whole path and for a part of it, and the most folders in each other.
const LONGEST: usize = 1024;
const LONGEST_PART: usize = 255;
const DEEPEST: usize = 32;
/// The most bytes of a number that tells a name from others: ` (99999999)` and one more.
const LONGEST_NUMBER: usize = 12;
/// A longer ending is no ending, and is shortened with the rest.
const LONGEST_ENDING: usize = 20;

/// Returns a name with `/` as its separator and without parts that mean nothing. A folder's name ends with `/`.
///
/// An error is to be read behind the name of the entry.
pub(super) fn clean(written: &str) -> Result<String, &'static str> {
    let name = written.replace('\\', "/");
    if name.starts_with("//") {
        return Err("names a computer of a network");
    }
    if name.starts_with('/') {
        return Err("has an absolute path");
    }
    let is_drive = |part: &str| matches!(part.as_bytes(), [letter, b':'] if letter.is_ascii_alphabetic());
    if name.split('/').next().is_some_and(is_drive) {
        return Err("names a drive");
    }
    let parts: Vec<&str> = name.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    if parts.contains(&"..") {
        return Err("leads out of its folder");
    }
    let slash = if name.ends_with('/') { "/" } else { "" };
    Ok(parts.join("/") + slash)
}

/// The path of each file and folder beneath the folder that is unpacked to, in the order of their names.
#[derive(Debug)]
pub(super) struct Paths {
    pub(super) files: Vec<String>,
    pub(super) folders: Vec<String>,
}

impl Paths {
    /// Finds a path for each [clean](clean) name. No two are one on any system, and none is a file and a folder.
    pub(super) fn of<'a>(files: impl Iterator<Item = &'a str> + Clone, folders: impl Iterator<Item = &'a str>) -> Self {
        let mut tree = Tree::default();
        let folders: Vec<u32> = folders.map(|name| tree.folder(&portable(name))).collect();
        let mut places: Vec<(u32, String)> = files
            .map(|name| {
                let mut parts = portable(name);
                let last = parts.pop().unwrap_or_default();
                (tree.folder(&parts), last)
            })
            .collect();
        // Who has a name that nobody else has keeps it, whatever the order.
        let mut colliding = Vec::new();
        for (index, (folder, part)) in places.iter().enumerate() {
            if !tree.take(*folder, part) {
                colliding.push(index);
            }
        }
        let mut numbers = HashMap::<(u32, String), u32>::new();
        for index in colliding {
            let Some((folder, part)) = places.get_mut(index) else { continue };
            // Names that a number shortens may all become one; they count together, so that each number is tried once.
            let counted = if part.len() + LONGEST_NUMBER > LONGEST_PART { String::new() } else { key(part) };
            let number = numbers.entry((*folder, counted)).or_insert(1);
            let free = loop {
                *number += 1;
                let candidate = numbered(part, *number);
                if tree.take(*folder, &candidate) {
                    break candidate;
                }
            };
            *part = free;
        }
        let files = places.into_iter().map(|(folder, part)| tree.path(folder, &part)).collect();
        let folders = folders.into_iter().map(|folder| tree.path(folder, "")).collect();
        Self { files, folders }
    }
}

/// Folders with what is in them, by the keys of their names.
#[derive(Default)]
struct Tree {
    /// Of each folder the one around it, and its name. The outermost is 0, the first of these is 1.
    folders: Vec<(u32, String)>,
    /// The content of each folder: `Some` with the number of a folder, or `None` for a file.
    inside: HashMap<(u32, String), Option<u32>>,
}

impl Tree {
    /// The folder of these parts. One that differs in nothing that all systems see is the same.
    fn folder(&mut self, parts: &[String]) -> u32 {
        parts.iter().fold(0, |around, part| {
            let next = u32::try_from(self.folders.len() + 1).unwrap_or(u32::MAX);
            let found = *self.inside.entry((around, key(part))).or_insert(Some(next));
            if found == Some(next) {
                self.folders.push((around, part.clone()));
            }
            // All folders are there before the first file.
            found.unwrap_or_default()
        })
    }

    /// Takes a name for a file and returns whether the name was free.
    fn take(&mut self, folder: u32, part: &str) -> bool {
        let place = (folder, key(part));
        let free = !self.inside.contains_key(&place);
        if free {
            self.inside.insert(place, None);
        }
        free
    }

    fn path(&self, mut folder: u32, last: &str) -> String {
        let mut path = last.to_owned();
        while let Some((around, part)) = self.folders.get((folder as usize).wrapping_sub(1)) {
            path = if path.is_empty() { part.clone() } else { format!("{part}/{path}") };
            folder = *around;
        }
        path
    }
}

/// The parts of a name as every system can hold them.
fn portable(name: &str) -> Vec<String> {
    let name = name.strip_suffix('/').unwrap_or(name);
    let parts: Vec<String> = name.split('/').map(portable_part).collect();
    let length = parts.iter().map(|part| part.len() + 1).sum::<usize>();
    if parts.len() <= DEEPEST && length <= LONGEST {
        return parts;
    }
    let last = parts.last().cloned();
    std::iter::once(format!("long-{:08x}", crc32fast::hash(name.as_bytes()))).chain(last).collect()
}

fn portable_part(part: &str) -> String {
    let last = part.char_indices().next_back().filter(|(_, last)| *last == '.' || last.is_whitespace());
    let mut portable = String::with_capacity(part.len());
    for (at, letter) in part.char_indices() {
        let refused = matches!(letter, '<' | '>' | ':' | '"' | '|' | '?' | '*')
            || letter.is_control()
            || turns_text(letter)
            // Some systems leave out a dot or a blank at the end.
            || last.is_some_and(|(last, _)| last == at);
        if refused {
            let mut bytes = [0; 4];
            for byte in letter.encode_utf8(&mut bytes).bytes() {
                // Into a `String`, which takes everything.
                let _ = write!(portable, "%{byte:02X}");
            }
        } else {
            portable.push(letter);
        }
    }
    if portable.is_empty() {
        portable.push('_');
    }
    if is_device(&portable) {
        let stem = portable.find('.').unwrap_or(portable.len());
        portable.insert(stem, '_');
    }
    if portable.len() > LONGEST_PART {
        shortened(&portable, &format!("~{:08x}", crc32fast::hash(portable.as_bytes())))
    } else {
        portable
    }
}

/// Returns whether a character turns the direction of the text (Unicode TR 9): `x\u{202e}fdp.exe` looks like a PDF.
fn turns_text(letter: char) -> bool {
    matches!(letter, '\u{200e}' | '\u{200f}' | '\u{061c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Whether Windows takes the name for a device, whatever its ending.
fn is_device(part: &str) -> bool {
    let stem = part.split('.').next().unwrap_or_default().trim_end().to_uppercase();
    if matches!(stem.as_str(), "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$" | "CLOCK$") {
        return true;
    }
    let number = stem.strip_prefix("COM").or_else(|| stem.strip_prefix("LPT"));
    number.is_some_and(|number| matches!(number, "¹" | "²" | "³") || matches!(number.as_bytes(), [b'0'..=b'9']))
}

/// The same name with a number in front of its ending.
fn numbered(part: &str, number: u32) -> String {
    shortened(part, &format!(" ({number})"))
}

/// A name with `mark` in front of its ending, and cut in front of that where it is too long.
fn shortened(part: &str, mark: &str) -> String {
    let ending = part.rfind('.').filter(|at| *at > 0 && part.len() - at <= LONGEST_ENDING).unwrap_or(part.len());
    let (stem, ending) = part.split_at_checked(ending).unwrap_or((part, ""));
    let mut length = stem.len().min(LONGEST_PART.saturating_sub(mark.len() + ending.len()));
    while !stem.is_char_boundary(length) {
        length -= 1;
    }
    format!("{}{mark}{ending}", &stem[..length])
}

/// The same for names that are one file where case is ignored, or where letters and their accents may be written apart.
pub(super) fn key(name: &str) -> String {
    let nfc = ComposingNormalizerBorrowed::new_nfc();
    // By way of capitals: `ß` and `SS` are one on some systems.
    nfc.normalize(&nfc.normalize(name).to_uppercase().to_lowercase()).into_owned()
}

#[cfg(test)]
mod properties;
