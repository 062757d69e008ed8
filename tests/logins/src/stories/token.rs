//! Tokens that a caller brings along.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use documine::{BoxFuture, Credentials, TokenSet, TokenSource};

use super::Story;
use crate::stage::{SURELY_OVER, Stage, holds, refused, same};
use crate::{Failure, Place, Realm, raw};

pub(super) fn stories() -> Vec<Story> {
    vec![
        Story::new("token: an access token alone, until it ends", access_token),
        Story::new("token: a source of the caller's own is asked again", source),
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
