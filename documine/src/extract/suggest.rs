//! Which of the given names was probably meant: equal but for case, blanks, underscores and other marks.

/// The first of `given` that differs from `wanted` in case and marks only.
pub(super) fn suggest<'a>(wanted: &str, given: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let key = bare(wanted);
    given.into_iter().find(|name| *name != wanted && !key.is_empty() && bare(name) == key)
}

fn bare(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::suggest;

    #[test]
    fn case_and_marks_do_not_count() {
        let given = ["Study Title", "study-number", "Sponsor"];
        assert_eq!(suggest("Study_Title", given), Some("Study Title"));
        assert_eq!(suggest("StudyNumber", given), Some("study-number"));
        assert_eq!(suggest("Sponsors", given), None);
        assert_eq!(suggest("Sponsor", given), None, "the same name is no hint");
        assert_eq!(suggest("__", ["--"]), None);
    }
}
