//! Lists: the whole list in one `await`, or a stream of its items, however the service pages.
//!
//! How an operation pages stands in the document (`x-paging`). Ours says `none` for every list: one answer holds the whole list. In another
//! document an operation that takes `page` and `size` is asked for one page after the other, as long as the answers say that there are
//! more. A `Link` header with `rel="next"` (RFC 8288) is followed where a service sends one, so that no list is ever taken for whole when it is not.

use std::collections::HashSet;
use std::future::IntoFuture;
use std::time::Duration;

use documine_api::operations::Paging;
use futures_util::stream::{self, Stream, StreamExt, TryStreamExt};
use http::{HeaderMap, header};
use url::Url;

use crate::call::{Call, Run};
use crate::client::Client;
use crate::clock::BoxFuture;
use crate::error::{Error, ErrorKind, Result};
use crate::transport::{Facts, Retry, RetryPolicy};

/// One page, as an operation's file makes it.
pub(crate) struct Page<T> {
    items: Vec<T>,
    next: Option<Url>,
    /// How many items there are on all pages, where the service says so.
    total: Option<u64>,
    /// The address of the page by number that comes after this one.
    numbered: Option<Url>,
    /// Whether the answer says that it is not the last page.
    unfinished: bool,
    operation: &'static str,
}

impl<T> Page<T> {
    /// Where the next page is, after `items` items so far.
    fn next(&mut self, items: u64) -> Option<Url> {
        let more = self.unfinished || self.total.is_some_and(|total| items < total);
        let numbered = self.numbered.take().filter(|_| more && !self.items.is_empty());
        self.next.take().or(numbered)
    }
}

impl Facts {
    /// A page of a list, with the address of the next one where the answer links it. `rest` is what the answer holds beside the list.
    pub(crate) fn page<T>(&self, items: Vec<T>, rest: &serde_json::Map<String, serde_json::Value>) -> Result<Page<T>> {
        let (url, operation) = (self.url(), self.operation.id);
        let next = next_link(url, &self.headers).map_err(|error| error.with_operation(operation))?;
        let total = rest.get("totalElements").and_then(serde_json::Value::as_u64);
        let unfinished = rest.get("last").and_then(serde_json::Value::as_bool) == Some(false);
        let numbered = (self.operation.paging == Paging::PageSize).then(|| next_number(url));
        Ok(Page { items, next, total, numbered, unfinished, operation })
    }
}

/// The same address with the number of the page raised by one; pages are counted from 0.
fn next_number(url: &Url) -> Url {
    const NUMBER: &str = "page";
    let number = url.query_pairs().find(|(name, _)| name == NUMBER).and_then(|(_, value)| value.parse::<u64>().ok());
    let others: Vec<(String, String)> = url
        .query_pairs()
        .filter(|(name, _)| name != NUMBER)
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect();
    let mut next = url.clone();
    next.query_pairs_mut().clear().extend_pairs(others).append_pair(NUMBER, &(number.unwrap_or(0) + 1).to_string());
    next
}

/// A list that has not been fetched yet: await it for all items in a `Vec`, or take the items as a [stream](Self::stream).
#[must_use = "a list is fetched only when it is awaited or streamed"]
pub struct List<P, T>(pub(crate) Call<P, Page<T>>);

impl<P: Clone + Send + Sync + 'static, T: Send + 'static> List<P, T> {
    pub(crate) fn new(client: &Client, params: P, run: Run<P, Page<T>>) -> Self {
        Self(Call::new(client, params, run))
    }

    /// In place of the client's limit from each request to the beginning of its answer.
    pub fn with_timeout(self, limit: Duration) -> Self {
        Self(self.0.with_timeout(limit))
    }

    /// In place of the client's limit between two pieces of each answer's body.
    pub fn with_idle_timeout(self, limit: Duration) -> Self {
        Self(self.0.with_idle_timeout(limit))
    }

    /// How long the whole list may take, with all its pages.
    pub fn with_deadline(self, limit: Duration) -> Self {
        Self(self.0.with_deadline(limit))
    }

    /// Whether failed attempts are repeated, in place of the client's rule.
    pub fn with_retry(self, when: Retry) -> Self {
        Self(self.0.with_retry(when))
    }

    /// How failed attempts are repeated, in place of the client's policy.
    pub fn with_retry_policy(self, policy: RetryPolicy) -> Self {
        Self(self.0.with_retry_policy(policy))
    }

    /// Whether each request waits for its turn among the client's paced calls.
    pub fn with_pacing(self, paced: bool) -> Self {
        Self(self.0.with_pacing(paced))
    }

    /// For one look of a wait.
    pub(crate) fn looking(self) -> Self {
        Self(self.0.looking())
    }

    /// Sends a further header with each request.
    pub fn with_header(self, name: &str, value: &str) -> Self {
        Self(self.0.with_header(name, value))
    }

    /// The list page by page, as the service divides it. Nothing is fetched before the stream is polled.
    pub fn pages(self) -> impl Stream<Item = Result<Vec<T>>> + Send + 'static {
        let run = self.0.run();
        let first = self.0.into_parts();
        let start = Walk { state: Some(first), visited: HashSet::new(), items: 0, until: None };
        stream::try_unfold(start, move |mut walk| async move {
            let Some(parts) = walk.state.take() else {
                return Ok(None);
            };
            let (client, params, mut options) = parts?;
            if let Some(limit) = options.deadline {
                let now = client.clock().monotonic();
                let until = *walk.until.get_or_insert(now.saturating_add(limit));
                options.deadline = Some(until.saturating_sub(now));
            }
            let mut page = run(client.clone(), params.clone(), options.clone()).await?;
            walk.items += page.items.len() as u64;
            let next = page.next(walk.items);
            let undone = |why: String| Error::new(ErrorKind::Decode, why).with_operation(page.operation);
            options.url = next.clone().map(Box::new);
            walk.state = match (next, page.total) {
                (Some(next), _) if walk.visited.insert(next.clone()) => Some(Ok((client, params, options))),
                (Some(_), _) => {
                    Some(Err(undone("the list does not end: the service links its pages in a circle".into())))
                }
                // A part is never taken for the whole.
                (None, Some(total)) if walk.items < total => {
                    return Err(undone(format!(
                        "the service gives {} of {total} items, paged in a way that the document does not declare (x-paging)",
                        walk.items
                    )));
                }
                (None, _) => None,
            };
            Ok(Some((page.items, walk)))
        })
    }

    /// The list item by item.
    ///
    /// ```
    /// # async fn f(client: documine::Client) -> documine::Result<()> {
    /// use futures_util::TryStreamExt;
    /// let mut templates = std::pin::pin!(client.dossier_templates().stream());
    /// while let Some(template) = templates.try_next().await? {
    ///     println!("{}", template.id);
    /// }
    /// # Ok(()) }
    /// ```
    pub fn stream(self) -> impl Stream<Item = Result<T>> + Send + 'static {
        self.pages().map_ok(|items| stream::iter(items).map(Ok)).try_flatten()
    }

    /// All items. The same as awaiting the list.
    ///
    /// # Errors
    /// The first [`Error`] of any page; never a part of the list.
    pub async fn collect(self) -> Result<Vec<T>> {
        self.pages().try_concat().await
    }
}

impl<P: Clone + Send + Sync + 'static, T: Send + 'static> IntoFuture for List<P, T> {
    type Output = Result<Vec<T>>;
    type IntoFuture = BoxFuture<'static, Result<Vec<T>>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.collect())
    }
}

impl<P, T> std::fmt::Debug for List<P, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("List").finish_non_exhaustive()
    }
}

/// A list on its way from page to page.
struct Walk<S> {
    /// What the next page is asked with; `None` when there is none.
    state: Option<Result<S>>,
    visited: HashSet<Url>,
    items: u64,
    /// When the whole list has to be there, by the client's clock.
    until: Option<Duration>,
}

/// The target of `Link: <…>; rel="next"` (RFC 8288), seen from `url`. The transport refuses one that leaves the service's own origin.
fn next_link(url: &Url, headers: &HeaderMap) -> Result<Option<Url>> {
    for value in headers.get_all(header::LINK) {
        // A title may be written in any letters; only the targets and relations matter.
        let value = String::from_utf8_lossy(value.as_bytes());
        let mut rest = value.as_ref();
        while let Some((target, tail)) = rest.split_once('<').and_then(|(_, tail)| tail.split_once('>')) {
            let (parameters, after) = tail.split_at(unquoted(tail, ',').unwrap_or(tail.len()));
            if is_next(parameters) {
                let next = url.join(target).map_err(|error| {
                    Error::new(ErrorKind::Decode, format!("the link to the next page is no address: {error}"))
                })?;
                return Ok(Some(next));
            }
            rest = after;
        }
    }
    Ok(None)
}

/// Whether the first `rel` names the next page; further ones do not count (RFC 8288 section 3.3).
fn is_next(mut parameters: &str) -> bool {
    loop {
        let end = unquoted(parameters, ';');
        let one = &parameters[..end.unwrap_or(parameters.len())];
        if let Some((name, value)) = one.split_once('=')
            && name.trim().eq_ignore_ascii_case("rel")
        {
            let mut relations = value.trim().trim_matches('"').split_whitespace();
            return relations.any(|relation| relation.eq_ignore_ascii_case("next"));
        }
        let Some(end) = end else { return false };
        parameters = &parameters[end + 1..];
    }
}

/// Where `mark` first stands outside of quoted strings (RFC 9110 section 5.6.4).
fn unquoted(text: &str, mark: char) -> Option<usize> {
    let (mut quoted, mut escaped) = (false, false);
    text.find(|c| {
        let plain = !std::mem::take(&mut escaped);
        quoted ^= plain && c == '"';
        escaped = plain && quoted && c == '\\';
        c == mark && !quoted
    })
}

#[cfg(test)]
mod properties;

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn the_next_page_is_found_among_links() -> std::result::Result<(), Box<dyn std::error::Error>> {
        let url = Url::parse("https://acme.example/api/users?page=1")?;
        let next = |link: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::LINK, HeaderValue::from_static(link));
            next_link(&url, &headers)
        };
        assert_eq!(next_link(&url, &HeaderMap::new())?, None);
        for (link, wanted) in [
            (
                r#"</api/users?page=0>; rel="first", </api/users?page=2>; rel="next""#,
                "https://acme.example/api/users?page=2",
            ),
            (
                r#"</api/users?ids=1,2&page=2>; title="a, b"; rel="next""#,
                "https://acme.example/api/users?ids=1,2&page=2",
            ),
            ("<?page=2>; rel=next", "https://acme.example/api/users?page=2"),
            (r#"<users?page=2>; rel="last next""#, "https://acme.example/api/users?page=2"),
        ] {
            assert_eq!(next(link)?.as_ref().map(Url::as_str), Some(wanted));
        }
        assert!(next("<https://[>; rel=next").is_err());
        assert_eq!(next("</api/users?page=0>; rel=prev")?, None);
        Ok(())
    }

    #[test]
    fn numbered_pages_are_asked_for_while_the_answers_say_that_there_are_more()
    -> std::result::Result<(), Box<dyn std::error::Error>> {
        let first = Url::parse("https://acme.example/api/users?size=2&filter=a%26b")?;
        let second = next_number(&first);
        assert_eq!(second.as_str(), "https://acme.example/api/users?size=2&filter=a%26b&page=1");
        assert_eq!(next_number(&second).query(), Some("size=2&filter=a%26b&page=2"));
        let page = |items: Vec<u8>, total, unfinished| Page {
            items,
            next: None,
            total,
            numbered: Some(second.clone()),
            unfinished,
            operation: "getUsers",
        };
        assert_eq!(page(vec![1, 2], Some(3), false).next(2), Some(second.clone()));
        assert_eq!(page(vec![3], Some(3), false).next(3), None, "all of them");
        assert_eq!(page(vec![1], None, true).next(1), Some(second.clone()), "not the last");
        assert_eq!(page(vec![1], None, false).next(1), None, "a service that pages nothing");
        assert_eq!(page(vec![], Some(3), true).next(2), None, "an empty page ends it");
        Ok(())
    }
}
