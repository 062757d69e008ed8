//! Bytes by the gigabyte: what is uploaded is looked through and thrown away, what is fetched is made on the way.

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

use super::{Answer, json_answer};

/// So much goes to the socket at a time.
const PIECE: usize = 256 * 1024;
static ZEROS: [u8; PIECE] = [0; PIECE];
/// More than what stands in a package before its one entry's content and behind it.
const EDGE: usize = 512;

/// Takes an upload. The id of the new file tells what has come: length and checksum.
pub(super) async fn take(request: Request<Incoming>) -> Answer {
    match received(request).await {
        Ok(id) => json_answer(StatusCode::CREATED, json!({ "fileIds": [id], "processedFileIds": [] }).to_string()),
        Err(error) => json_answer(StatusCode::BAD_REQUEST, json!({ "message": error.to_string() }).to_string()),
    }
}

async fn received(request: Request<Incoming>) -> Result<String, multer::Error> {
    let media_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let boundary = multer::parse_boundary(media_type.unwrap_or_default())?;
    let mut form = multer::Multipart::new(request.into_body().into_data_stream(), boundary);
    let mut seen = Seen::default();
    while let Some(mut part) = form.next_field().await? {
        if part.name() == Some("file") {
            while let Some(piece) = part.chunk().await? {
                seen.piece(&piece);
            }
        }
    }
    Ok(seen.to_string())
}

/// Length and checksum of what came by.
#[derive(Default)]
pub(crate) struct Seen {
    length: u64,
    checksum: crc32fast::Hasher,
}

impl Seen {
    pub(crate) fn piece(&mut self, piece: &[u8]) {
        self.length += piece.len() as u64;
        self.checksum.update(piece);
    }
}

impl std::fmt::Display for Seen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{:08x}", self.length, self.checksum.clone().finalize())
    }
}

/// A package that can be fetched.
pub(super) fn ready(length: u64) -> Answer {
    let package = json!({ "downloadId": length.to_string(), "status": "READY", "fileName": "package.zip" });
    json_answer(StatusCode::OK, package.to_string())
}

/// A real archive with one entry of zeros.
pub(super) fn give(ends: &Ends) -> Answer {
    let total = ends.length;
    let between = total - (ends.head.len() + ends.tail.len()) as u64;
    let zeros = stream::unfold(between, |left| async move {
        let piece = PIECE.min(usize::try_from(left).unwrap_or(PIECE));
        (piece > 0).then(|| (Bytes::from_static(&ZEROS[..piece]), left - piece as u64))
    });
    let pieces = stream::iter([ends.head.clone().into()]).chain(zeros).chain(stream::iter([ends.tail.clone().into()]));
    let body = StreamBody::new(pieces.map(|piece| Ok::<_, Infallible>(Frame::data(piece))));
    let mut answer = Answer::new(BodyExt::boxed(body));
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/zip"));
    answer.headers_mut().insert(header::CONTENT_LENGTH, total.into());
    answer
}

/// How an archive begins and ends; between the two there are zeros alone.
#[derive(Default)]
pub(super) struct Ends {
    head: Vec<u8>,
    tail: Vec<u8>,
    length: u64,
}

impl Ends {
    /// Of an archive with one entry of so many zeros.
    pub(super) fn of_package(length: u64) -> Self {
        // Memory takes everything; and an empty package would be noticed.
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

impl Write for Ends {
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
    use crate::jobs::Trouble;

    #[tokio::test]
    async fn a_package_is_an_archive_of_so_many_zeros() -> Result<(), Trouble> {
        for length in [0, 10, 300, 1_000_000] {
            let answer = give(&Ends::of_package(length));
            let told = answer.headers()[header::CONTENT_LENGTH].to_str()?.parse::<usize>()?;
            let bytes = answer.into_body().collect().await?.to_bytes();
            assert_eq!(bytes.len(), told);
            let mut archive = zip::ZipArchive::new(io::Cursor::new(bytes))?;
            let mut content = Vec::new();
            archive.by_name("scan.pdf")?.read_to_end(&mut content)?;
            assert_eq!(content, vec![0; usize::try_from(length)?]);
        }
        Ok(())
    }
}
