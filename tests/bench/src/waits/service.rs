//! The service in simulated time: reports each file as processed at its time, and counts the requests.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use documine::Clock;
use http::{Request, StatusCode};
use hyper::body::Incoming;
use serde_json::json;

use super::time::Time;
use crate::server::{CannedResponse, file, file_id, json_answer, path_in_dossier};

pub(super) struct Service {
    pub(super) times: Vec<Duration>,
    pub(super) time: Time,
    pub(super) requests: AtomicU64,
}

impl Service {
    pub(super) fn answer(self: &Arc<Self>, request: &Request<Incoming>) -> CannedResponse {
        self.requests.fetch_add(1, Ordering::Relaxed);
        let Some((_, rest)) = path_in_dossier(request.uri().path()) else {
            return json_answer(StatusCode::NOT_FOUND, "{}");
        };
        let now = self.time.monotonic();
        let shown = |number: usize| {
            let mut file = file(number, self.times.len());
            file["processingStatus"] = json!(if self.times[number] <= now { "PROCESSED" } else { "PROCESSING" });
            file
        };
        let body = match rest.strip_prefix("/files").map(|id| id.trim_start_matches('/')) {
            Some("") => json!({ "files": (0..self.times.len()).map(shown).collect::<Vec<_>>() }),
            Some(id) => match (0..self.times.len()).find(|number| file_id(*number) == id) {
                Some(number) => shown(number),
                None => return json_answer(StatusCode::NOT_FOUND, "{}"),
            },
            None => return json_answer(StatusCode::NOT_FOUND, "{}"),
        };
        json_answer(StatusCode::OK, body.to_string())
    }
}
