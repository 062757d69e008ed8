//! Content codings of responses (RFC 9110 section 8.4) that the HTTP client leaves undecoded.
//!
//! reqwest decodes `gzip`, `br` and `zstd` in exactly this spelling and removes the header. Some services also write `GZIP`, `x-gzip`, two
//! codings at once, or a label that is no coding: a character set, a transfer encoding, a media type.

use ::http::{HeaderMap, header};
use reqwest::Response;

/// Labels in use that are no content coding; the body is plain.
const IGNORED_LABELS: [&str; 14] = [
    "",
    "identity",
    "none",
    "null",
    "plain",
    "binary",
    "7bit",
    "8bit",
    "ascii",
    "us-ascii",
    "utf-8",
    "utf8",
    "chunked",
    "aws-chunked",
];
/// The limit on stacked codings. No service has a reason for more.
#[cfg(feature = "gzip")]
const MAX_CODINGS: usize = 3;

/// Returns the codings of a body in lower case, in the order in which they were applied. Empty: the body is plain.
pub(crate) fn content_codings(headers: &HeaderMap) -> Vec<String> {
    let values = headers.get_all(header::CONTENT_ENCODING).iter();
    let labels = values.flat_map(|value| {
        let value = String::from_utf8_lossy(value.as_bytes()).to_ascii_lowercase();
        value.split(',').map(|label| label.trim().trim_matches('"').to_owned()).collect::<Vec<_>>()
    });
    // A media type is a value of another header.
    labels.filter(|label| !IGNORED_LABELS.contains(&label.as_str()) && !label.contains('/')).collect()
}

/// Decodes the body of a response.
///
/// # Errors
/// The unchanged response, where a coding is unknown or there are too many.
#[cfg(feature = "gzip")]
pub(super) fn decompress(mut response: Response, codings: &[String]) -> Result<Response, Box<Response>> {
    use std::pin::Pin;

    use async_compression::tokio::bufread::GzipDecoder;
    #[cfg(feature = "compression")]
    use async_compression::tokio::bufread::{BrotliDecoder, ZstdDecoder};
    use futures_util::TryStreamExt;
    use reqwest::ResponseBuilderExt;
    use tokio::io::{AsyncRead, BufReader};
    use tokio_util::io::{ReaderStream, StreamReader};

    let known: &[&str] =
        if cfg!(feature = "compression") { &["gzip", "x-gzip", "br", "zstd"] } else { &["gzip", "x-gzip"] };
    let is_known = |coding: &String| known.contains(&coding.as_str());
    if codings.len() > MAX_CODINGS || !codings.iter().all(is_known) {
        return Err(Box::new(response));
    }
    // The URL is kept, because its query may have to be masked in errors.
    let decoded = ::http::Response::builder().url(response.url().clone()).body(());
    let Ok(mut decoded) = decoded else { return Err(Box::new(response)) };
    *decoded.status_mut() = response.status();
    *decoded.version_mut() = response.version();
    std::mem::swap(decoded.headers_mut(), response.headers_mut());
    decoded.headers_mut().remove(header::CONTENT_ENCODING);
    decoded.headers_mut().remove(header::CONTENT_LENGTH);
    let encoded = response.bytes_stream().map_err(std::io::Error::other);
    let mut body: Pin<Box<dyn AsyncRead + Send>> = Box::pin(StreamReader::new(encoded));
    for coding in codings.iter().rev() {
        let encoded = BufReader::new(body);
        body = match coding.as_str() {
            #[cfg(feature = "compression")]
            "br" => Box::pin(BrotliDecoder::new(encoded)),
            #[cfg(feature = "compression")]
            "zstd" => Box::pin(ZstdDecoder::new(encoded)),
            _ => Box::pin(GzipDecoder::new(encoded)),
        };
    }
    Ok(Response::from(decoded.map(|()| reqwest::Body::wrap_stream(ReaderStream::new(body)))))
}

#[cfg(not(feature = "gzip"))]
pub(super) fn decompress(response: Response, _: &[String]) -> Result<Response, Box<Response>> {
    Err(Box::new(response))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::http::HeaderValue;

    #[test]
    fn ignores_labels_that_are_no_codings() {
        let codings = |values: &[&'static str]| {
            let lines = values.iter().map(|value| (header::CONTENT_ENCODING, HeaderValue::from_static(value)));
            let mut headers = HeaderMap::new();
            lines.for_each(|(name, value)| {
                headers.append(name, value);
            });
            content_codings(&headers)
        };
        for plain in [
            "UTF-8",
            "utf8",
            "identity",
            "Identity",
            "none",
            "binary",
            "",
            " ",
            ",",
            "aws-chunked",
            "application/json",
            "identity, UTF-8",
            "\"utf-8\"",
            "US-ASCII",
        ] {
            assert_eq!(codings(&[plain]), Vec::<String>::new(), "{plain:?}");
        }
        assert_eq!(codings(&["GZIP"]), ["gzip"]);
        assert_eq!(codings(&["aws-chunked,x-gzip"]), ["x-gzip"]);
        assert_eq!(codings(&["deflate, UTF-8", "br"]), ["deflate", "br"]);
        for unknown in ["compress", "base64", "iso-8859-1", "zip"] {
            assert_eq!(codings(&[unknown]), [unknown]);
        }
    }
}
