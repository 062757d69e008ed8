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
    /// Another process had new tokens already; they were taken from the token store.
    Adopted,
    /// New tokens could not be put into the token store. This client goes on with them and tries to keep them again; other processes may be
    /// logged out when they use the old ones.
    StoreFailed(&'a Error),
    /// New tokens could not be had. Calls go on while the token in use lives; the next try comes soon.
    RefreshFailed(&'a Error),
    /// Nothing but a login of a person, or other credentials, will help. Told once.
    LoginNeeded(&'a Error),
}

/// Where events go.
pub(crate) type Listener = std::sync::Arc<dyn Fn(&LoginEvent<'_>) + Send + Sync>;
