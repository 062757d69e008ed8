//! Requests that neither the facade nor the document has.

use bytes::Bytes;
use documine_api::operations::UNLISTED;
use http::Method;

use super::call::named_call;
use super::handle::Client;
use crate::error::{Error, Result};
use crate::http_util;
use crate::transport::CallOptions;

impl Client {
    /// Sends a request that neither the facade nor the document has, with token, tenant header, timeouts and errors like any other call.
    ///
    /// `path` is relative to the base URL and may have a query. Returns the response body unchanged.
    ///
    /// ```
    /// # async fn f(client: documine::Client) -> documine::Result<()> {
    /// let body = client.request(http::Method::GET, "/api/license", None).await?;
    /// # Ok(()) }
    /// ```
    pub fn request(&self, method: Method, path: impl Into<String>, json: Option<serde_json::Value>) -> SendRequest {
        let params = (method, path.into(), json);
        SendRequest::new(self, params, |client, params, options| Box::pin(send(client, params, options)))
    }
}

named_call! {
    /// A request that neither the facade nor the document has. Created by [`Client::request`].
    ///
    /// ```
    /// # async fn f(client: documine::Client) -> documine::Result<()> {
    /// let body = client.request(http::Method::GET, "/api/license", None).with_header("Accept", "application/json").await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Input`](crate::ErrorKind::Input) for a path that is not relative to the base URL.
    SendRequest((Method, String, Option<serde_json::Value>)) -> Bytes
}

async fn send(
    client: Client,
    (method, path, json): (Method, String, Option<serde_json::Value>),
    options: CallOptions,
) -> Result<Bytes> {
    if !is_plain_path(&path) {
        return Err(Error::input(format!(
            "invalid path {path:?}; start with `/`, without `.` and `..` segments, backslashes, control characters and trailing spaces"
        )));
    }
    let mut request = client.pipeline().client.request(method, format!("{}{path}", client.base_url()));
    if let Some(json) = &json {
        request = request.json(json);
    }
    let request =
        request.build().map_err(|error| Error::input(format!("{path:?}: {}", http_util::root_cause(&error))))?;
    let (body, _) = client.send_request(request, &UNLISTED, &options).await?.into_bytes().await?;
    Ok(body)
}

/// Returns whether URL parsing keeps `path` unchanged.
///
/// URL parsing resolves `.` and `..` in any spelling, turns `\` into `/`, and drops control characters and trailing spaces.
fn is_plain_path(path: &str) -> bool {
    let (plain, rest) = path.split_once(['?', '#']).unwrap_or((path, ""));
    let is_dot_segment =
        |segment: &str| matches!(segment.to_ascii_lowercase().replace("%2e", ".").as_str(), "." | "..");
    plain.starts_with('/')
        && !plain.split('/').any(is_dot_segment)
        && !plain.contains('\\')
        && !path.ends_with(' ')
        && !plain.chars().chain(rest.chars()).any(char::is_control)
}

#[cfg(test)]
mod properties;
