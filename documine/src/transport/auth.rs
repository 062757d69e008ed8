//! The authentication layer: attaches the current token and replaces it once when the service rejects it.

use std::sync::Arc;
use std::time::Duration;

use ::http::StatusCode;

use super::call_state::{CallExecutor, CallState};
use super::response::AttemptResponse;
use super::retry::RetryContext;
use crate::error::Result;

impl CallExecutor<'_> {
    /// Runs the attempts with a token; on 401 runs them once more with a new token.
    ///
    /// A second 401 is final: a service that rejects a fresh token would reject the next one too.
    pub(super) async fn with_auth(&self, state: &mut CallState, limit: Duration) -> Result<AttemptResponse> {
        let auth = &self.pipeline.auth;
        let mut tokens = auth.token().await?;
        let policy = self.retry_policy();
        let mut retry = RetryContext::new(&policy, &self.pipeline.retry_budget, state.method.is_idempotent());
        let mut replaced = false;
        loop {
            let error = match self.with_retry(state, &tokens, &mut retry, limit).await {
                Err(error) if !replaced && error.is_unauthorized() && state.can_retry() => error,
                outcome => return outcome,
            };
            // The service did not process a request whose token it rejected, so the attempt does not count as received.
            let fresh = auth.replace(&tokens).await.map_err(|refresh_error| {
                // The service's 401 stands only if the provider requires a new login; an unavailable provider is another failure.
                let needs_login = refresh_error.needs_login();
                let error =
                    if needs_login { refresh_error.with_status(StatusCode::UNAUTHORIZED) } else { refresh_error };
                state.for_all_attempts(error)
            })?;
            if Arc::ptr_eq(&fresh, &tokens) {
                return Err(error);
            }
            tokens = fresh;
            replaced = true;
        }
    }
}
