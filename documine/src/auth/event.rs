//! Events of a client's login.

use std::sync::Arc;

use crate::error::Error;

/// An event of the client's login, independent of a single call. Reported to [`Observer::login`](crate::observe::Observer::login).
#[derive(Debug)]
#[non_exhaustive]
pub enum LoginEvent<'a> {
    /// A service account logged in with its password, for the first time or because its session had ended.
    LoggedIn,
    /// The identity provider issued new tokens for the refresh token, or a custom token source returned new tokens.
    Refreshed,
    /// Tokens were taken from the token store: the first tokens of this client, or newer ones saved by another process.
    Adopted,
    /// New tokens could not be saved in the token store. This client uses them and retries the save; other processes may be logged out when they
    /// use the old tokens.
    StoreFailed(&'a Error),
    /// A token request failed. Calls continue while the current token is valid; the next request follows after a delay.
    RefreshFailed(&'a Error),
    /// Only a login of a person, or other credentials, will help. Reported once.
    LoginNeeded(&'a Error),
}

/// The receiver of login events.
pub(crate) type LoginListener = Arc<dyn Fn(&LoginEvent<'_>) + Send + Sync>;
