//! Logging out (RFC 7009, OpenID Connect RP-Initiated Logout 1.0).

use std::sync::Arc;

use documine::{Credentials, TokenSet};

use super::Story;
use crate::stage::{Stage, holds, refused, same};
use crate::{Failure, Place, raw};

pub(super) fn stories() -> Vec<Story> {
    vec![Story::new("logout: the refresh token is worthless", worthless)]
}

async fn worthless(stage: Arc<Stage>) -> Result<(), Failure> {
    let realm = stage.realm(Place::Long);
    let id = &realm.clients.password;
    // By a request of our own, so that the refresh token is known here.
    let answer = raw::password(realm, id, &realm.users.plain).await?;
    let refresh = answer.text("refresh_token")?;
    let tokens = TokenSet::new(answer.text("access_token")?).refresh_token(refresh);
    let client = stage.client(Place::Long, Credentials::tokens(id, tokens))?;
    client.license().await?;

    let told = client.log_out().await?;
    holds("the token is revoked", told.revoked)?;
    same("the session is ended", &told.session_ended, &stage.provider.facts().ends_session)?;
    let error = refused("a call afterwards", client.license().await)?;
    holds("a login is needed", error.needs_login())?;
    let after = raw::refresh(realm, id, refresh).await?.outcome();
    same("what the refresh token is good for", &after.as_str(), &"400 invalid_grant")
}
