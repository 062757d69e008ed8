//! Responses: small bodies are read whole and bounded, packages stay a stream, and everything else becomes an error.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use ::http::{HeaderMap, StatusCode, header};
use bytes::{Bytes, BytesMut};
use documine_api::operations::{self, Operation};
use reqwest::{Response, ResponseBuilderExt};
use url::Url;

use super::call_state::{CallExecutor, CallState};
use super::classify::{self, ERROR_BODY_LIMIT, ResponseFailure, classify};
use super::content_encoding::{content_codings, decompress};
use super::inferred_path;
use crate::address::is_same_origin;
use crate::auth::TokenSet;
use crate::error::{Error, ErrorKind, Result, Sent, TimeoutPhase};
use crate::timeout::within;
use crate::{http_util, json_memory, text};

/// The response of one attempt.
pub(super) struct AttemptResponse {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    /// The URL of the response, if redirects led away from the URL of the request.
    pub(super) final_url: Option<Box<Url>>,
    pub(super) body: ResponseBody,
}

/// The response of a call, with its metadata.
pub(crate) struct RawResponse {
    pub(crate) meta: ResponseMeta,
    pub(crate) body: ResponseBody,
}

/// The metadata of a response.
pub(crate) struct ResponseMeta {
    pub(crate) operation: &'static Operation,
    /// The request as built, without the token.
    pub(crate) request: reqwest::Request,
    /// The URL of the response, if redirects led away from the URL of the request.
    pub(crate) final_url: Option<Box<Url>>,
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) attempts: u32,
    pub(crate) elapsed: Duration,
    /// The tokens of the successful attempt, to mask them in a response that echoes them.
    pub(crate) tokens: Option<Arc<TokenSet>>,
}

/// The body of a response.
pub(crate) enum ResponseBody {
    /// A complete body.
    Bytes(Bytes),
    /// A body of any length that is still to be read.
    Stream(Box<Response>),
}

impl AttemptResponse {
    /// Returns the response to a deletion.
    pub(super) fn no_content() -> Self {
        let body = ResponseBody::Bytes(Bytes::new());
        Self { status: StatusCode::NO_CONTENT, headers: HeaderMap::new(), final_url: None, body }
    }
}

impl ResponseMeta {
    /// Returns the URL of the response.
    pub(crate) fn url(&self) -> &Url {
        self.final_url.as_deref().unwrap_or_else(|| self.request.url())
    }

    /// Adds operation, attempts and elapsed time to an error about the response.
    pub(crate) fn annotate(&self, error: Error) -> Error {
        error
            .with_operation(self.operation.id)
            .with_attempts(self.attempts, self.elapsed)
            .repeatable(self.request.method().is_idempotent())
    }
}

impl RawResponse {
    /// Returns the whole body.
    pub(crate) async fn into_bytes(self) -> Result<(Bytes, ResponseMeta)> {
        let Self { meta, body } = self;
        let body = match body {
            ResponseBody::Bytes(body) => body,
            // Boxed, so that the rare case does not enlarge the future of every call.
            ResponseBody::Stream(response) => {
                let body = Box::pin(response.bytes()).await;
                body.map_err(|error| meta.annotate(classify(ResponseFailure::Transport(&error))))?
            }
        };
        Ok((body, meta))
    }

    /// Returns the body as a stream.
    pub(crate) fn into_stream(self) -> (Response, ResponseMeta) {
        let response = match self.body {
            ResponseBody::Bytes(body) => Response::from(::http::Response::new(body)),
            ResponseBody::Stream(response) => *response,
        };
        (response, self.meta)
    }

    /// Converts to the response type of the generated client.
    pub(super) fn into_response(self) -> Result<Response> {
        let Self { meta, body } = self;
        let body = match body {
            ResponseBody::Bytes(body) => reqwest::Body::from(body),
            ResponseBody::Stream(mut response) => {
                *response.headers_mut() = meta.headers;
                return Ok(*response);
            }
        };
        // Without the URL, reqwest would parse a placeholder URL.
        let response = ::http::Response::builder().status(meta.status).url(meta.url().clone());
        let mut response = response.body(body).map_err(|error| Error::new(ErrorKind::Decode, error.to_string()))?;
        *response.headers_mut() = meta.headers;
        Ok(Response::from(response))
    }
}

impl CallExecutor<'_> {
    /// Turns an unusable response into an error, and reads the body unless it stays a stream.
    pub(super) async fn read_response(
        &self,
        mut response: Response,
        state: &CallState,
        tokens: &TokenSet,
    ) -> Result<AttemptResponse> {
        let expected = state.operation.response;
        let status = response.status();
        let final_url = (response.url() != state.request.url()).then(|| Box::new(response.url().clone()));
        // Packages are not decompressed, and the body of a response without content is not interpreted.
        let is_interpreted = !status.is_success()
            || !matches!(expected, operations::ResponseKind::Binary | operations::ResponseKind::Empty);
        let codings = if is_interpreted { content_codings(response.headers()) } else { Vec::new() };
        let mut mismatch = if status.is_success() { content_mismatch(response.headers(), expected) } else { None };
        if !codings.is_empty() {
            response = decompress(response, &codings).unwrap_or_else(|response| {
                let codings = codings.join(", ");
                mismatch.get_or_insert(format!("unsupported content encoding {codings:?}"));
                *response
            });
        }
        if !status.is_success() || mismatch.is_some() {
            // Boxed, so that the error path does not enlarge the future of every call.
            let (headers, body) = Box::pin(self.read_error_body(response, tokens)).await;
            let (headers, body, now) = (&headers, body.as_bytes(), self.pipeline.clock.now());
            let error = classify(match &mismatch {
                Some(why) => ResponseFailure::UnexpectedBody { status, headers, body, why },
                None => ResponseFailure::ErrorStatus { status, headers, body, now },
            });
            let error = match inferred_path::note(state.operation, status, body) {
                // A response of another origin says nothing about the paths of the service.
                Some(note) if state.redirects.origin.is_none() => error.with_note(note),
                _ => error,
            };
            // In JSON the token may have been written with escapes, so decoded texts are masked as well.
            return Err(state.redirects.annotate(error.mask_secrets(&[tokens.access.expose()])));
        }
        let headers = std::mem::take(response.headers_mut());
        let (status, body) = match expected {
            operations::ResponseKind::Binary => (status, ResponseBody::Stream(Box::new(response))),
            operations::ResponseKind::Json | operations::ResponseKind::JsonOrXml if self.options.stream_body => {
                (status, ResponseBody::Stream(Box::new(response)))
            }
            // Some services respond to a deletion with 200 and a body where 204 is documented.
            operations::ResponseKind::Empty => {
                (StatusCode::NO_CONTENT, ResponseBody::Bytes(self.read_body(&mut response).await?))
            }
            _ => (status, ResponseBody::Bytes(self.read_body(&mut response).await?)),
        };
        Ok(AttemptResponse { status, headers, final_url, body })
    }

    /// Reads the beginning of an error body and masks the secrets in it.
    async fn read_error_body(&self, response: Response, tokens: &TokenSet) -> (HeaderMap, String) {
        let headers = response.headers().clone();
        if response.status().is_redirection() && headers.contains_key(header::LOCATION) {
            // The body only repeats the target, which may be a signed URL.
            return (headers, String::new());
        }
        let signed = signed_url_parts(response.url(), &self.pipeline.base_url);
        let body = tokio::time::timeout(self.idle_timeout(), http_util::read_bounded(response, ERROR_BODY_LIMIT)).await;
        let body = body.ok().and_then(Result::ok).unwrap_or_default();
        // The error page of a proxy may show the request headers, the error of an object store the signed URL.
        let secrets = signed.iter().map(String::as_str).chain([tokens.access.expose()]);
        (headers, text::mask_secrets(&String::from_utf8_lossy(&body), secrets))
    }

    /// Returns the timeout between two chunks of a body.
    fn idle_timeout(&self) -> Duration {
        self.options.idle_timeout.unwrap_or(self.pipeline.timeouts.idle)
    }

    /// Reads a body up to the size limit.
    async fn read_body(&self, response: &mut Response) -> Result<Bytes> {
        let (idle, limit) = (self.idle_timeout(), self.pipeline.max_response_size);
        let mut first = Bytes::new();
        let mut body = BytesMut::new();
        loop {
            let chunk = within(pin!(response.chunk()), idle, TimeoutPhase::Idle).await?;
            let Some(chunk) = chunk.map_err(|error| classify(ResponseFailure::Transport(&error)))? else { break };
            if first.len() + body.len() + chunk.len() > limit {
                let text = format!("response body exceeds the limit of {limit} bytes (max_response_size)");
                return Err(Error::new(ErrorKind::Decode, text).with_sent(Sent::Maybe));
            }
            // Most bodies arrive in one chunk, which needs no copy.
            if first.is_empty() && body.is_empty() {
                first = chunk;
            } else {
                body.extend_from_slice(&std::mem::take(&mut first));
                body.extend_from_slice(&chunk);
            }
        }
        let body = if body.is_empty() { first } else { body.freeze() };
        // A byte order mark is allowed and ignored (RFC 8259 section 8.1).
        let body = if body.starts_with(b"\xef\xbb\xbf") { body.slice(3..) } else { body };
        // XML is returned as text; JSON can take far more memory once parsed.
        if matches!(body.trim_ascii_start().first(), Some(b'{' | b'[')) {
            json_memory::check(&body, limit).map_err(|why| {
                let text = format!("response body refused: {why}, the limit (8 times max_response_size)");
                Error::new(ErrorKind::Decode, text).with_sent(Sent::Maybe)
            })?;
        }
        Ok(body)
    }
}

/// Returns the query of a URL on another origin, whole and value by value, raw and decoded: a signature in it grants access to the package.
fn signed_url_parts(url: &Url, base: &Url) -> Vec<String> {
    /// The shortest possible signature: shorter values are no signatures, and occur in texts.
    const MIN_LENGTH: usize = 6;
    let Some(query) = url.query().filter(|_| !is_same_origin(url, base)) else { return Vec::new() };
    let raw = query.split('&').filter_map(|pair| Some(pair.split_once('=')?.1.to_owned()));
    let decoded = url.query_pairs().map(|(_, value)| value.into_owned());
    let mut parts: Vec<String> = raw.chain(decoded).chain([query.to_owned()]).collect();
    parts.retain(|part| part.len() >= MIN_LENGTH);
    parts
}

/// Returns the reason why the headers of a success do not fit the operation.
fn content_mismatch(headers: &HeaderMap, answer: operations::ResponseKind) -> Option<String> {
    let media_type = classify::media_type(headers);
    // Also where no content is expected: a proxy's login page in response to a deletion means that nothing was deleted.
    if media_type.is_some_and(http_util::is_html) {
        return Some("the response is an HTML page, possibly the login page of a proxy".into());
    }
    if matches!(answer, operations::ResponseKind::Binary | operations::ResponseKind::Empty) {
        return None;
    }
    let (_, parameters) = media_type?.split_once(';')?;
    let charset = parameters.split(';').find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("charset").then(|| value.trim().trim_matches('"'))
    })?;
    let is_utf8 = ["utf-8", "utf8", "us-ascii", "ascii"].iter().any(|known| charset.eq_ignore_ascii_case(known));
    (!is_utf8).then(|| format!("the charset is {charset:?} instead of UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::http::{HeaderName, HeaderValue, header};
    use documine_api::operations::ResponseKind;

    fn mismatch(name: HeaderName, value: &'static str, answer: ResponseKind) -> Option<String> {
        content_mismatch(&HeaderMap::from_iter([(name, HeaderValue::from_static(value))]), answer)
    }

    #[test]
    fn rejects_html_pages_and_charsets_other_than_utf8() {
        for accepted in
            ["application/json", "application/json;charset=UTF-8", "application/json; charset=\"utf-8\"; a=b"]
        {
            assert_eq!(mismatch(header::CONTENT_TYPE, accepted, ResponseKind::Json), None, "{accepted}");
        }
        let latin = mismatch(header::CONTENT_TYPE, "application/json; charset=ISO-8859-1", ResponseKind::Json);
        assert_eq!(latin.as_deref(), Some("the charset is \"ISO-8859-1\" instead of UTF-8"));
        assert!(mismatch(header::CONTENT_TYPE, " Text/HTML", ResponseKind::Binary).is_some());
        assert!(mismatch(header::CONTENT_TYPE, "text/html", ResponseKind::Empty).is_some());
        assert_eq!(mismatch(header::CONTENT_TYPE, "text/plain", ResponseKind::Empty), None);
    }
}
