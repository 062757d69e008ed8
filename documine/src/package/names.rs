//! Which names of entries are taken: those that are one and the same file beneath a folder, on every system.

use icu_normalizer::ComposingNormalizerBorrowed;

/// What file systems take, in bytes, for a whole name and for a part of it; deeper folders are nobody's report.
const LONGEST: usize = 1024;
const LONGEST_PART: usize = 255;
const DEEPEST: usize = 32;

/// Says what is wrong with a name, to be read behind it.
pub(super) fn check(name: &str) -> Result<(), &'static str> {
    if name.is_empty() || name.len() > LONGEST {
        return Err("has a name of no bytes or more than 1024");
    }
    if name.contains(char::is_control) {
        return Err("has control characters in its name");
    }
    // Unicode TR 9: they make `x\u{202e}fdp.exe` look like a PDF.
    if name.contains(|letter| matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')) {
        return Err("has characters in its name that turn the direction of the text");
    }
    if name.starts_with("//") || name.starts_with(r"\\") {
        return Err("names a computer of a network");
    }
    if name.starts_with('/') {
        return Err("has an absolute path");
    }
    if name.contains('\\') {
        return Err("has a backslash in its name, which is a separator on some systems");
    }
    let mut parts = name.strip_suffix('/').unwrap_or(name).split('/');
    if parts.clone().count() > DEEPEST {
        return Err("lies more than 32 folders deep");
    }
    parts.try_for_each(check_part)
}

fn check_part(part: &str) -> Result<(), &'static str> {
    if part == ".." {
        return Err("leads out of its folder");
    }
    if part.is_empty() || part == "." {
        return Err("has a path with an empty part");
    }
    if part.len() > LONGEST_PART {
        return Err("has a part in its path of more than 255 bytes");
    }
    if let [letter, b':', ..] = part.as_bytes()
        && letter.is_ascii_alphabetic()
    {
        return Err("names a drive");
    }
    if part.ends_with(|letter: char| letter == '.' || letter.is_whitespace()) {
        return Err("has a name that ends with a dot or a blank, which some systems leave out");
    }
    if is_device(part) {
        return Err("has the name of a device");
    }
    Ok(())
}

/// Whether Windows takes the name for a device, whatever its ending.
fn is_device(part: &str) -> bool {
    let stem = part.split(['.', ':']).next().unwrap_or_default().trim_end().to_uppercase();
    if matches!(stem.as_str(), "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$") {
        return true;
    }
    let number = stem.strip_prefix("COM").or_else(|| stem.strip_prefix("LPT"));
    number.is_some_and(|number| matches!(number, "¹" | "²" | "³") || matches!(number.as_bytes(), [b'0'..=b'9']))
}

/// The same for names that are one file where case is ignored, or where letters and their accents may be written apart.
pub(super) fn key(name: &str) -> String {
    let nfc = ComposingNormalizerBorrowed::new_nfc();
    let name = name.strip_suffix('/').unwrap_or(name);
    // By way of capitals: `ß` and `SS` are one on some systems.
    nfc.normalize(&nfc.normalize(name).to_uppercase().to_lowercase()).into_owned()
}

#[cfg(test)]
mod properties;
