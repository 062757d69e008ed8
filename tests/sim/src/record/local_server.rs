//! A server of this machine that ends when it is dropped.

use axum::Router;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::format::RecordError;

pub(super) struct LocalServer {
    base_url: String,
    task: JoinHandle<()>,
}

impl LocalServer {
    /// Binds `listen` and serves the router, which is made for the base URL of the server.
    pub(super) async fn start(listen: &str, router: impl FnOnce(&str) -> Router) -> Result<Self, RecordError> {
        let failed = |error: std::io::Error| RecordError(format!("cannot listen on {listen}: {error}"));
        let listener = TcpListener::bind(listen).await.map_err(failed)?;
        let base_url = format!("http://{}", listener.local_addr().map_err(failed)?);
        let router = router(&base_url);
        let task = tokio::spawn(async move {
            // Runs until it is aborted; axum waits and continues when a connection cannot be accepted.
            drop(axum::serve(listener, router).await);
        });
        Ok(Self { base_url, task })
    }

    /// Returns the base URL, without a trailing slash.
    pub(super) fn base_url(&self) -> &str {
        &self.base_url
    }
}

impl Drop for LocalServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}
