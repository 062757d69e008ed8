//! Tag 5: packages that were asked for: their state, their bytes, their end.

use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use http::StatusCode;
use http::header::{ACCEPT_RANGES, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, HeaderName};
use tokio::io::{AsyncReadExt, AsyncSeekExt};

use super::call::{Call, json, no_content};
use super::lists;
use super::range::{self, Wanted};
use crate::package;
use crate::server::{App, Refusal};
use crate::state::Download;

pub(super) async fn list(app: &Arc<App>, call: &mut Call) -> Result<Response, Refusal> {
    package::pack_due(app).await;
    let now = app.now();
    let downloads = {
        let world = app.world();
        let mut downloads: Vec<&Download> = world.downloads.values().collect();
        downloads.sort_by_key(|download| download.number);
        downloads.into_iter().map(|download| download.to_json(now)).collect()
    };
    lists::answer(app, call, "downloads", downloads)
}

pub(super) async fn get(app: &Arc<App>, call: &mut Call) -> Result<Response, Refusal> {
    package::pack_due(app).await;
    let download = app.world().download(call.download_id())?.to_json(app.now());
    json(StatusCode::OK, &download)
}

pub(super) fn delete(app: &App, call: &Call) -> Result<Response, Refusal> {
    let mut world = app.world();
    world.download(call.download_id())?;
    let gone = world.remove_download(call.download_id());
    app.blobs.remove(gone);
    Ok(no_content())
}

pub(super) async fn fetch(app: &Arc<App>, call: &mut Call) -> Result<Response, Refusal> {
    package::pack_due(app).await;
    let now = app.now();
    let (download, blob) = {
        let mut world = app.world();
        let download = world.download(call.download_id())?;
        let state = download.state(now);
        let Some(blob) = download.blob.clone().filter(|_| state == "READY") else {
            let why = download.failure.as_deref().filter(|_| state == "FAILED").map(|why| why.trim_end_matches('.'));
            let why = why.map(|why| format!(": {why}")).unwrap_or_default();
            return Err(Refusal::conflict(format!("The download is {state}, not READY{why}.")));
        };
        let download = download.clone();
        if let Some(kept) = world.downloads.get_mut(&download.id) {
            kept.fetched = Some(now);
        }
        (download, blob)
    };
    let gone = |error: &dyn std::fmt::Display| Refusal::internal("The package could not be read", error);
    let mut file = tokio::fs::File::open(app.blobs.path(&blob)).await.map_err(|error| gone(&error))?;
    let wanted =
        if app.settings.ranges { range::wanted(&call.headers, download.size, &download.etag) } else { Wanted::All };
    let (status, start, length) = match wanted {
        Wanted::All => (StatusCode::OK, 0, download.size),
        Wanted::Part { start, length } => (StatusCode::PARTIAL_CONTENT, start, length),
        Wanted::Nothing => {
            let refusal = Refusal::new(
                StatusCode::RANGE_NOT_SATISFIABLE,
                format!("The package has {} bytes; the range lies behind its end.", download.size),
            );
            return Err(refusal.with_header(CONTENT_RANGE, &format!("bytes */{}", download.size)));
        }
    };
    file.seek(std::io::SeekFrom::Start(start)).await.map_err(|error| gone(&error))?;
    let mut response = Response::new(stream(file, length));
    *response.status_mut() = status;
    let mut set = |name: HeaderName, value: String| {
        if let Ok(value) = value.parse() {
            response.headers_mut().insert(name, value);
        }
    };
    set(CONTENT_TYPE, "application/zip".to_owned());
    set(CONTENT_LENGTH, length.to_string());
    set(CONTENT_DISPOSITION, range::disposition(&download.file_name));
    if app.settings.ranges {
        set(ETAG, download.etag.clone());
        set(ACCEPT_RANGES, "bytes".to_owned());
    }
    if status == StatusCode::PARTIAL_CONTENT {
        set(CONTENT_RANGE, format!("bytes {start}-{}/{}", start + length - 1, download.size));
    }
    Ok(response)
}

/// The next `length` bytes of the file, piece by piece.
fn stream(file: tokio::fs::File, length: u64) -> Body {
    let pieces = futures_util::stream::try_unfold((file, length), |(mut file, left)| async move {
        if left == 0 {
            return Ok::<_, std::io::Error>(None);
        }
        let mut piece = bytes::BytesMut::zeroed(usize::try_from(left.min(64 * 1024)).unwrap_or(64 * 1024));
        let count = file.read(&mut piece).await?;
        if count == 0 {
            return Err(std::io::Error::other("the package became shorter"));
        }
        piece.truncate(count);
        Ok(Some((piece.freeze(), (file, left - count as u64))))
    });
    Body::from_stream(pieces)
}
