//! Sanitization of suggested file names, so that every system can store the file in the target folder.

use crate::disk;
use crate::models::DownloadId;

/// Longest name in bytes. File systems allow 255, and a number and the suffix of a partial file are appended.
const MAX_LENGTH: usize = 200;
/// Longest extension that is kept when a name is shortened.
const MAX_EXTENSION: usize = 20;

/// Returns a name that is not a path, a device, hidden or too long and has no invisible characters. Returns `None` if nothing is left.
pub(crate) fn sanitize(name: &str) -> Option<String> {
    // Only the last component of a path is used, for paths of any system (RFC 6266 section 4.3).
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let visible = last.chars().filter(|ch| !is_invisible(*ch));
    let plain: String = visible.map(|ch| if "<>:\"|?*".contains(ch) { '_' } else { ch }).collect();
    let plain = trimmed(&plain);
    if plain.is_empty() {
        return None;
    }
    let name = if is_device(plain) { format!("_{plain}") } else { plain.to_owned() };
    Some(shorten(&name)).filter(|name| !name.is_empty())
}

/// Removes leading dots, which hide a file, and trailing dots and spaces, which Windows drops.
fn trimmed(name: &str) -> &str {
    name.trim_start_matches(|ch: char| ch == '.' || ch.is_whitespace())
        .trim_end_matches(|ch: char| ch == '.' || ch.is_whitespace())
}

/// Returns whether a character is a control character or only affects the display of others: "gpj.exe" must not be displayed as "exe.jpg".
fn is_invisible(ch: char) -> bool {
    ch.is_control()
        || matches!(ch, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(ch, '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Returns whether Windows treats the name as a device, with any extension.
fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim_end().to_ascii_uppercase();
    let numbered = |name: &str| {
        let digit = stem.strip_prefix(name)?;
        let mut chars = digit.chars();
        let is_digit = chars.next().is_some_and(|ch| ch.is_ascii_digit() || "¹²³".contains(ch));
        Some(is_digit && chars.next().is_none())
    };
    ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"].contains(&stem.as_str())
        || ["COM", "LPT"].into_iter().filter_map(numbered).any(|device| device)
}

fn shorten(name: &str) -> String {
    if name.len() <= MAX_LENGTH {
        return name.to_owned();
    }
    let extension = name.rfind('.').map_or("", |dot| &name[dot..]);
    let extension = if extension.len() <= MAX_EXTENSION { extension } else { "" };
    let mut end = MAX_LENGTH - extension.len();
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{extension}", trimmed(&name[..end]))
}

/// Returns the name of a package for which the service suggests none.
pub(crate) fn default_name(id: &DownloadId) -> String {
    let mut name = format!("package-{}", disk::file_name(id.as_str()));
    // The name is escaped, so each byte is one character.
    name.truncate(150);
    name + ".zip"
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "these are tests")]
mod tests {
    use std::path::Path;

    use super::*;
    use proptest::prelude::*;

    #[test]
    fn removes_paths_devices_and_invisible_characters() {
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
            assert_eq!(sanitize(name).as_deref(), safe_name, "{name:?}");
        }
        let long = sanitize(&format!("{}.zip", "ü".repeat(500))).unwrap();
        assert_eq!((long.len(), long.ends_with("ü.zip")), (200, true));
    }

    proptest! {
        #![proptest_config(crate::properties::cases(512))]

        #[test]
        fn any_name_stays_in_the_folder(name in "(\\PC|[./\\\\:\u{0}-\u{1f} ]|COM1|nul){0,260}") {
            if let Some(safe_name) = sanitize(&name) {
                prop_assert!(safe_name.len() <= MAX_LENGTH, "{}", safe_name.len());
                prop_assert_eq!(Path::new(&safe_name).components().count(), 1);
                prop_assert!(Path::new("folder").join(&safe_name).parent() == Some(Path::new("folder")));
                prop_assert!(!safe_name.starts_with('.') && !safe_name.ends_with(['.', ' ']));
                prop_assert!(!safe_name.chars().any(char::is_control) && !is_device(&safe_name));
                prop_assert_eq!(sanitize(&safe_name), Some(safe_name.clone()), "sanitizing is idempotent");
            }
        }
    }
}
