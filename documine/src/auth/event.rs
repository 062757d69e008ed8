//! What happens to a login while a client uses it.

use crate::error::Error;

/// Told to [`Observer::login`](crate::Observer::login): what happened to the client's login beside its calls.
#[derive(Debug)]
#[non_exhaustive]
pub enum LoginEvent<'a> {
    /// A service's account logged in with its password, for the first time or because its session had ended.
    LoggedIn,
    /// The identity provider gave new tokens for the refresh token; or a source of the caller's own gave some.
    Refreshed,
    /// Tokens were taken from the token store: the first ones of this client, or newer ones that another process has put there.
    Adopted,
    /// New tokens could not be put into the token store. This client goes on with them and tries to keep them again; other processes may be
    /// logged out when they use the old ones.
    StoreFailed(&'a Error),
    /// A token request failed. Calls continue while the current token is valid; the next request follows after a pause.
    RefreshFailed(&'a Error),
    /// Nothing but a login of a person, or other credentials, will help. Told once.
    LoginNeeded(&'a Error),
}

/// Where events go.
pub(crate) type Listener = std::sync::Arc<dyn Fn(&LoginEvent<'_>) + Send + Sync>;
