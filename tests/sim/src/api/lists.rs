//! Lists: an object with one array, whole or in pages.

use axum::response::Response;
use http::header::LINK;
use http::{HeaderValue, StatusCode};
use serde::Serialize;

use super::api_call::{ApiCall, text_response};
use crate::api_error::ApiError;
use crate::paging::Paging;
use crate::service::App;

const USUAL_SIZE: usize = 20;
const BIGGEST_SIZE: usize = 1000;

/// Returns whether the operation answers with a list.
#[cfg(feature = "check")]
pub(crate) fn is_list(operation: &str) -> bool {
    documine_api::operations::operation(operation)
        .is_some_and(|operation| !matches!(operation.paging, documine_api::operations::Paging::NotAList))
}

/// Returns the response with `items` under `key`.
pub(super) fn list_response<T: Serialize>(
    app: &App,
    call: &ApiCall,
    key: &str,
    items: Vec<T>,
) -> Result<Response, ApiError> {
    let total = items.len();
    let (items, more, link) = match app.settings.paging {
        Paging::None => (items, String::new(), None),
        Paging::Page => {
            let (page, size) = (number(call, "page", 0)?, size(call)?);
            let pages = total.div_ceil(size);
            let more = format!(r#","page":{page},"size":{size},"totalElements":{total},"totalPages":{pages}"#);
            (slice(items, page.saturating_mul(size), size), more, None)
        }
        Paging::Link => {
            let (start, size) = (number(call, "cursor", 0)?, size(call)?);
            let next = start.saturating_add(size);
            let link = (next < total).then(|| next_link(call, next, size));
            (slice(items, start, size), String::new(), link)
        }
    };
    // Written by hand, so that the fields of an item keep their order with any features of serde_json.
    let items = items
        .iter()
        .map(serde_json::to_string)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| ApiError::internal("The list could not be written", &error))?;
    let mut response =
        text_response(StatusCode::OK, "application/json", format!(r#"{{"{key}":[{}]{more}}}"#, items.join(",")));
    if let Some(link) = link.and_then(|link| HeaderValue::from_str(&link).ok()) {
        response.headers_mut().insert(LINK, link);
    }
    Ok(response)
}

fn slice<T>(items: Vec<T>, start: usize, size: usize) -> Vec<T> {
    items.into_iter().skip(start).take(size).collect()
}

fn size(call: &ApiCall) -> Result<usize, ApiError> {
    let size = number(call, "size", USUAL_SIZE)?;
    if size == 0 {
        return Err(ApiError::bad_request("The parameter size must be at least 1."));
    }
    Ok(size.min(BIGGEST_SIZE))
}

fn number(call: &ApiCall, name: &str, default: usize) -> Result<usize, ApiError> {
    call.query(name).map_or(Ok(default), |text| {
        text.parse()
            .map_err(|_| ApiError::bad_request(format!("The parameter {name} must be a whole number, 0 or greater.")))
    })
}

/// Returns a relative reference (RFC 8288) that keeps the other parameters.
fn next_link(call: &ApiCall, next: usize, size: usize) -> String {
    use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

    let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let preserved = call.query_pairs().iter().filter(|(name, _)| name != "cursor" && name != "size");
    let mut query: Vec<String> = preserved.map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
    query.push(format!("cursor={next}"));
    query.push(format!("size={size}"));
    format!("<{}?{}>; rel=\"next\"", call.path, query.join("&"))
}
