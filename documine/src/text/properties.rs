//! Properties of any text: it becomes one bounded line, and no part of a secret remains.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::properties::cases;

/// Returns whether a terminal, a line splitter or a Unicode parser ends a line here.
fn breaks(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

/// Generates texts with many line breaks of all kinds.
fn text_with_breaks() -> impl Strategy<Value = String> {
    let c = prop_oneof![4 => any::<char>(), 1 => prop::sample::select(&['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}', '\u{202e}', '\u{1b}', ' '])];
    vec(c, 0..1200).prop_map(String::from_iter)
}

proptest! {
    #![proptest_config(cases(128))]

    #[test]
    fn one_line_is_bounded_and_unbroken(text in text_with_breaks()) {
        let line = one_line(&text);
        prop_assert!(line.chars().count() <= SNIPPET_LIMIT);
        prop_assert!(!line.contains(breaks) && !line.contains(is_hidden));
        prop_assert_eq!(line.trim(), &line);
    }

    #[test]
    fn one_line_keeps_clean_text(text in "[^\\p{Cc}\\p{Cf}\\p{Zl}\\p{Zp}\\x{e0000}-\\x{e007f}]{0,512}") {
        prop_assert_eq!(one_line(&text), text.trim());
    }

    #[test]
    fn masks_whole_secrets(
        secrets in vec("[abc]{1,6}", 1..5),
        pieces in vec(("[A-Z\n ]{1,5}", any::<prop::sample::Index>()), 0..8),
        end in "[A-Z]{0,5}",
    ) {
        let text: String = pieces.iter().flat_map(|(piece, index)| [piece.as_str(), index.get(&secrets).as_str()]).collect();
        let expected: String = pieces.iter().flat_map(|(piece, _)| [piece.as_str(), "[redacted]"]).collect();
        let clean = mask_secrets(&(text + &end), secrets.iter().map(String::as_str));
        prop_assert_eq!(clean, expected + &end);
    }

    /// Secrets may overlap one another or themselves.
    #[test]
    fn masks_overlapping_secrets(secrets in vec("[abc]{1,4}", 0..5), text in "[abcd]{0,40}") {
        let clean = mask_secrets(&text, secrets.iter().map(String::as_str));
        for piece in clean.split("[redacted]") {
            prop_assert!(secrets.iter().all(|secret| !piece.contains(secret.as_str())), "{:?} in {:?}", piece, clean);
            prop_assert!(text.contains(piece));
        }
    }
}
