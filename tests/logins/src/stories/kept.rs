//! A login that processes share, and its end.

use std::sync::Arc;
use std::time::Duration;

use documine::{Client, Credentials, FileStore, TokenSet};
use futures_util::future::try_join_all;

use super::Story;
use crate::clock::StoryClock;
use crate::raw;
use crate::stage::{Stage, holds, refused, same};
use crate::{Act, Failure, Place, REDIRECT};

pub(super) fn stories() -> Vec<Story> {
    vec![
        Story::new("kept: four programs share one refresh token", shared),
        Story::new("kept: after a logout the refresh token is worthless", logged_out),
    ]
}

/// Each client stands for a process of its own. At the strict realm a second use of a refresh token would end the session for all of them.
async fn shared(stage: Arc<Stage>) -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let store = || FileStore::new(folder.path().join("login.json"));
    let realm = stage.realm(Place::Short);
    let id = &realm.clients.public;
    let login = stage.login(Place::Short, id)?.store(store()).authorization(REDIRECT)?;
    let address = stage.provider.visit(login.url(), &realm.users.plain, Act::Allow).await?;
    login.redirected(&address.ok_or("the provider did not send the browser back")?).await?;

    let clock = StoryClock::default();
    let programs: Vec<Client> = (0..4)
        .map(|_| stage.client_at(Place::Short, &clock, Credentials::stored(id, store())))
        .collect::<Result<_, _>>()?;
    for _ in 0..3 {
        clock.ahead(Duration::from_secs(10));
        try_join_all(programs.iter().flat_map(|program| (0..5).map(|_| program.license().into_future()))).await?;
    }
    Ok(())
}

async fn logged_out(stage: Arc<Stage>) -> Result<(), Failure> {
    let realm = stage.realm(Place::Long);
    let id = &realm.clients.password;
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
