//! What a client knows of its login.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::outage::Outage;
use super::store::StoredLogin;
use super::token::TokenSet;
use crate::error::Error;

/// Tokens that others have used so far are not worth taking over this shortly before their end.
const TOO_SHORT: Duration = Duration::from_secs(1);

/// The state of a login between two renewals.
#[derive(Clone, Default)]
pub(super) struct Known {
    pub(super) tokens: Option<Arc<TokenSet>>,
    /// What the store held when it was last read or written.
    pub(super) seen: Option<Arc<StoredLogin>>,
    /// The tokens are newer than the store: keeping them failed.
    pub(super) unsaved: bool,
    /// Those that the service does not take any more, although their end has not come.
    pub(super) rejected: Option<Arc<TokenSet>>,
    /// The tokens that the caller gave have been tried.
    pub(super) given_tried: bool,
    /// The final word: nothing but another login will help.
    pub(super) refused: Option<Error>,
    /// The last token request failed, but another one may succeed later.
    pub(super) outage: Option<Outage>,
}

impl Known {
    /// Whether these tokens may be sent, as far as is known here.
    pub(super) fn are_good(&self, tokens: &TokenSet, now: SystemTime) -> bool {
        let rejected = self.rejected.as_ref().is_some_and(|rejected| rejected.same_access(tokens));
        !rejected && tokens.is_alive(now + TOO_SHORT)
    }

    /// The tokens from now on.
    pub(super) fn has(&mut self, tokens: Arc<TokenSet>) {
        (self.tokens, self.refused, self.outage) = (Some(tokens), None, None);
    }
}

/// How new tokens came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Came {
    ByLogin,
    ByRefresh,
    FromStore,
    /// They had been there; now they are kept.
    Kept,
}

/// New tokens, and what went wrong on the side.
pub(super) struct Renewed {
    pub(super) tokens: Arc<TokenSet>,
    pub(super) came: Came,
    pub(super) store_failed: Option<Error>,
}

impl Renewed {
    pub(super) fn new(tokens: Arc<TokenSet>, came: Came) -> Self {
        Self { tokens, came, store_failed: None }
    }
}
