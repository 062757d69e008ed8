//! Properties of the names in packages: unique, inside their folder, valid on every system.

use std::collections::HashSet;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::properties::cases;

/// Returns whether a system reserves the name for a device.
fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim().to_uppercase();
    let numbered = stem.strip_prefix("COM").or_else(|| stem.strip_prefix("LPT"));
    ["CON", "PRN", "AUX", "NUL"].contains(&stem.as_str())
        || numbered.is_some_and(|number| number.len() == 1 && number != "0" && number.parse::<u8>().is_ok())
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn entry_names_are_unique_and_stay_in_their_folder(
        given in vec((prop::sample::select(&["Originals", "Reports"]), "[aAbÄä]{1,2}(\\.[pP])?|x \\([23]\\)\\.p|[a/\\\\.]{0,4}a|[^\\p{Cc}]{1,6}a"), 0..40),
    ) {
        let mut names = EntryNames::default();
        let mut seen = HashSet::new();
        for (folder, name) in given {
            let path = names.unique(folder, &name);
            prop_assert!(seen.insert(path.to_lowercase()), "{}", path);
            let (before, last) = path.split_once('/').unwrap_or_default();
            prop_assert_eq!(before, folder);
            prop_assert!(!last.contains(['/', '\\']) && !matches!(last, "" | "." | ".."), "{}", path);
        }
    }

    #[test]
    fn safe_names_are_valid_on_every_system(
        text in prop_oneof![any::<String>(), "[ .a/:*?\"<>|\\\\\n]{0,9}", "([A-Za-z]{3}|con|NUL|Com1|lpt9)(\\.[a-z]{1,3})?[. ]{0,2}", "🔑{60,120}"],
    ) {
        let name = safe_name(&text);
        prop_assert!(!name.contains(|letter: char| letter.is_control() || r#"/\:*?"<>|"#.contains(letter)), "{:?}", name);
        prop_assert!(!name.is_empty() && !name.ends_with(['.', ' ']) && !name.starts_with(' '), "{:?}", name);
        prop_assert!(name.len() <= 255, "{} bytes", name.len());
        prop_assert!(!is_device(&name), "{:?}", name);
        prop_assert_eq!(safe_name(&name), name);
    }

    #[test]
    fn keeps_safe_names(text in "[a-zA-Zü0-9_() -]{0,30}[a-z0-9)]{4}(\\.[a-z]{1,4})?") {
        prop_assert_eq!(safe_name(text.trim()), text.trim());
    }
}
