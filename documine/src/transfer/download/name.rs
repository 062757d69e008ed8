//! A name that somebody else chose, made one that a file in a given folder can have on any system.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The longest name in bytes: file systems take 255, and a number and the ending of a part come behind it.
const LONGEST: usize = 200;
/// The longest ending that is kept of a name that is too long.
const LONGEST_ENDING: usize = 20;

/// A safe name: no path, no device, nothing that can't be seen, not too long, not hidden. `None` where nothing is left of it.
pub(crate) fn safe(name: &str) -> Option<String> {
    // Only the last part of a path counts, whatever system's path it is (RFC 6266 section 4.3).
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let visible = last.chars().filter(|letter| !is_invisible(*letter));
    let plain: String = visible.map(|letter| if "<>:\"|?*".contains(letter) { '_' } else { letter }).collect();
    let plain = trimmed(&plain);
    if plain.is_empty() {
        return None;
    }
    let name = if is_device(plain) { format!("_{plain}") } else { plain.to_owned() };
    Some(shortened(&name)).filter(|name| !name.is_empty())
}

/// Dots at the beginning hide a file, and Windows drops dots and blanks at the end.
fn trimmed(name: &str) -> &str {
    name.trim_start_matches(|letter: char| letter == '.' || letter.is_whitespace())
        .trim_end_matches(|letter: char| letter == '.' || letter.is_whitespace())
}

/// Control characters, and those that only change how others are shown: "gpj.exe" must not look like "exe.jpg".
fn is_invisible(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(letter, '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Whether Windows takes it for a device, with any ending.
fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim_end().to_ascii_uppercase();
    let numbered = |name: &str| {
        let digit = stem.strip_prefix(name)?;
        let mut letters = digit.chars();
        let is_digit = letters.next().is_some_and(|letter| letter.is_ascii_digit() || "¹²³".contains(letter));
        Some(is_digit && letters.next().is_none())
    };
    ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"].contains(&stem.as_str())
        || ["COM", "LPT"].into_iter().filter_map(numbered).any(|device| device)
}

fn shortened(name: &str) -> String {
    if name.len() <= LONGEST {
        return name.to_owned();
    }
    let ending = name.rfind('.').map_or("", |dot| &name[dot..]);
    let ending = if ending.len() <= LONGEST_ENDING { ending } else { "" };
    let mut end = LONGEST - ending.len();
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{ending}", trimmed(&name[..end]))
}

/// The same name with a number: `name (2).zip`.
pub(crate) fn numbered(target: &Path, number: u32) -> PathBuf {
    let mut name = OsString::from(target.file_stem().unwrap_or_default());
    name.push(format!(" ({number})"));
    if let Some(ending) = target.extension() {
        name.push(".");
        name.push(ending);
    }
    target.with_file_name(name)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "these are tests")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_lead_nowhere_and_are_no_devices() {
        for (name, safe_name) in [
            ("Q3 filings.zip", Some("Q3 filings.zip")),
            ("Prüfung.zip", Some("Prüfung.zip")),
            ("../../etc/passwd", Some("passwd")),
            ("C:\\Windows\\a.zip", Some("a.zip")),
            ("C:a.zip", Some("C_a.zip")),
            ("a\0b\r\n\u{1b}[31m.zip", Some("ab[31m.zip")),
            ("exe\u{202e}piz.zip", Some("exepiz.zip")),
            (".bashrc", Some("bashrc")),
            ("a.zip. . ", Some("a.zip")),
            ("<a>|b?*\".zip", Some("_a__b___.zip")),
            ("nul", Some("_nul")),
            ("Com1.tar.zip", Some("_Com1.tar.zip")),
            ("LPT³.zip", Some("_LPT³.zip")),
            ("con .zip", Some("_con .zip")),
            ("COM10.zip", Some("COM10.zip")),
            ("console.zip", Some("console.zip")),
            ("..", None),
            ("a/", None),
            ("", None),
            (" \u{200b}. ", None),
        ] {
            assert_eq!(safe(name).as_deref(), safe_name, "{name:?}");
        }
        let long = safe(&format!("{}.zip", "ü".repeat(500))).unwrap();
        assert_eq!((long.len(), long.ends_with("ü.zip")), (200, true));
    }

    #[test]
    fn a_number_stands_before_the_ending() {
        assert_eq!(numbered(Path::new("out/a.b.zip"), 2), Path::new("out/a.b (2).zip"));
        assert_eq!(numbered(Path::new("out/name"), 13), Path::new("out/name (13)"));
    }

    proptest! {
        #![proptest_config(crate::properties::cases(512))]

        #[test]
        fn whatever_is_suggested_stays_in_the_folder(name in "(\\PC|[./\\\\:\u{0}-\u{1f} ]|COM1|nul){0,260}") {
            if let Some(safe_name) = safe(&name) {
                prop_assert!(safe_name.len() <= LONGEST, "{}", safe_name.len());
                prop_assert_eq!(Path::new(&safe_name).components().count(), 1);
                prop_assert!(Path::new("folder").join(&safe_name).parent() == Some(Path::new("folder")));
                prop_assert!(!safe_name.starts_with('.') && !safe_name.ends_with(['.', ' ']));
                prop_assert!(!safe_name.chars().any(char::is_control) && !is_device(&safe_name));
                prop_assert_eq!(safe(&safe_name), Some(safe_name.clone()), "what is safe stays as it is");
            }
        }
    }
}
