//! Large transfers: uploads are checked and discarded, downloads are generated while they are sent.

use std::convert::Infallible;
use std::io::{self, Read, Write};

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::{HeaderValue, Request, StatusCode, header};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Frame, Incoming};
use serde_json::json;
use zip::write::{SimpleFileOptions, StreamWriter};
use zip::{CompressionMethod, ZipWriter};

use super::{CannedResponse, Package, json_answer};

/// Bytes of one write to the socket.
const PIECE: usize = 256 * 1024;
static ZEROS: [u8; PIECE] = [0; PIECE];
/// Upper limit of the ZIP headers before and after the content of the only entry.
const EDGE: usize = 512;

/// Receives an upload. The id of the new file consists of length and checksum.
pub(super) async fn take(request: Request<Incoming>) -> CannedResponse {
    match received(request).await {
        Ok(id) => json_answer(StatusCode::CREATED, json!({ "fileIds": [id], "processedFileIds": [] }).to_string()),
        Err(error) => json_answer(StatusCode::BAD_REQUEST, json!({ "message": error.to_string() }).to_string()),
    }
}

async fn received(request: Request<Incoming>) -> Result<String, multer::Error> {
    let media_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let boundary = multer::parse_boundary(media_type.unwrap_or_default())?;
    let mut form = multer::Multipart::new(request.into_body().into_data_stream(), boundary);
    let mut seen = StreamChecksum::default();
    while let Some(mut part) = form.next_field().await? {
        if part.name() == Some("file") {
            while let Some(piece) = part.chunk().await? {
                seen.piece(&piece);
            }
        }
    }
    Ok(seen.to_string())
}

/// Length and checksum of received bytes.
#[derive(Default)]
pub(crate) struct StreamChecksum {
    length: u64,
    checksum: crc32fast::Hasher,
}

impl StreamChecksum {
    pub(crate) fn piece(&mut self, piece: &[u8]) {
        self.length += piece.len() as u64;
        self.checksum.update(piece);
    }
}

impl std::fmt::Display for StreamChecksum {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{:08x}", self.length, self.checksum.clone().finalize())
    }
}

/// Returns the status of a ready package.
pub(super) fn ready(package: Package) -> CannedResponse {
    let package = json!({ "downloadId": package.to_string(), "status": "READY", "fileName": "package.zip" });
    json_answer(StatusCode::OK, package.to_string())
}

/// Sends an archive with one entry of zeros, with or without an entity tag.
pub(super) fn give(ends: &ArchiveHeaders, has_tag: bool) -> CannedResponse {
    let total = ends.length;
    let between = total - (ends.head.len() + ends.tail.len()) as u64;
    let zeros = stream::unfold(between, |left| async move {
        let piece = PIECE.min(usize::try_from(left).unwrap_or(PIECE));
        (piece > 0).then(|| (Bytes::from_static(&ZEROS[..piece]), left - piece as u64))
    });
    let pieces = stream::iter([ends.head.clone().into()]).chain(zeros).chain(stream::iter([ends.tail.clone().into()]));
    let body = StreamBody::new(pieces.map(|piece| Ok::<_, Infallible>(Frame::data(piece))));
    let mut answer = CannedResponse::new(BodyExt::boxed(body));
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/zip"));
    answer.headers_mut().insert(header::CONTENT_LENGTH, total.into());
    if has_tag {
        answer.headers_mut().insert(header::ETAG, HeaderValue::from_static("\"1\""));
    }
    answer
}

/// Beginning and end of an archive, between which there are only zeros.
#[derive(Default)]
pub(super) struct ArchiveHeaders {
    head: Vec<u8>,
    tail: Vec<u8>,
    length: u64,
}

impl ArchiveHeaders {
    /// Makes the headers of an archive with one entry of `length` zeros.
    pub(super) fn of_package(length: u64) -> Self {
        // Writing to memory cannot fail; the jobs reject an empty package.
        Self::written(length).unwrap_or_default()
    }

    fn written(length: u64) -> io::Result<Self> {
        let mut archive = ZipWriter::new_stream(Self::default());
        let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
        archive.start_file("scan.pdf", stored.large_file(length >= u64::from(u32::MAX)))?;
        io::copy(&mut io::repeat(0).take(length), &mut archive)?;
        archive.finish().map(StreamWriter::into_inner).map_err(io::Error::from)
    }
}

impl Write for ArchiveHeaders {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let to_head = (EDGE - self.head.len()).min(bytes.len());
        self.head.extend_from_slice(&bytes[..to_head]);
        self.tail.extend_from_slice(&bytes[to_head..]);
        let too_many = self.tail.len().saturating_sub(EDGE);
        self.tail.drain(..too_many);
        self.length += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jobs::JobError;

    #[tokio::test]
    async fn package_is_an_archive_of_zeros() -> Result<(), JobError> {
        for length in [0, 10, 300, 1_000_000] {
            let answer = give(&ArchiveHeaders::of_package(length), true);
            let announced = answer.headers()[header::CONTENT_LENGTH].to_str()?.parse::<usize>()?;
            let bytes = answer.into_body().collect().await?.to_bytes();
            assert_eq!(bytes.len(), announced);
            let mut archive = zip::ZipArchive::new(io::Cursor::new(bytes))?;
            let mut content = Vec::new();
            archive.by_name("scan.pdf")?.read_to_end(&mut content)?;
            assert_eq!(content, vec![0; usize::try_from(length)?]);
        }
        Ok(())
    }
}
