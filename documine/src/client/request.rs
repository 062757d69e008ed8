//! Any request to the service, for what neither the facade nor the document knows.

use bytes::Bytes;
use documine_api::operations::UNLISTED;
use http::Method;

use crate::client::Call;
use crate::client::Client;
use crate::error::{Error, Result};
use crate::net;
use crate::transport::CallOptions;

impl Client {
    /// Any request to the service, for what neither the facade nor the document knows: with token, tenant header, time limits and
    /// errors like every other call.
    ///
    /// `path` is a path below the base URL, with its query. The answer's body comes back as it is.
    ///
    /// ```
    /// # async fn f(client: documine::Client) -> documine::Result<()> {
    /// let body = client.request(http::Method::GET, "/api/license", None).await?;
    /// # Ok(()) }
    /// ```
    pub fn request(
        &self,
        method: Method,
        path: impl Into<String>,
        json: Option<serde_json::Value>,
    ) -> Call<(Method, String, Option<serde_json::Value>), Bytes> {
        Call::new(self, (method, path.into(), json), |client, params, options| Box::pin(send(client, params, options)))
    }
}

async fn send(
    client: Client,
    (method, path, json): (Method, String, Option<serde_json::Value>),
    options: CallOptions,
) -> Result<Bytes> {
    if !is_plain_path(&path) {
        return Err(Error::input(format!(
            "{path:?} is no path: begin with `/`, and leave out `.` and `..`, backslashes, control characters and a blank at the end"
        )));
    }
    let mut request = client.pipeline().client.request(method, format!("{}{path}", client.base_url()));
    if let Some(json) = &json {
        request = request.json(json);
    }
    let request = request.build().map_err(|error| Error::input(format!("{path:?}: {}", net::root_cause(&error))))?;
    let (body, _) = client.send(request, &UNLISTED, &options).await?.whole().await?;
    Ok(body)
}

/// Whether the URL built from `path` leads where `path` says: URL parsing drops `.` and `..` in any spelling, takes `\` for `/`, and skips control
/// characters and blanks at the end.
fn is_plain_path(whole: &str) -> bool {
    let (path, rest) = whole.split_once(['?', '#']).unwrap_or((whole, ""));
    let dots = |segment: &str| matches!(segment.to_ascii_lowercase().replace("%2e", ".").as_str(), "." | "..");
    path.starts_with('/')
        && !path.split('/').any(dots)
        && !path.contains('\\')
        && !whole.ends_with(' ')
        && !path.chars().chain(rest.chars()).any(char::is_control)
}

#[cfg(test)]
mod properties;
