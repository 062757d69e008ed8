//! A serializable position in a list, for another process or a later run.

use serde::{Deserialize, Serialize};
use url::Url;

use crate::error::{Error, Result};

/// The format version of continuations. Other versions are rejected.
const VERSION: u32 = 1;

/// The position in a list after the last fully delivered page; `resume` of the list continues from it, also in another process.
///
/// A continuation contains paths and queries of the service and counts, but no host, no token and no workspace. The service decides how long a
/// continuation stays valid, because its pages may change.
///
/// ```
/// # async fn f(client: documine::Client) -> Result<(), Box<dyn std::error::Error>> {
/// use futures_util::TryStreamExt;
/// let mut pages = client.users().pages();
/// while let Some(page) = pages.try_next().await? {
///     // … process page.items, then:
///     std::fs::write("users.continuation", serde_json::to_vec(&page.continuation)?)?;
/// }
/// // In another process:
/// let saved: Option<documine::list::Continuation> = serde_json::from_slice(&std::fs::read("users.continuation")?)?;
/// if let Some(continuation) = saved {
///     let rest = client.users().resume(continuation).await?;
/// }
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Continuation {
    #[serde(rename = "v")]
    version: u32,
    // The defaults let a continuation of another version be read far enough to report its version.
    #[serde(default)]
    operation: String,
    /// Path and query of the list's first page, which identify the list.
    #[serde(default)]
    list: String,
    /// Path and query of the next page.
    #[serde(default)]
    next: String,
    #[serde(default)]
    pub(super) items: u64,
    #[serde(default)]
    pub(super) pages: u64,
}

impl Continuation {
    /// Creates a continuation for the list of `operation` from `first` to `next`; `None` if `next` has another origin.
    pub(super) fn new(operation: &str, first: &Url, next: &Url, items: u64, pages: u64) -> Option<Self> {
        (first.origin() == next.origin()).then(|| Self {
            version: VERSION,
            operation: operation.to_owned(),
            list: path_and_query(first),
            next: path_and_query(next),
            items,
            pages,
        })
    }

    /// Returns the URL of the next page for the list that begins at `first`.
    pub(super) fn next_url(&self, operation: &str, first: &Url) -> Result<Url> {
        let rejected = |reason: String| Error::input(format!("cannot resume the list: {reason}"));
        if self.version != VERSION {
            let reason = format!(
                "the continuation has format version {}, but this build supports version {VERSION}",
                self.version
            );
            return Err(rejected(reason));
        }
        if self.operation != operation || self.list != path_and_query(first) {
            let reason = format!("the continuation belongs to another list ({} {})", self.operation, self.list);
            return Err(rejected(crate::text::one_line(&reason)));
        }
        let next =
            first.join(&self.next).map_err(|error| rejected(format!("invalid path of the next page: {error}")))?;
        if !self.next.starts_with('/') || path_and_query(&next) != self.next || next.origin() != first.origin() {
            return Err(rejected("the next page is not a path of the service".into()));
        }
        Ok(next)
    }
}

fn path_and_query(url: &Url) -> String {
    match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next_url(change: impl FnOnce(&mut Continuation)) -> std::result::Result<String, String> {
        let first = Url::parse("https://acme.example/api/users?active=true").map_err(|error| error.to_string())?;
        let next = first.join("?cursor=20").map_err(|error| error.to_string())?;
        let mut continuation = Continuation::new("getUsers", &first, &next, 20, 1).ok_or("another origin")?;
        change(&mut continuation);
        continuation.next_url("getUsers", &first).map(String::from).map_err(|error| error.to_string())
    }

    #[test]
    fn resumes_only_the_same_list_at_a_path_of_the_service() {
        assert_eq!(next_url(|_| {}), Ok("https://acme.example/api/users?cursor=20".into()));
        let other_list = "cannot resume the list: the continuation belongs to another list (getUsers /api/files)";
        assert_eq!(next_url(|it| it.list = "/api/files".into()), Err(other_list.into()));
        assert!(next_url(|it| it.operation = "getFiles".into()).is_err());
        for target in ["//evil.example/", "/\\evil.example/", "https://evil.example/", "users", "", "/a/../b", "/a#b"] {
            let result = next_url(|it| it.next = target.into());
            let no_path = "cannot resume the list: the next page is not a path of the service";
            assert_eq!(result, Err(no_path.into()), "{target}");
        }
    }

    #[test]
    fn rejects_other_format_version() -> std::result::Result<(), Box<dyn std::error::Error>> {
        // Unknown fields do not prevent reading the version.
        let later: Continuation = serde_json::from_str(r#"{"v":2,"cursor":"x"}"#)?;
        let first = Url::parse("https://acme.example/api/users")?;
        let result = later.next_url("getUsers", &first).map_err(|error| error.to_string());
        let reason = "the continuation has format version 2, but this build supports version 1";
        assert_eq!(result, Err(format!("cannot resume the list: {reason}")));
        Ok(())
    }

    #[test]
    fn contains_no_host_and_no_password() -> std::result::Result<(), Box<dyn std::error::Error>> {
        let first = Url::parse("https://robot:pa55-w0rd@acme.example/api/users")?;
        let continuation = Continuation::new("getUsers", &first, &first.join("?page=1")?, 1, 1);
        let json = serde_json::to_string(&continuation)?;
        let list = r#""operation":"getUsers","list":"/api/users","next":"/api/users?page=1""#;
        assert_eq!(json, format!(r#"{{"v":1,{list},"items":1,"pages":1}}"#));
        let other = Url::parse("https://other.example/api/users?page=1")?;
        assert_eq!(Continuation::new("getUsers", &first, &other, 1, 1), None);
        Ok(())
    }
}
