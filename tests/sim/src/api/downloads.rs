//! Tag 5: requested packages: state, bytes, deletion.

use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use http::StatusCode;
use http::header::{ACCEPT_RANGES, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, HeaderName};
use tokio::io::{AsyncReadExt, AsyncSeekExt};

use super::api_call::{ApiCall, json, no_content};
use super::lists;
use super::range::{self, RequestedRange};
use crate::api_error::ApiError;
use crate::package;
use crate::service::App;
use crate::state::Download;

pub(super) async fn list(app: &Arc<App>, call: &mut ApiCall) -> Result<Response, ApiError> {
    package::build_due_packages(app).await;
    let now = app.now();
    let downloads = {
        let workspace = app.workspace();
        let mut downloads: Vec<&Download> = workspace.downloads.values().collect();
        downloads.sort_by_key(|download| download.number);
        downloads.into_iter().map(|download| download.to_json(now)).collect()
    };
    lists::list_response(app, call, "downloads", downloads)
}

pub(super) async fn get(app: &Arc<App>, call: &mut ApiCall) -> Result<Response, ApiError> {
    package::build_due_packages(app).await;
    let download = app.workspace().download(call.download_id())?.to_json(app.now());
    json(StatusCode::OK, &download)
}

pub(super) fn delete(app: &App, call: &ApiCall) -> Result<Response, ApiError> {
    let mut workspace = app.workspace();
    workspace.download(call.download_id())?;
    let removed = workspace.remove_download(call.download_id());
    app.blobs.remove(removed);
    Ok(no_content())
}

pub(super) async fn fetch(app: &Arc<App>, call: &mut ApiCall) -> Result<Response, ApiError> {
    package::build_due_packages(app).await;
    let now = app.now();
    let (download, blob) = {
        let mut workspace = app.workspace();
        let download = workspace.download(call.download_id())?;
        let state = download.state(now);
        let Some(blob) = download.blob.clone().filter(|_| state == "READY") else {
            let reason =
                download.failure.as_deref().filter(|_| state == "FAILED").map(|reason| reason.trim_end_matches('.'));
            let reason = reason.map(|reason| format!(": {reason}")).unwrap_or_default();
            return Err(ApiError::conflict(format!("The download is {state}, not READY{reason}.")));
        };
        let download = download.clone();
        if let Some(stored) = workspace.downloads.get_mut(&download.id) {
            stored.fetched = Some(now);
        }
        (download, blob)
    };
    let unreadable = |error: &dyn std::fmt::Display| ApiError::internal("The package could not be read", error);
    let mut file = tokio::fs::File::open(app.blobs.path(&blob)).await.map_err(|error| unreadable(&error))?;
    let range = if app.settings.ranges {
        range::requested_range(&call.headers, download.size, &download.etag)
    } else {
        RequestedRange::Full
    };
    let (status, start, length) = match range {
        RequestedRange::Full => (StatusCode::OK, 0, download.size),
        RequestedRange::Part { start, length } => (StatusCode::PARTIAL_CONTENT, start, length),
        RequestedRange::NotSatisfiable => {
            let error = ApiError::new(
                StatusCode::RANGE_NOT_SATISFIABLE,
                format!("The package has {} bytes; the range starts after the end.", download.size),
            );
            return Err(error.with_header(CONTENT_RANGE, &format!("bytes */{}", download.size)));
        }
    };
    file.seek(std::io::SeekFrom::Start(start)).await.map_err(|error| unreadable(&error))?;
    let mut response = Response::new(stream(file, length));
    *response.status_mut() = status;
    let mut set = |name: HeaderName, value: String| {
        if let Ok(value) = value.parse() {
            response.headers_mut().insert(name, value);
        }
    };
    set(CONTENT_TYPE, "application/zip".to_owned());
    set(CONTENT_LENGTH, length.to_string());
    set(CONTENT_DISPOSITION, range::content_disposition(&download.file_name));
    if app.settings.ranges {
        set(ETAG, download.etag.clone());
        set(ACCEPT_RANGES, "bytes".to_owned());
    }
    if status == StatusCode::PARTIAL_CONTENT {
        set(CONTENT_RANGE, format!("bytes {start}-{}/{}", start + length - 1, download.size));
    }
    Ok(response)
}

/// Streams the next `length` bytes of the file.
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
