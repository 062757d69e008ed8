//! Properties of the `Link` header: the link to the next page is found, and no other link is returned.

use http::HeaderValue;
use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::properties::cases;

/// A link with its target, relations and other parameters.
#[derive(Debug, Clone)]
struct Link {
    target: String,
    relations: Vec<&'static str>,
    quoted: bool,
    /// The parameters before and after the relation.
    others: (Vec<String>, Vec<String>),
}

impl Link {
    fn is_next(&self) -> bool {
        self.relations.iter().any(|relation| relation.eq_ignore_ascii_case("next"))
    }

    fn written(&self) -> String {
        let relation = match (self.relations.as_slice(), self.quoted) {
            ([], _) => None,
            ([one], false) => Some(format!("rel={one}")),
            (several, _) => Some(format!("REL = \"{}\"", several.join(" "))),
        };
        let (before, after) = &self.others;
        let parameters = before.iter().cloned().chain(relation).chain(after.iter().cloned());
        parameters.fold(format!("<{}>", self.target), |text, parameter| format!("{text}; {parameter}"))
    }
}

/// Generates a parameter that resembles a relation but is none.
fn other() -> impl Strategy<Value = String> {
    let quoted = "[a-zü,;<>\\\\\"= ]{0,12}|a; rel=next|, <x>; rel=\"next\"|\\\\|\"";
    prop_oneof![
        quoted.prop_map(|text| format!("title=\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))),
        Just(String::from("title*=UTF-8''n%C3%A4chste")),
        Just(String::from("type=text/html")),
        Just(String::from("crossorigin")),
        Just(String::from("rev=next")),
    ]
}

fn link() -> impl Strategy<Value = Link> {
    let relation =
        prop::sample::select(&["next", "Next", "prev", "first", "last", "nextpage", "https://acme.example/next"]);
    let target = prop_oneof![
        "/([a-z0-9][a-z0-9/]{0,7})?",
        "\\?[a-z=,;&%20]{0,12}",
        "[a-z]{1,5}",
        Just("https://other.example/x".to_owned())
    ];
    let others = || vec(other(), 0..3);
    (target, vec(relation, 0..3), any::<bool>(), (others(), others()))
        .prop_map(|(target, relations, quoted, others)| Link { target, relations, quoted, others })
}

fn url() -> Url {
    Url::parse("https://acme.example/api/users?page=1").unwrap_or_else(|_| unreachable!("valid URL"))
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn returns_first_link_with_relation_next(fields in vec(vec(link(), 1..4), 0..3), blank in "[ \t]{0,2}") {
        let mut headers = HeaderMap::new();
        for links in &fields {
            let text = links.iter().map(Link::written).collect::<Vec<_>>().join(&format!("{blank},{blank}"));
            headers.append(header::LINK, HeaderValue::from_bytes(text.as_bytes())?);
        }
        let expected = fields.iter().flatten().find(|link| link.is_next()).map(|link| url().join(&link.target));
        prop_assert_eq!(next_link(&url(), &headers)?, expected.transpose()?);
    }

    #[test]
    fn returns_only_targets_from_the_header(
        pieces in vec(prop_oneof!["[^\\p{Cc}]{0,6}", "[<>,\"]", "; rel=next"], 0..20),
        garbage in vec(128_u8..=255, 0..4),
    ) {
        let mut bytes = pieces.concat().into_bytes();
        bytes.extend(garbage);
        let headers = HeaderMap::from_iter([(header::LINK, HeaderValue::from_bytes(&bytes)?)]);
        let text = String::from_utf8_lossy(&bytes);
        match next_link(&url(), &headers) {
            Ok(None) => {}
            Ok(Some(next)) => {
                let targets = text.match_indices('<').filter_map(|(at, _)| text[at + 1..].split_once('>'));
                let found = targets.map(|(target, _)| url().join(target)).any(|joined| joined.as_ref() == Ok(&next));
                prop_assert!(found, "{} in {:?}", next, text);
            }
            Err(error) => prop_assert_eq!(error.kind(), ErrorKind::Decode),
        }
    }
}
