//! Answers: small ones are read whole and bounded, packages are left to stream, and what is neither becomes an error.

use std::time::Duration;

use ::http::{HeaderMap, StatusCode, header};
use bytes::{Bytes, BytesMut};
use documine_api::operations::{Answer, Operation};
use futures_util::StreamExt;
use reqwest::{Response, ResponseBuilderExt};

use super::call::Call;
use super::classify::{self, ERROR_BODY_LIMIT, Evidence, classify};
use super::timeout::within;
use crate::auth::TokenSet;
use crate::error::{Error, ErrorKind, Result, Sent, TimeoutPhase};
use crate::{net, text};

impl Call {
    /// Takes an answer apart: errors become [`Error`]s, small answers are read whole, packages are left to stream.
    pub(super) async fn answer(
        &self,
        response: Response,
        operation: &'static Operation,
        tokens: &TokenSet,
    ) -> Result<Response> {
        let status = response.status();
        let why = if status.is_success() { unusable(response.headers(), operation.answer) } else { None };
        if !status.is_success() || why.is_some() {
            let (headers, body) = self.beginning(response, tokens).await;
            let (headers, body, now) = (&headers, body.as_bytes(), self.stack.clock.now());
            return Err(classify(match &why {
                Some(why) => Evidence::Misfit { status, headers, body, why },
                None => Evidence::Refusal { status, headers, body, now },
            }));
        }
        if operation.answer == Answer::Binary {
            return Ok(response);
        }
        let mut response = response;
        let headers = std::mem::take(response.headers_mut());
        // The library would look for the address otherwise, and parse one of its own.
        let mut whole = ::http::Response::builder().status(status).url(response.url().clone());
        if let Some(place) = whole.headers_mut() {
            *place = headers;
        }
        let body = self.collect(response).await?;
        if operation.answer == Answer::Empty {
            // Services answer a deletion with 200 and a body where 204 is documented; it means the same.
            whole = whole.status(StatusCode::NO_CONTENT);
        }
        let whole = whole.body(body).map_err(|error| Error::new(ErrorKind::Decode, error.to_string()))?;
        Ok(Response::from(whole))
    }

    /// Headers and the beginning of the body of an answer that can't be used. The status says enough even when its body does not come.
    async fn beginning(&self, response: Response, tokens: &TokenSet) -> (HeaderMap, String) {
        let headers = response.headers().clone();
        let body = tokio::time::timeout(self.idle(), net::read_bounded(response, ERROR_BODY_LIMIT)).await;
        let body = body.ok().and_then(Result::ok).unwrap_or_default();
        // A proxy's page may show the request's headers.
        (headers, text::without(&String::from_utf8_lossy(&body), [tokens.access.expose()]))
    }

    /// How long a body may stand still.
    fn idle(&self) -> Duration {
        self.options.idle.unwrap_or(self.stack.timeouts.idle)
    }

    async fn collect(&self, response: Response) -> Result<Bytes> {
        let (idle, limit) = (self.idle(), self.stack.max_answer);
        let mut stream = response.bytes_stream();
        let mut first = Bytes::new();
        let mut body = BytesMut::new();
        while let Some(piece) = within(stream.next(), idle, TimeoutPhase::Idle).await? {
            let piece = piece.map_err(|error| classify(Evidence::NoAnswer(&error)))?;
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
        Ok(if whole.starts_with(b"\xef\xbb\xbf") { whole.slice(3..) } else { whole })
    }
}

/// Why a success can't be what was asked for, as far as its headers tell.
fn unusable(headers: &HeaderMap, answer: Answer) -> Option<String> {
    // Also where nothing is expected: a proxy's login page in answer to a deletion has deleted nothing.
    if classify::is_html(headers) {
        return Some("the answer is a web page, perhaps a login page of a proxy in between".into());
    }
    if matches!(answer, Answer::Binary | Answer::Empty) {
        return None;
    }
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(coding) = text(header::CONTENT_ENCODING).map(str::trim).filter(|coding| *coding != "identity") {
        return Some(format!("the answer is packed as {coding:?}, which this build does not unpack"));
    }
    let charset = text(header::CONTENT_TYPE)?.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("charset").then(|| value.trim().trim_matches('"'))
    })?;
    let readable = ["utf-8", "utf8", "us-ascii", "ascii"].iter().any(|known| charset.eq_ignore_ascii_case(known));
    (!readable).then(|| format!("the answer is written in {charset:?}, not in UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::http::{HeaderName, HeaderValue};

    fn why(name: HeaderName, value: &'static str, answer: Answer) -> Option<String> {
        unusable(&HeaderMap::from_iter([(name, HeaderValue::from_static(value))]), answer)
    }

    #[test]
    fn headers_that_tell_of_something_else() {
        for fine in ["application/json", "application/json;charset=UTF-8", "application/json; charset=\"utf-8\"; a=b"] {
            assert_eq!(why(header::CONTENT_TYPE, fine, Answer::Json), None, "{fine}");
        }
        let latin = why(header::CONTENT_TYPE, "application/json; charset=ISO-8859-1", Answer::Json);
        assert_eq!(latin.as_deref(), Some("the answer is written in \"ISO-8859-1\", not in UTF-8"));
        assert!(why(header::CONTENT_TYPE, " Text/HTML", Answer::Binary).is_some());
        assert!(why(header::CONTENT_TYPE, "text/html", Answer::Empty).is_some());
        assert_eq!(why(header::CONTENT_TYPE, "text/plain", Answer::Empty), None);
        let packed = why(header::CONTENT_ENCODING, "compress", Answer::Json);
        assert_eq!(packed.as_deref(), Some("the answer is packed as \"compress\", which this build does not unpack"));
        assert_eq!(why(header::CONTENT_ENCODING, "identity", Answer::Json), None);
    }
}
