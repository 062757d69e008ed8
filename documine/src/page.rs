//! Lists: the whole list in one `await`, or a stream of its items, however the service pages.
//!
//! How an operation pages stands in the document (`x-paging`). Ours says `none` for every list: one answer holds the whole list. A
//! `Link` header with `rel="next"` (RFC 8288) is followed where a service sends one, so that no list is ever taken for whole when it is not.

use std::collections::HashSet;
use std::future::IntoFuture;
use std::time::Duration;

use futures_util::stream::{self, Stream, StreamExt, TryStreamExt};
use http::{HeaderMap, header};
use url::Url;

use crate::call::{Call, Run};
use crate::client::Client;
use crate::clock::BoxFuture;
use crate::error::{Error, ErrorKind, Result};
use crate::transport::Facts;

/// One page, as an operation's file makes it.
pub(crate) struct Page<T> {
    pub(crate) items: Vec<T>,
    pub(crate) next: Option<Url>,
    pub(crate) operation: &'static str,
}

impl<T> Page<T> {
    /// A page and the next one's address: the answer's `Link` header, seen from `base`. `rest` is what the answer holds beside the list.
    ///
    /// # Errors
    /// The answer says that there are more items, but not where: a part must never be taken for the whole.
    pub(crate) fn new(
        items: Vec<T>,
        rest: &serde_json::Map<String, serde_json::Value>,
        base: &Url,
        facts: &Facts,
    ) -> Result<Self> {
        let next = next_link(base, &facts.headers);
        let total = rest.get("totalElements").and_then(serde_json::Value::as_u64);
        if let Some(total) = total.filter(|total| next.is_none() && *total > items.len() as u64) {
            return Err(Error::new(
                ErrorKind::Decode,
                format!(
                    "the service gives {} of {total} items, paged in a way that the document does not declare (x-paging)",
                    items.len()
                ),
            )
            .with_operation(facts.operation));
        }
        Ok(Self { items, next, operation: facts.operation })
    }
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

    /// Sends a further header with each request.
    pub fn with_header(self, name: &str, value: &str) -> Self {
        Self(self.0.with_header(name, value))
    }

    /// The list page by page, as the service divides it. Nothing is fetched before the stream is polled.
    pub fn pages(self) -> impl Stream<Item = Result<Vec<T>>> + Send + 'static {
        let run = self.0.run();
        let first = self.0.into_parts();
        stream::try_unfold((Some(first), HashSet::new()), move |(state, mut visited)| async move {
            let Some(parts) = state else {
                return Ok(None);
            };
            let (client, params, mut options) = parts?;
            let page = run(client.clone(), params.clone(), options.clone()).await?;
            options.url.clone_from(&page.next);
            let next = page.next.map(|next| {
                if visited.insert(next) {
                    return Ok((client, params, options));
                }
                let circle =
                    Error::new(ErrorKind::Decode, "the list does not end: the service links its pages in a circle");
                Err(circle.with_operation(page.operation))
            });
            Ok(Some((page.items, (next, visited))))
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

/// The target of `Link: <…>; rel="next"`. The transport refuses one that leaves the service's own origin.
fn next_link(base: &Url, headers: &HeaderMap) -> Option<Url> {
    headers
        .get_all(header::LINK)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .find_map(|link| {
            let (target, parameters) = link.trim().strip_prefix('<')?.split_once('>')?;
            let is_next =
                parameters.split(';').filter_map(|parameter| parameter.trim().split_once('=')).any(|(name, value)| {
                    name.trim().eq_ignore_ascii_case("rel")
                        && value.trim().trim_matches('"').split_whitespace().any(|rel| rel.eq_ignore_ascii_case("next"))
                });
            is_next.then(|| base.join(target).ok()).flatten()
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn the_next_page_is_found_among_links() -> std::result::Result<(), url::ParseError> {
        let base = Url::parse("https://acme.example/api/users")?;
        let mut headers = HeaderMap::new();
        assert_eq!(next_link(&base, &headers), None);
        headers.insert(
            header::LINK,
            HeaderValue::from_static(r#"</api/users?page=0>; rel="first", </api/users?page=2>; rel="next""#),
        );
        let next = next_link(&base, &headers);
        assert_eq!(next.as_ref().map(Url::as_str), Some("https://acme.example/api/users?page=2"));
        Ok(())
    }
}
