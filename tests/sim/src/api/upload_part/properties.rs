//! Properties of uploaded names: every accepted name is a file name without folders.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::properties::cases;

proptest! {
    #![proptest_config(cases(512))]

    #[test]
    fn accepted_names_are_plain_file_names(
        pieces in vec(prop_oneof!["[a-z.]{1,4}", "[/\\\\. \n\0ü]", any::<char>().prop_map(String::from), "x{90}"], 0..6),
    ) {
        let given = pieces.concat();
        let last = given.rsplit(['/', '\\']).next().unwrap_or_default();
        if let Ok(name) = file_name(&given) {
            prop_assert!(!name.contains(|letter: char| letter.is_control() || matches!(letter, '/' | '\\')));
            prop_assert!(!matches!(name.as_str(), "" | "." | "..") && name.len() <= MAX_FILE_NAME_BYTES);
            prop_assert_eq!(name.trim(), &name);
            prop_assert!(file_name(&name).is_ok_and(|again| again == name), "the name is stable");
            prop_assert!(last.contains(char::is_control) || last.trim() == name);
        } else {
            let is_blank = |letter: char| letter == '.' || letter.is_control() || letter.is_whitespace();
            prop_assert!(last.len() > MAX_FILE_NAME_BYTES || last.chars().all(is_blank));
        }
    }
}
