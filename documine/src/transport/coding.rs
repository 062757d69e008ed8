//! The content codings of a response (RFC 9110 section 8.4): the labels that are none are left out, and what the HTTP client has not unpacked is
//! unpacked here.
//!
//! The HTTP client unpacks `gzip`, `br` and `zstd` in exactly this spelling and takes the header away. Services also write `GZIP`, `x-gzip`,
//! two codings at once, or a label that is no coding: a character set, a transfer encoding, a media type.

use ::http::{HeaderMap, header};
use reqwest::Response;

/// Labels in use that leave the body as it is.
const NO_CODINGS: [&str; 14] = [
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
/// More codings one over another than any service has a reason for.
#[cfg(feature = "compression")]
const MAX_CODINGS: usize = 3;

/// Returns the codings of a body in the order in which they were applied, in small letters. Empty: the body is plain.
pub(crate) fn codings(headers: &HeaderMap) -> Vec<String> {
    let values = headers.get_all(header::CONTENT_ENCODING).iter();
    let labels = values.flat_map(|value| {
        let value = String::from_utf8_lossy(value.as_bytes()).to_ascii_lowercase();
        value.split(',').map(|label| label.trim().trim_matches('"').to_owned()).collect::<Vec<_>>()
    });
    // A media type stands in the wrong header.
    labels.filter(|label| !NO_CODINGS.contains(&label.as_str()) && !label.contains('/')).collect()
}

/// Unpacks the body of a response.
///
/// # Errors
/// The response as it came, where a coding is unknown or there are too many.
#[cfg(feature = "compression")]
pub(super) fn unpacked(mut response: Response, codings: &[String]) -> Result<Response, Box<Response>> {
    use std::pin::Pin;

    use async_compression::tokio::bufread::{BrotliDecoder, GzipDecoder, ZstdDecoder};
    use futures_util::TryStreamExt;
    use reqwest::ResponseBuilderExt;
    use tokio::io::{AsyncRead, BufReader};
    use tokio_util::io::{ReaderStream, StreamReader};

    let is_known = |coding: &String| ["gzip", "x-gzip", "br", "zstd"].contains(&coding.as_str());
    if codings.len() > MAX_CODINGS || !codings.iter().all(is_known) {
        return Err(Box::new(response));
    }
    // With the address, which tells what an error may not show.
    let whole = ::http::Response::builder().url(response.url().clone()).body(());
    let Ok(mut whole) = whole else { return Err(Box::new(response)) };
    *whole.status_mut() = response.status();
    *whole.version_mut() = response.version();
    std::mem::swap(whole.headers_mut(), response.headers_mut());
    whole.headers_mut().remove(header::CONTENT_ENCODING);
    whole.headers_mut().remove(header::CONTENT_LENGTH);
    let packed = response.bytes_stream().map_err(std::io::Error::other);
    let mut body: Pin<Box<dyn AsyncRead + Send>> = Box::pin(StreamReader::new(packed));
    for coding in codings.iter().rev() {
        let packed = BufReader::new(body);
        body = match coding.as_str() {
            "br" => Box::pin(BrotliDecoder::new(packed)),
            "zstd" => Box::pin(ZstdDecoder::new(packed)),
            _ => Box::pin(GzipDecoder::new(packed)),
        };
    }
    Ok(Response::from(whole.map(|()| reqwest::Body::wrap_stream(ReaderStream::new(body)))))
}

#[cfg(not(feature = "compression"))]
pub(super) fn unpacked(response: Response, _: &[String]) -> Result<Response, Box<Response>> {
    Err(Box::new(response))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::http::HeaderValue;

    #[test]
    fn labels_that_are_no_codings_are_left_out() {
        let of = |values: &[&'static str]| {
            let lines = values.iter().map(|value| (header::CONTENT_ENCODING, HeaderValue::from_static(value)));
            let mut headers = HeaderMap::new();
            lines.for_each(|(name, value)| {
                headers.append(name, value);
            });
            codings(&headers)
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
            assert_eq!(of(&[plain]), Vec::<String>::new(), "{plain:?}");
        }
        assert_eq!(of(&["GZIP"]), ["gzip"]);
        assert_eq!(of(&["aws-chunked,x-gzip"]), ["x-gzip"]);
        assert_eq!(of(&["deflate, UTF-8", "br"]), ["deflate", "br"]);
        for unknown in ["compress", "base64", "iso-8859-1", "zip"] {
            assert_eq!(of(&[unknown]), [unknown]);
        }
    }
}
