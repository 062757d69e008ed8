//! Password grant (RFC 6749 section 4.3) and its refusals.

use std::sync::Arc;

use documine::{Client, Credentials, Error, ErrorKind};

use super::Scenario;
use crate::harness::{Harness, ensure, ensure_eq, expect_error};
use crate::{Failure, RealmKind, User};

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![
        Scenario::new("password: a login opens the service", opens),
        Scenario::new("password: a confidential client with a secret full of special characters", confidential),
        Scenario::new("password: special characters", special),
        Scenario::new("password: a wrong one", wrong),
        Scenario::new("password: a disabled account", disabled),
        Scenario::new("password: a wrong client secret", wrong_secret),
        Scenario::new("password: an unknown client", unknown_client),
        Scenario::new("password: a client that may not", grant_not_allowed),
        Scenario::new("password: an unknown workspace", unknown_workspace),
        Scenario::new("password: a token path that leads nowhere", unknown_path),
    ]
}

fn by_password(harness: &Harness, user: &User) -> Credentials {
    Credentials::password(&harness.realm(RealmKind::Lenient).clients.password, &user.name, user.password.as_str())
}

/// Returns the error of the first call with these credentials, and checks that it shows no secret.
async fn call_refused(harness: &Harness, credentials: Credentials, secrets: &[&str]) -> Result<Error, Failure> {
    let client = harness.client(RealmKind::Lenient, credentials)?;
    let error = expect_error("the call", client.license().await)?;
    for secret in secrets {
        ensure("an error shows no secret", !format!("{error:?}").contains(secret))?;
    }
    ensure_eq("its kind", &error.kind(), &ErrorKind::Auth)?;
    ensure("the error is not transient", !error.is_transient())?;
    Ok(error)
}

async fn opens(harness: Arc<Harness>) -> Result<(), Failure> {
    let client =
        harness.client(RealmKind::Lenient, by_password(&harness, &harness.realm(RealmKind::Lenient).users.plain))?;
    client.license().await?;
    Ok(())
}

async fn confidential(harness: Arc<Harness>) -> Result<(), Failure> {
    let realm = harness.realm(RealmKind::Lenient);
    let (id, secret) = &realm.clients.confidential;
    let user = &realm.users.plain;
    let credentials = Credentials::password(id, &user.name, user.password.as_str()).client_secret(secret.as_str());
    harness.client(RealmKind::Lenient, credentials)?.license().await?;
    Ok(())
}

async fn special(harness: Arc<Harness>) -> Result<(), Failure> {
    let client =
        harness.client(RealmKind::Lenient, by_password(&harness, &harness.realm(RealmKind::Lenient).users.special))?;
    client.license().await?;
    Ok(())
}

async fn wrong(harness: Arc<Harness>) -> Result<(), Failure> {
    let user = User { password: "not-this-one".into(), ..harness.realm(RealmKind::Lenient).users.plain.clone() };
    let error = call_refused(&harness, by_password(&harness, &user), &["not-this-one"]).await?;
    ensure("a login is needed", error.needs_login())?;
    contains(&error, "(invalid_grant); log in again or give other credentials")
}

async fn disabled(harness: Arc<Harness>) -> Result<(), Failure> {
    let user = &harness.realm(RealmKind::Lenient).users.disabled;
    let error = call_refused(&harness, by_password(&harness, user), &[&user.password]).await?;
    ensure("a login is needed", error.needs_login())?;
    contains(&error, "(invalid_grant); log in again or give other credentials")
}

async fn wrong_secret(harness: Arc<Harness>) -> Result<(), Failure> {
    let realm = harness.realm(RealmKind::Lenient);
    let user = &realm.users.plain;
    let credentials = Credentials::password(&realm.clients.confidential.0, &user.name, user.password.as_str());
    let error =
        call_refused(&harness, credentials.client_secret("n0t-this-one"), &["n0t-this-one", &user.password]).await?;
    contains(&error, "check the client id, its secret, and its allowed grants")
}

async fn unknown_client(harness: Arc<Harness>) -> Result<(), Failure> {
    let user = &harness.realm(RealmKind::Lenient).users.plain;
    let credentials = Credentials::password("nobody-knows-me", &user.name, user.password.as_str());
    let error = call_refused(&harness, credentials, &[&user.password]).await?;
    contains(&error, "check the client id, its secret, and its allowed grants")
}

async fn grant_not_allowed(harness: Arc<Harness>) -> Result<(), Failure> {
    let realm = harness.realm(RealmKind::Lenient);
    let user = &realm.users.plain;
    let credentials = Credentials::password(&realm.clients.public, &user.name, user.password.as_str());
    let error = call_refused(&harness, credentials, &[&user.password]).await?;
    let named = harness.provider.capabilities().names_forbidden_grant;
    contains(
        &error,
        if named { "check the client id, its secret, and its allowed grants" } else { "(invalid_request)" },
    )
}

async fn unknown_workspace(harness: Arc<Harness>) -> Result<(), Failure> {
    let realm = harness.realm(RealmKind::Lenient);
    let mut elsewhere = realm.clone();
    elsewhere.workspace = "no-such-workspace".into();
    let client = Client::builder(harness.service(RealmKind::Lenient).base_url())
        .workspace(&elsewhere.workspace)
        .token_path(elsewhere.endpoint("token"))
        .credentials(by_password(&harness, &realm.users.plain))
        .build()?;
    let error = expect_error("the call", client.license().await)?;
    ensure_eq("its kind", &error.kind(), &ErrorKind::Auth)?;
    ensure("the credentials are not to blame", !error.needs_login())?;
    contains(&error, "workspace")
}

async fn unknown_path(harness: Arc<Harness>) -> Result<(), Failure> {
    let realm = harness.realm(RealmKind::Lenient);
    // As where a setup has no `/auth` before its realms, or has one.
    let path = realm.endpoint("token").replace("/auth/realms/", "/realms/");
    let builder =
        Client::builder(harness.service(RealmKind::Lenient).base_url()).workspace(&realm.workspace).token_path(path);
    let client = builder.credentials(by_password(&harness, &realm.users.plain)).build()?;
    let error = expect_error("the call", client.license().await)?;
    ensure_eq("its kind", &error.kind(), &ErrorKind::Auth)?;
    ensure("the credentials are not to blame", !error.needs_login())?;
    contains(&error, "check the base URL, the workspace and the token path")
}

fn contains(error: &Error, words: &str) -> Result<(), Failure> {
    ensure(&format!("{:?} contains {words:?}", error.to_string()), error.to_string().contains(words))
}
