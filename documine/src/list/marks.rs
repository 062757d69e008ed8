//! What an answer says beside its list about where in the whole it stands, and the address of the page by number that comes next.

use documine_api::scalars::{boolean, integer};
use serde::Deserialize;
use serde_json::{Map, Value};
use url::Url;

/// The number of a page in an address.
const NUMBER: &str = "page";

/// What the answer says of itself, by the names that the most common frameworks use.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Marks {
    /// How many items there are on all pages (`totalElements`).
    pub(super) total: Option<u64>,
    /// How many pages there are (`totalPages`).
    pages: Option<u64>,
    /// Which one this is (`number`, or `page`).
    pub(super) number: Option<u64>,
    /// Whether it is the last one (`last`).
    last: Option<bool>,
}

/// The same, where a document describes these members, so that they are not among the unknown ones.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Described {
    total_elements: Value,
    total_pages: Value,
    number: Value,
    last: Value,
    page: Value,
}

impl Marks {
    /// The members by which a page is known.
    const NAMES: [&'static str; 5] = ["totalElements", "totalPages", "number", "last", "page"];

    /// An object with all of them, for finding out whether a model keeps them among its unknown members.
    pub(super) const ALL: &'static str = r#"{"totalElements":0,"totalPages":0,"number":0,"last":true,"page":0}"#;

    /// Whether `rest` has all of them.
    pub(super) fn are_all_in(rest: &Map<String, Value>) -> bool {
        Self::NAMES.iter().all(|name| rest.contains_key(*name))
    }

    /// From what stands beside the list.
    pub(super) fn of(rest: &Map<String, Value>) -> Self {
        let get = |name: &str| rest.get(name).cloned().unwrap_or_default();
        Described {
            total_elements: get("totalElements"),
            total_pages: get("totalPages"),
            number: get("number"),
            last: get("last"),
            page: get("page"),
        }
        .marks()
    }

    /// From the whole answer.
    pub(super) fn read(body: &[u8]) -> Self {
        serde_json::from_slice::<Described>(body).unwrap_or_default().marks()
    }

    /// Whether there are more pages, after one of `got` items and `items` so far. An empty page in the middle ends nothing where the answer
    /// says that there are more pages; that more items exist is no such word, for no page may ever show them.
    pub(super) fn more(&self, got: u64, items: u64) -> bool {
        let next = self.number.map(|number| number.saturating_add(1));
        let more_pages = next.zip(self.pages).is_some_and(|(next, pages)| next < pages);
        self.last == Some(false) || more_pages || (got > 0 && self.total.is_some_and(|total| items < total))
    }
}

impl Described {
    fn marks(self) -> Marks {
        let number = |value: &Value| integer(value).and_then(|number| u64::try_from(number).ok());
        // Either the number of the page or an object with all of it.
        let within = |name: &str| self.page.get(name).and_then(number);
        Marks {
            total: number(&self.total_elements).or_else(|| within("totalElements")),
            pages: number(&self.total_pages).or_else(|| within("totalPages")),
            number: number(&self.number).or_else(|| number(&self.page)).or_else(|| within("number")),
            last: boolean(&self.last),
        }
    }
}

/// The number of the page in an address.
pub(super) fn number_of(url: &Url) -> Option<u64> {
    url.query_pairs().find(|(name, _)| name == NUMBER).and_then(|(_, value)| value.parse().ok())
}

/// The same address with another number of the page.
pub(super) fn with_number(url: &Url, number: u64) -> Url {
    with(url, NUMBER, number)
}

/// The same address with another size of the page.
pub(super) fn with_size(url: &Url, size: u32) -> Url {
    with(url, "size", size.into())
}

fn with(url: &Url, name: &str, value: u64) -> Url {
    let others: Vec<(String, String)> = url
        .query_pairs()
        .filter(|(other, _)| other != name)
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect();
    let mut url = url.clone();
    url.query_pairs_mut().clear().extend_pairs(others).append_pair(name, &value.to_string());
    url
}

#[cfg(test)]
mod properties;

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Marks {
        let rest: Map<String, Value> = serde_json::from_str(json).unwrap_or_default();
        let marks = Marks::of(&rest);
        assert_eq!(Marks::read(json.as_bytes()), marks, "{json}");
        marks
    }

    #[test]
    fn answers_say_in_several_ways_that_there_are_more() {
        let spring = read(r#"{"totalElements":3,"totalPages":2,"number":0,"last":false,"size":2,"sort":[]}"#);
        assert_eq!((spring.total, spring.number), (Some(3), Some(0)));
        assert!(spring.more(2, 2) && spring.more(0, 0));
        assert!(read(r#"{"page":{"size":2,"number":0,"totalElements":3,"totalPages":2}}"#).more(0, 0));
        assert!(!read(r#"{"page":{"size":2,"number":1,"totalElements":3,"totalPages":2}}"#).more(1, 3));
        assert!(read(r#"{"page":0,"totalPages":2}"#).more(0, 0));
        assert!(read(r#"{"totalElements":3}"#).more(2, 2));
        assert!(!read(r#"{"totalElements":3}"#).more(0, 2), "an empty page ends what only the total promised");
        assert!(!read(r#"{"totalElements":3}"#).more(1, 3), "all of them");
        assert!(!read("{}").more(1, 1), "a service that pages nothing");
    }

    #[test]
    fn marks_of_another_form_are_none() {
        let odd = read(r#"{"totalElements":"three","totalPages":-1,"number":1.5,"last":"no","page":[0]}"#);
        assert_eq!(odd, Marks::default());
        let spelled = read(r#"{"totalElements":"3","totalPages":2.0,"number":"0","last":"false"}"#);
        assert_eq!(spelled, read(r#"{"totalElements":3,"totalPages":2,"number":0,"last":false}"#));
        assert!(Marks::are_all_in(&serde_json::from_str(Marks::ALL).unwrap_or_default()));
    }

    #[test]
    fn an_address_gets_another_number_and_size() -> Result<(), Box<dyn std::error::Error>> {
        let first = Url::parse("https://acme.example/api/users?size=2&filter=a%26b")?;
        let second = with_number(&first, 1);
        assert_eq!(second.as_str(), "https://acme.example/api/users?size=2&filter=a%26b&page=1");
        assert_eq!((number_of(&first), number_of(&second)), (None, Some(1)));
        assert_eq!(with_size(&second, 9).query(), Some("filter=a%26b&page=1&size=9"));
        Ok(())
    }
}
