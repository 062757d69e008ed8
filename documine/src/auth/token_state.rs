//! The state of a client's login between two refreshes, and the outcome of a refresh.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::refresh_failure::RefreshFailure;
use super::store::StoredLogin;
use super::token::TokenSet;
use crate::error::Error;

/// The lifetime that a token needs to be adopted from a store.
const MIN_REMAINING_LIFETIME: Duration = Duration::from_secs(1);

/// The state of a login between two refreshes.
#[derive(Clone, Default)]
pub(super) struct TokenState {
    pub(super) tokens: Option<Arc<TokenSet>>,
    /// The content of the store when it was last read or written.
    pub(super) last_stored: Option<Arc<StoredLogin>>,
    /// True if the tokens are not in the store: a save failed, or they are the configured ones.
    pub(super) unsaved: bool,
    /// The tokens that the service rejected before their expiry.
    pub(super) rejected: Option<Arc<TokenSet>>,
    /// True once the tokens of the credentials were used.
    pub(super) configured_used: bool,
    /// A permanent refusal: only a new login helps.
    pub(super) refused: Option<Error>,
    /// The failure of the last token request, if a later request may succeed.
    pub(super) last_failure: Option<RefreshFailure>,
}

impl TokenState {
    /// Returns true if the tokens are neither rejected nor about to expire.
    pub(super) fn is_usable(&self, tokens: &TokenSet, now: SystemTime) -> bool {
        let rejected = self.rejected.as_ref().is_some_and(|rejected| rejected.same_access(tokens));
        !rejected && tokens.is_alive(now + MIN_REMAINING_LIFETIME)
    }

    /// Replaces the tokens and clears earlier errors.
    pub(super) fn set_tokens(&mut self, tokens: Arc<TokenSet>) {
        (self.tokens, self.refused, self.last_failure) = (Some(tokens), None, None);
    }
}

/// The source of new tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RefreshSource {
    /// A login with the password.
    Login,
    /// The refresh token, or the caller's token source.
    Refresh,
    /// The token store.
    Store,
    /// None: the tokens were present, and now they are saved too.
    Memory,
}

/// The result of a successful refresh.
pub(super) struct RefreshOutcome {
    pub(super) tokens: Arc<TokenSet>,
    pub(super) source: RefreshSource,
    /// The error of saving the tokens.
    pub(super) store_error: Option<Error>,
}

impl RefreshOutcome {
    pub(super) fn new(tokens: Arc<TokenSet>, source: RefreshSource) -> Self {
        Self { tokens, source, store_error: None }
    }
}
