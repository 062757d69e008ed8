//! Decoding of response bodies.

use serde::de::DeserializeOwned;

use crate::error::{Error, Result, TextCause};
use crate::text::{self, one_line};
use crate::transport::ResponseMeta;
use crate::transport::classify::{ERROR_BODY_LIMIT, ResponseFailure, classify};

/// Decodes a response body. An error names the path of the invalid value.
pub(crate) fn decode<A: DeserializeOwned>(body: &[u8], meta: &ResponseMeta) -> Result<A> {
    // Tracking the path doubles the cost, and most bodies are valid.
    serde_json::from_slice(body).or_else(|_| decode_with_path(body, meta))
}

#[cold]
fn decode_with_path<A: DeserializeOwned>(body: &[u8], meta: &ResponseMeta) -> Result<A> {
    if body.trim_ascii().is_empty() {
        return Err(decode_error(body, meta, "the body is empty; the document describes content", None));
    }
    let mut json = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut json)
        .map_err(|error| (format!("the body is invalid at `{}`", error.path()), error.inner().to_string()));
    let value = value.and_then(|value| match json.end() {
        Ok(()) => Ok(value),
        Err(error) => Err(("the body has content after its JSON value".to_owned(), error.to_string())),
    });
    value.map_err(|(why, cause)| decode_error(body, meta, &why, Some(&cause)))
}

/// Builds the error for a response, or a part of one, that the document does not describe. `cause` is the text of the decoder.
#[cold]
pub(crate) fn decode_error(body: &[u8], meta: &ResponseMeta, why: &str, cause: Option<&str>) -> Error {
    let masked = |text: &str| text::mask_secrets(text, meta.tokens.iter().map(|tokens| tokens.access.expose()));
    let body = &body[..body.len().min(ERROR_BODY_LIMIT)];
    // Reason and cause quote invalid names and values, so tokens are masked in them as well.
    let (body, why) = (masked(&String::from_utf8_lossy(body)), masked(why));
    let (status, headers) = (meta.status, &meta.headers);
    let error = classify(ResponseFailure::UnexpectedBody { status, headers, body: body.as_bytes(), why: &why });
    meta.annotate(match cause {
        Some(cause) => error.with_source(TextCause::new(one_line(&masked(cause)))),
        None => error,
    })
}
