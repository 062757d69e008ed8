//! Answers: small ones are read whole and bounded, packages are left to stream, and what is neither becomes an error.

use std::pin::pin;
use std::time::Duration;

use ::http::{HeaderMap, StatusCode, header};
use bytes::{Bytes, BytesMut};
use documine_api::operations;
use reqwest::{Response, ResponseBuilderExt};
use url::Url;

use super::ResponseMeta;
use super::call::{Call, CallState, is_same_origin};
use super::classify::{self, ERROR_BODY_LIMIT, ResponseFailure, classify};
use super::coding::{codings, unpacked};
use super::unpublished;
use crate::auth::TokenSet;
use crate::error::{Error, ErrorKind, Result, Sent, TimeoutPhase};
use crate::timeout::within;
use crate::{json_memory, net, text};

/// What an attempt brought.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    /// Where it came from, if a redirect led away from the request's own address.
    pub(super) moved: Option<Box<Url>>,
    pub(super) body: Body,
}

/// What a call brought, and what is known of it.
pub(crate) struct RawResponse {
    pub(crate) facts: ResponseMeta,
    pub(crate) body: Body,
}

/// The body of an answer.
pub(crate) enum Body {
    /// Read already: what has a meaning only as a whole.
    Whole(Bytes),
    /// On its way, and of any length.
    Stream(Box<Response>),
}

impl Answer {
    /// The answer to a deletion.
    pub(super) fn deleted() -> Self {
        let body = Body::Whole(Bytes::new());
        Self { status: StatusCode::NO_CONTENT, headers: HeaderMap::new(), moved: None, body }
    }
}

impl RawResponse {
    /// The body of an answer that is read as a whole.
    pub(crate) async fn whole(self) -> Result<(Bytes, ResponseMeta)> {
        let Self { facts, body } = self;
        let body = match body {
            Body::Whole(body) => body,
            // Rare, and large: it is not to make every call larger.
            Body::Stream(response) => {
                let body = Box::pin(response.bytes()).await;
                body.map_err(|error| facts.of(classify(ResponseFailure::Transport(&error))))?
            }
        };
        Ok((body, facts))
    }

    /// The body of an answer that is taken piece by piece.
    pub(crate) fn stream(self) -> (Response, ResponseMeta) {
        let response = match self.body {
            Body::Whole(body) => Response::from(::http::Response::new(body)),
            Body::Stream(response) => *response,
        };
        (response, self.facts)
    }

    /// As the generated client takes it.
    pub(super) fn into_response(self) -> Result<Response> {
        let Self { facts, body } = self;
        let body = match body {
            Body::Whole(body) => reqwest::Body::from(body),
            Body::Stream(mut response) => {
                *response.headers_mut() = facts.headers;
                return Ok(*response);
            }
        };
        // With its address: the library would look for one otherwise, and parse one of its own.
        let whole = ::http::Response::builder().status(facts.status).url(facts.url().clone());
        let mut whole = whole.body(body).map_err(|error| Error::new(ErrorKind::Decode, error.to_string()))?;
        *whole.headers_mut() = facts.headers;
        Ok(Response::from(whole))
    }
}

impl Call<'_> {
    /// Judges an answer, and reads it whole where it is one to be read whole.
    pub(super) async fn answer(&self, mut response: Response, trip: &CallState, tokens: &TokenSet) -> Result<Answer> {
        let expected = trip.operation.response;
        let status = response.status();
        let moved = (response.url() != trip.request.url()).then(|| Box::new(response.url().clone()));
        // A package comes as it is, and of an answer without content nobody reads the body.
        let is_read = !status.is_success()
            || !matches!(expected, operations::ResponseKind::Binary | operations::ResponseKind::Empty);
        let codings = if is_read { codings(response.headers()) } else { Vec::new() };
        let mut why = if status.is_success() { unusable(response.headers(), expected) } else { None };
        if !codings.is_empty() {
            response = unpacked(response, &codings).unwrap_or_else(|response| {
                let codings = codings.join(", ");
                why.get_or_insert(format!("the answer is packed as {codings:?}, which this build does not unpack"));
                *response
            });
        }
        if !status.is_success() || why.is_some() {
            // Boxed, for a call that goes well need not have the room for it.
            let (headers, body) = Box::pin(self.beginning(response, tokens)).await;
            let (headers, body, now) = (&headers, body.as_bytes(), self.pipeline.clock.now());
            let error = classify(match &why {
                Some(why) => ResponseFailure::UnexpectedBody { status, headers, body, why },
                None => ResponseFailure::ErrorStatus { status, headers, body, now },
            });
            let error = match unpublished::note(trip.operation, status, body) {
                // What another origin does not know, says nothing about the service's own paths.
                Some(note) if trip.redirect.elsewhere.is_none() => error.with_note(note),
                _ => error,
            };
            // In JSON the token may have been spelled with escapes.
            return Err(trip.redirect.note(error.without(&[tokens.access.expose()])));
        }
        let headers = std::mem::take(response.headers_mut());
        let (status, body) = match expected {
            operations::ResponseKind::Binary => (status, Body::Stream(Box::new(response))),
            operations::ResponseKind::Json | operations::ResponseKind::JsonOrXml if self.options.in_pieces => {
                (status, Body::Stream(Box::new(response)))
            }
            // Services answer a deletion with 200 and a body where 204 is documented; it means the same.
            operations::ResponseKind::Empty => {
                (StatusCode::NO_CONTENT, Body::Whole(self.collect(&mut response).await?))
            }
            _ => (status, Body::Whole(self.collect(&mut response).await?)),
        };
        Ok(Answer { status, headers, moved, body })
    }

    async fn beginning(&self, response: Response, tokens: &TokenSet) -> (HeaderMap, String) {
        let headers = response.headers().clone();
        if response.status().is_redirection() && headers.contains_key(header::LOCATION) {
            // The body only repeats where the redirect leads, which may be a signed address.
            return (headers, String::new());
        }
        let signed = signed_parts(response.url(), &self.pipeline.base);
        let body = tokio::time::timeout(self.idle(), net::read_bounded(response, ERROR_BODY_LIMIT)).await;
        let body = body.ok().and_then(Result::ok).unwrap_or_default();
        // A proxy's page may show the request's headers, and an object store's error the signed address.
        let secrets = signed.iter().map(String::as_str).chain([tokens.access.expose()]);
        (headers, text::without(&String::from_utf8_lossy(&body), secrets))
    }

    /// How long a body may stand still.
    fn idle(&self) -> Duration {
        self.options.idle.unwrap_or(self.pipeline.timeouts.idle)
    }

    async fn collect(&self, response: &mut Response) -> Result<Bytes> {
        let (idle, limit) = (self.idle(), self.pipeline.max_answer);
        let mut first = Bytes::new();
        let mut body = BytesMut::new();
        loop {
            let piece = within(pin!(response.chunk()), idle, TimeoutPhase::Idle).await?;
            let Some(piece) = piece.map_err(|error| classify(ResponseFailure::Transport(&error)))? else { break };
            if first.len() + body.len() + piece.len() > limit {
                let text = format!("the answer is larger than {limit} bytes, the most that is taken (max_answer_size)");
                return Err(Error::new(ErrorKind::Decode, text).with_sent(Sent::Maybe));
            }
            // Most answers come in one piece, which needs no copy.
            if first.is_empty() && body.is_empty() {
                first = piece;
            } else {
                body.extend_from_slice(&std::mem::take(&mut first));
                body.extend_from_slice(&piece);
            }
        }
        let whole = if body.is_empty() { first } else { body.freeze() };
        // A byte order mark is allowed to be there and means nothing (RFC 8259 section 8.1).
        let whole = if whole.starts_with(b"\xef\xbb\xbf") { whole.slice(3..) } else { whole };
        // XML is handed on as text; of JSON far more may be built than was read.
        if matches!(whole.trim_ascii_start().first(), Some(b'{' | b'[')) {
            json_memory::check(&whole, limit).map_err(|why| {
                let text = format!("the answer can't be read: {why}, the most that is taken (8 times max_answer_size)");
                Error::new(ErrorKind::Decode, text).with_sent(Sent::Maybe)
            })?;
        }
        Ok(whole)
    }
}

/// The query of an address on another origin, whole and value by value, as it stands and decoded: whoever has it can fetch the package.
fn signed_parts(url: &Url, base: &Url) -> Vec<String> {
    /// The shortest possible signature: shorter values are no signatures, and occur in texts.
    const SHORTEST: usize = 6;
    let Some(query) = url.query().filter(|_| !is_same_origin(url, base)) else { return Vec::new() };
    let raw = query.split('&').filter_map(|pair| Some(pair.split_once('=')?.1.to_owned()));
    let decoded = url.query_pairs().map(|(_, value)| value.into_owned());
    let mut parts: Vec<String> = raw.chain(decoded).chain([query.to_owned()]).collect();
    parts.retain(|part| part.len() >= SHORTEST);
    parts
}

/// Why a success can't be what was asked for, as far as its headers tell.
fn unusable(headers: &HeaderMap, answer: operations::ResponseKind) -> Option<String> {
    let media_type = classify::media_type(headers);
    // Also where nothing is expected: a proxy's login page in answer to a deletion has deleted nothing.
    if media_type.is_some_and(classify::is_html) {
        return Some("the answer is a web page, perhaps a login page of a proxy in between".into());
    }
    if matches!(answer, operations::ResponseKind::Binary | operations::ResponseKind::Empty) {
        return None;
    }
    let (_, parameters) = media_type?.split_once(';')?;
    let charset = parameters.split(';').find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("charset").then(|| value.trim().trim_matches('"'))
    })?;
    let readable = ["utf-8", "utf8", "us-ascii", "ascii"].iter().any(|known| charset.eq_ignore_ascii_case(known));
    (!readable).then(|| format!("the answer is written in {charset:?}, not in UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::http::{HeaderName, HeaderValue, header};
    use documine_api::operations::ResponseKind;

    fn why(name: HeaderName, value: &'static str, response: ResponseKind) -> Option<String> {
        unusable(&HeaderMap::from_iter([(name, HeaderValue::from_static(value))]), response)
    }

    #[test]
    fn headers_that_tell_of_something_else() {
        for fine in ["application/json", "application/json;charset=UTF-8", "application/json; charset=\"utf-8\"; a=b"] {
            assert_eq!(why(header::CONTENT_TYPE, fine, ResponseKind::Json), None, "{fine}");
        }
        let latin = why(header::CONTENT_TYPE, "application/json; charset=ISO-8859-1", ResponseKind::Json);
        assert_eq!(latin.as_deref(), Some("the answer is written in \"ISO-8859-1\", not in UTF-8"));
        assert!(why(header::CONTENT_TYPE, " Text/HTML", ResponseKind::Binary).is_some());
        assert!(why(header::CONTENT_TYPE, "text/html", ResponseKind::Empty).is_some());
        assert_eq!(why(header::CONTENT_TYPE, "text/plain", ResponseKind::Empty), None);
    }
}
