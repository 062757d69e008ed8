//! Logging out (RFC 7009, OpenID Connect RP-Initiated Logout 1.0).

use std::sync::Arc;

use documine::{Credentials, auth::TokenSet};

use super::Scenario;
use crate::harness::{Harness, ensure, ensure_eq, expect_error};
use crate::{Failure, RealmKind, raw};

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![Scenario::new("logout: the refresh token is worthless", worthless)]
}

async fn worthless(harness: Arc<Harness>) -> Result<(), Failure> {
    let realm = harness.realm(RealmKind::Lenient);
    let id = &realm.clients.password;
    // By a request of our own, so that the refresh token is known here.
    let answer = raw::password(realm, id, &realm.users.plain).await?;
    let refresh = answer.text("refresh_token")?;
    let tokens = TokenSet::new(answer.text("access_token")?).refresh_token(refresh);
    let client = harness.client(RealmKind::Lenient, Credentials::tokens(id, tokens))?;
    client.license().await?;

    let logged_out = client.log_out().await?;
    ensure("the token is revoked", logged_out.revoked)?;
    ensure_eq("the session is ended", &logged_out.session_ended, &harness.provider.capabilities().ends_session)?;
    let error = expect_error("a call afterwards", client.license().await)?;
    ensure("a login is needed", error.needs_login())?;
    let after = raw::refresh(realm, id, refresh).await?.outcome();
    ensure_eq("what the refresh token is good for", &after.as_str(), &"400 invalid_grant")
}
