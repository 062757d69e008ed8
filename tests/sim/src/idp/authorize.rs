//! Authorization of API requests by their bearer token.

use super::bearer::{AuthMode, BearerError, Principal};
use super::realm::Provider;
use super::tokens::TokenRejection;

impl Provider {
    /// Checks the bearer token of an API request. `bearer` is the token without its scheme, empty without an `Authorization` header.
    pub async fn authorize(&self, bearer: &str, mode: &AuthMode) -> Result<Principal, BearerError> {
        if *mode == AuthMode::None {
            return Ok(Principal::default());
        }
        if bearer.is_empty() {
            return Err(BearerError::Missing);
        }
        match mode {
            AuthMode::None | AuthMode::Any => Ok(Principal::default()),
            AuthMode::Own => self.authorize_own(bearer),
            AuthMode::Jwks(url) => self.realm.remote_keys.check(url, bearer).await,
        }
    }

    fn authorize_own(&self, bearer: &str) -> Result<Principal, BearerError> {
        let realm = &self.realm;
        let state = realm.state();
        let (_, id) = realm.check_access(&state, bearer).map_err(|rejection| match rejection {
            TokenRejection::Expired => BearerError::Expired,
            TokenRejection::Revoked | TokenRejection::NoSession => BearerError::Revoked,
            TokenRejection::Disabled => BearerError::UserDisabled,
            TokenRejection::Untrusted => BearerError::Invalid("it was not issued for this workspace".to_owned()),
        })?;
        let session = state.sessions.get(&id).ok_or(BearerError::Revoked)?;
        Ok(Principal {
            subject: realm.user_id(&session.username),
            username: Some(session.username.clone()),
            client_id: Some(session.client_id.clone()),
            session: Some(id),
        })
    }
}
