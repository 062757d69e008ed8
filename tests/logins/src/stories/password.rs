//! Password grant (RFC 6749 section 4.3), and how refusals are told.

use std::sync::Arc;

use documine::{Client, Credentials, Error, ErrorKind};

use super::Story;
use crate::stage::{Stage, holds, refused, same};
use crate::{Failure, Place, User};

pub(super) fn stories() -> Vec<Story> {
    vec![
        Story::new("password: a login opens the service", opens),
        Story::new("password: a confidential client with a secret full of special characters", confidential),
        Story::new("password: special characters", special),
        Story::new("password: a wrong one", wrong),
        Story::new("password: a disabled account", disabled),
        Story::new("password: a wrong client secret", wrong_secret),
        Story::new("password: an unknown client", unknown_client),
        Story::new("password: a client that may not", grant_not_allowed),
        Story::new("password: an unknown workspace", unknown_workspace),
        Story::new("password: a token path that leads nowhere", unknown_path),
    ]
}

fn by_password(stage: &Stage, user: &User) -> Credentials {
    Credentials::password(&stage.realm(Place::Long).clients.password, &user.name, user.password.as_str())
}

/// The error of the first call with these credentials. Whatever it is, it shows no secret.
async fn call_refused(stage: &Stage, credentials: Credentials, secrets: &[&str]) -> Result<Error, Failure> {
    let client = stage.client(Place::Long, credentials)?;
    let error = refused("the call", client.license().await)?;
    for secret in secrets {
        holds("an error shows no secret", !format!("{error:?}").contains(secret))?;
    }
    same("its kind", &error.kind(), &ErrorKind::Auth)?;
    holds("trying again would not help", !error.is_transient())?;
    Ok(error)
}

async fn opens(stage: Arc<Stage>) -> Result<(), Failure> {
    let client = stage.client(Place::Long, by_password(&stage, &stage.realm(Place::Long).users.plain))?;
    client.license().await?;
    Ok(())
}

async fn confidential(stage: Arc<Stage>) -> Result<(), Failure> {
    let realm = stage.realm(Place::Long);
    let (id, secret) = &realm.clients.confidential;
    let user = &realm.users.plain;
    let credentials = Credentials::password(id, &user.name, user.password.as_str()).client_secret(secret.as_str());
    stage.client(Place::Long, credentials)?.license().await?;
    Ok(())
}

async fn special(stage: Arc<Stage>) -> Result<(), Failure> {
    let client = stage.client(Place::Long, by_password(&stage, &stage.realm(Place::Long).users.special))?;
    client.license().await?;
    Ok(())
}

async fn wrong(stage: Arc<Stage>) -> Result<(), Failure> {
    let user = User { password: "not-this-one".into(), ..stage.realm(Place::Long).users.plain.clone() };
    let error = call_refused(&stage, by_password(&stage, &user), &["not-this-one"]).await?;
    holds("a login is needed", error.needs_login())?;
    says(&error, "(invalid_grant); log in again or give other credentials")
}

async fn disabled(stage: Arc<Stage>) -> Result<(), Failure> {
    let user = &stage.realm(Place::Long).users.disabled;
    let error = call_refused(&stage, by_password(&stage, user), &[&user.password]).await?;
    holds("a login is needed", error.needs_login())?;
    says(&error, "(invalid_grant); log in again or give other credentials")
}

async fn wrong_secret(stage: Arc<Stage>) -> Result<(), Failure> {
    let realm = stage.realm(Place::Long);
    let user = &realm.users.plain;
    let credentials = Credentials::password(&realm.clients.confidential.0, &user.name, user.password.as_str());
    let error =
        call_refused(&stage, credentials.client_secret("n0t-this-one"), &["n0t-this-one", &user.password]).await?;
    says(&error, "check the client id, its secret, and its allowed grants")
}

async fn unknown_client(stage: Arc<Stage>) -> Result<(), Failure> {
    let user = &stage.realm(Place::Long).users.plain;
    let credentials = Credentials::password("nobody-knows-me", &user.name, user.password.as_str());
    let error = call_refused(&stage, credentials, &[&user.password]).await?;
    says(&error, "check the client id, its secret, and its allowed grants")
}

async fn grant_not_allowed(stage: Arc<Stage>) -> Result<(), Failure> {
    let realm = stage.realm(Place::Long);
    let user = &realm.users.plain;
    let credentials = Credentials::password(&realm.clients.public, &user.name, user.password.as_str());
    let error = call_refused(&stage, credentials, &[&user.password]).await?;
    let named = stage.provider.facts().names_forbidden_grant;
    says(&error, if named { "check the client id, its secret, and its allowed grants" } else { "(invalid_request)" })
}

async fn unknown_workspace(stage: Arc<Stage>) -> Result<(), Failure> {
    let realm = stage.realm(Place::Long);
    let mut elsewhere = realm.clone();
    elsewhere.workspace = "no-such-workspace".into();
    let client = Client::builder(stage.service(Place::Long).base_url())
        .workspace(&elsewhere.workspace)
        .token_path(elsewhere.endpoint("token"))
        .credentials(by_password(&stage, &realm.users.plain))
        .build()?;
    let error = refused("the call", client.license().await)?;
    same("its kind", &error.kind(), &ErrorKind::Auth)?;
    holds("the credentials are not to blame", !error.needs_login())?;
    says(&error, "workspace")
}

async fn unknown_path(stage: Arc<Stage>) -> Result<(), Failure> {
    let realm = stage.realm(Place::Long);
    // As where a setup has no `/auth` before its realms, or has one.
    let path = realm.endpoint("token").replace("/auth/realms/", "/realms/");
    let builder = Client::builder(stage.service(Place::Long).base_url()).workspace(&realm.workspace).token_path(path);
    let client = builder.credentials(by_password(&stage, &realm.users.plain)).build()?;
    let error = refused("the call", client.license().await)?;
    same("its kind", &error.kind(), &ErrorKind::Auth)?;
    holds("the credentials are not to blame", !error.needs_login())?;
    says(&error, "check the base URL, the workspace and the token path")
}

fn says(error: &Error, words: &str) -> Result<(), Failure> {
    holds(&format!("{:?} says {words:?}", error.to_string()), error.to_string().contains(words))
}
