//! Tokens that a caller brings along.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use documine::{BoxFuture, Credentials, TokenSet, TokenSource};

use super::Story;
use crate::clock::StoryClock;
use crate::stage::{SURELY_OVER, Stage, holds, refused, same};
use crate::{Act, Failure, Place, REDIRECT, Realm, raw};

pub(super) fn stories() -> Vec<Story> {
    vec![
        Story::new("token: an access token alone, until it ends", access_token),
        Story::new("token: a source of the caller's own is asked again", source),
        // How an end that is none is told, is a matter of `refresh_expires_in`.
        Story::new("token: an offline session has no end", offline)
            .needs(|facts| facts.offline_access)
            .needs(|facts| facts.tells_refresh_end),
    ]
}

async fn access_token(stage: Arc<Stage>) -> Result<(), Failure> {
    let realm = stage.realm(Place::Short);
    let answer = raw::password(realm, &realm.clients.password, &realm.users.plain).await?;
    let client = stage.client(Place::Short, Credentials::access_token(answer.text("access_token")?))?;
    client.license().await?;
    tokio::time::sleep(SURELY_OVER).await;
    let error = refused("the call", client.license().await)?;
    holds("a login is needed", error.needs_login())
}

/// Logs in with a password each time it is asked.
struct Vault {
    realm: Realm,
    asked: Arc<AtomicUsize>,
}

impl TokenSource for Vault {
    fn token(&self, _rejected: Option<&TokenSet>) -> BoxFuture<'_, documine::Result<TokenSet>> {
        Box::pin(async {
            self.asked.fetch_add(1, Ordering::Relaxed);
            let answer = raw::password(&self.realm, &self.realm.clients.password, &self.realm.users.plain).await;
            // A source that has none gives one that the service refuses, and the story fails by that.
            let token = answer.and_then(|answer| answer.text("access_token").map(str::to_owned));
            Ok(TokenSet::new(token.unwrap_or_else(|_| "none".into())))
        })
    }
}

async fn source(stage: Arc<Stage>) -> Result<(), Failure> {
    let asked = Arc::new(AtomicUsize::new(0));
    let vault = Vault { realm: stage.realm(Place::Short).clone(), asked: Arc::clone(&asked) };
    let client = stage.client(Place::Short, Credentials::source(vault))?;
    client.license().await?;
    client.license().await?;
    same("how often it was asked", &asked.load(Ordering::Relaxed), &1)?;
    tokio::time::sleep(SURELY_OVER).await;
    client.license().await?;
    same("how often it was asked at last", &asked.load(Ordering::Relaxed), &2)
}

async fn offline(stage: Arc<Stage>) -> Result<(), Failure> {
    let id = &stage.realm(Place::Long).clients.public;
    let login = stage.login(Place::Long, id)?.scope("openid").scope("offline_access").authorization(REDIRECT)?;
    let address = stage.provider.visit(login.url(), &stage.realm(Place::Long).users.plain, Act::Allow).await?;
    let tokens = login.redirected(&address.ok_or("the provider did not send the browser back")?).await?;
    holds("the scope was granted", tokens.scopes().iter().any(|scope| scope == "offline_access"))?;
    holds("no end is known", format!("{tokens:?}").contains("refresh_expires_at: None"))?;
    let clock = StoryClock::default();
    let client = stage.client_at(Place::Long, &clock, Credentials::tokens(id, tokens))?;
    client.license().await?;
    // A year: far beyond all sessions of the realm, by the client's clock.
    clock.ahead(Duration::from_secs(365 * 24 * 3600));
    client.license().await?;
    Ok(())
}
