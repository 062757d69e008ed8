//! Properties of page numbers in URLs.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::properties::cases;

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn changes_only_the_page_number(
        number in prop::option::of(0..u64::MAX),
        before in vec(("[a-oq-z&=+ü]{1,6}", "[a-z&=+%ü ]{0,6}"), 0..4),
    ) {
        let mut url = Url::parse("https://acme.example/api/users?page=1")?;
        url.query_pairs_mut().clear().extend_pairs(&before);
        if let Some(number) = number {
            url.query_pairs_mut().append_pair("page", &number.to_string());
        }
        let next = with_page_number(&url, page_number(&url).unwrap_or(0) + 1);
        let mut pairs: Vec<(String, String)> = next.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
        prop_assert_eq!(pairs.pop(), Some(("page".to_owned(), (number.unwrap_or(0) + 1).to_string())));
        prop_assert_eq!(pairs, before);
        prop_assert_eq!(next.path(), url.path());
    }
}
