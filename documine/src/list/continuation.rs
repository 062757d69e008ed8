//! Where a list goes on, for another process or another day.

use serde::{Deserialize, Serialize};
use url::Url;

use crate::error::{Error, Result};

/// Of this form; another one is refused.
const VERSION: u32 = 1;

/// Where a list goes on after the last page that was delivered whole: kept in a file, say, and given to [`List::resume`](crate::List::resume)
/// by another process.
///
/// It holds paths and queries of the service (as the service links its pages) and counts. No host, no token and no workspace is in it. How
/// long it is good for, the service decides: its pages may have moved on.
///
/// ```
/// # async fn f(client: documine::Client) -> Result<(), Box<dyn std::error::Error>> {
/// use futures_util::TryStreamExt;
/// let mut pages = client.users().pages();
/// while let Some(page) = pages.try_next().await? {
///     // … work on page.items, then:
///     std::fs::write("users.continuation", serde_json::to_vec(&page.continuation)?)?;
/// }
/// // Elsewhere:
/// let kept: Option<documine::Continuation> = serde_json::from_slice(&std::fs::read("users.continuation")?)?;
/// if let Some(continuation) = kept {
///     let rest = client.users().resume(continuation).await?;
/// }
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Continuation {
    #[serde(rename = "v")]
    version: u32,
    // Absent in a form of another version, which is to be told from a broken one.
    #[serde(default)]
    operation: String,
    /// Which list it is: the path and query that it begins with.
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
    /// For the list of `operation` that begins at `first` and goes on at `next`, if that is an address of the same service.
    pub(super) fn new(operation: &str, first: &Url, next: &Url, items: u64, pages: u64) -> Option<Self> {
        (first.origin() == next.origin()).then(|| Self {
            version: VERSION,
            operation: operation.to_owned(),
            list: place(first),
            next: place(next),
            items,
            pages,
        })
    }

    /// The address at which the list that begins at `first` goes on.
    pub(super) fn resumed(&self, operation: &str, first: &Url) -> Result<Url> {
        let refused = |why: String| Error::input(format!("the list can't go on where it is told to: {why}"));
        if self.version != VERSION {
            let why =
                format!("the continuation is of version {}, and this build knows version {VERSION}", self.version);
            return Err(refused(why));
        }
        if self.operation != operation || self.list != place(first) {
            let why = format!("the continuation is of another list ({} {})", self.operation, self.list);
            return Err(refused(crate::text::one_line(&why)));
        }
        let next = first.join(&self.next).map_err(|error| refused(format!("its next page is no address: {error}")))?;
        if !self.next.starts_with('/') || place(&next) != self.next || next.origin() != first.origin() {
            return Err(refused("its next page is no path of the service".into()));
        }
        Ok(next)
    }
}

/// Path and query.
fn place(url: &Url) -> String {
    match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resumed(change: impl FnOnce(&mut Continuation)) -> std::result::Result<String, String> {
        let first = Url::parse("https://acme.example/api/users?active=true").map_err(|error| error.to_string())?;
        let next = first.join("?cursor=20").map_err(|error| error.to_string())?;
        let mut continuation = Continuation::new("getUsers", &first, &next, 20, 1).ok_or("another origin")?;
        change(&mut continuation);
        continuation.resumed("getUsers", &first).map(String::from).map_err(|error| error.to_string())
    }

    #[test]
    fn it_leads_where_the_list_goes_on_and_nowhere_else() {
        assert_eq!(resumed(|_| {}), Ok("https://acme.example/api/users?cursor=20".into()));
        let told =
            "the list can't go on where it is told to: the continuation is of another list (getUsers /api/files)";
        assert_eq!(resumed(|it| it.list = "/api/files".into()), Err(told.into()));
        assert!(resumed(|it| it.operation = "getFiles".into()).is_err());
        for elsewhere in
            ["//evil.example/", "/\\evil.example/", "https://evil.example/", "users", "", "/a/../b", "/a#b"]
        {
            let told = resumed(|it| it.next = elsewhere.into());
            let no_path = "the list can't go on where it is told to: its next page is no path of the service";
            assert_eq!(told, Err(no_path.into()), "{elsewhere}");
        }
    }

    #[test]
    fn a_form_of_another_version_is_named() -> std::result::Result<(), Box<dyn std::error::Error>> {
        // It is read all the same, whatever else is in it.
        let later: Continuation = serde_json::from_str(r#"{"v":2,"cursor":"x"}"#)?;
        let first = Url::parse("https://acme.example/api/users")?;
        let told = later.resumed("getUsers", &first).map_err(|error| error.to_string());
        let why = "the continuation is of version 2, and this build knows version 1";
        assert_eq!(told, Err(format!("the list can't go on where it is told to: {why}")));
        Ok(())
    }

    #[test]
    fn no_host_and_no_password_is_in_it() -> std::result::Result<(), Box<dyn std::error::Error>> {
        let first = Url::parse("https://robot:pa55-w0rd@acme.example/api/users")?;
        let kept = Continuation::new("getUsers", &first, &first.join("?page=1")?, 1, 1);
        let json = serde_json::to_string(&kept)?;
        let list = r#""operation":"getUsers","list":"/api/users","next":"/api/users?page=1""#;
        assert_eq!(json, format!(r#"{{"v":1,{list},"items":1,"pages":1}}"#));
        let other = Url::parse("https://other.example/api/users?page=1")?;
        assert_eq!(Continuation::new("getUsers", &first, &other, 1, 1), None);
        Ok(())
    }
}
