//! A token for every attempt: the one at hand, and another one when the service refuses it.

use std::sync::Arc;
use std::time::Duration;

use ::http::StatusCode;

use super::answer::Answer;
use super::call::{Call, CallState};
use super::retry::Retries;
use crate::error::Result;

impl Call<'_> {
    /// With a token; where the service answers 401, once more with another one.
    ///
    /// A second 401 is final: a service that refuses a fresh token would refuse the next one too.
    pub(super) async fn signed(&self, trip: &mut CallState, limit: Duration) -> Result<Answer> {
        let auth = &self.pipeline.auth;
        let mut tokens = auth.token().await?;
        let policy = self.policy();
        let mut retries = Retries::new(&policy, &self.pipeline.retry_budget, trip.method.is_idempotent());
        let mut replaced = false;
        loop {
            let error = match self.retried(trip, &tokens, &mut retries, limit).await {
                Err(error) if !replaced && error.is_unauthorized() && trip.can_go_again() => error,
                outcome => return outcome,
            };
            // What was refused for its token was not carried out, so it is no attempt that counts as seen.
            let fresh = auth.replace(&tokens).await.map_err(|trouble| {
                // The service's word stands where the provider says the same; a provider in trouble is another matter.
                let final_word = trouble.needs_login();
                trip.judged(if final_word { trouble.with_status(StatusCode::UNAUTHORIZED) } else { trouble })
            })?;
            if Arc::ptr_eq(&fresh, &tokens) {
                return Err(error);
            }
            tokens = fresh;
            replaced = true;
        }
    }
}
