//! Suggests a name for a misspelt one.

/// Returns the first of `names` that differs from `wanted` only in case and punctuation.
pub(super) fn suggest<'a>(wanted: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let key = normalized(wanted);
    names.into_iter().find(|name| *name != wanted && !key.is_empty() && normalized(name) == key)
}

fn normalized(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::suggest;

    #[test]
    fn ignores_case_and_punctuation() {
        let names = ["Study Title", "study-number", "Sponsor"];
        assert_eq!(suggest("Study_Title", names), Some("Study Title"));
        assert_eq!(suggest("StudyNumber", names), Some("study-number"));
        assert_eq!(suggest("Sponsors", names), None);
        assert_eq!(suggest("Sponsor", names), None, "the same name is not suggested");
        assert_eq!(suggest("__", ["--"]), None);
    }
}
