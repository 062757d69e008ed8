//! The provider says by itself where its endpoints are (OpenID Connect Discovery 1.0).

use std::sync::Arc;

use documine::{Client, Credentials};

use super::Scenario;
use crate::harness::{Harness, ensure_eq};
use crate::{Decision, Failure, REDIRECT, RealmKind, raw};

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![Scenario::new("discovery: all endpoints are found by the issuer", found)]
}

async fn found(harness: Arc<Harness>) -> Result<(), Failure> {
    let realm = harness.realm(RealmKind::Lenient);
    let user = &realm.users.plain;
    let builder = Client::builder(harness.service(RealmKind::Lenient).base_url()).workspace(&realm.workspace);
    let builder = builder.discover(&realm.issuer()).await?;
    let credentials = Credentials::password(&realm.clients.password, &user.name, user.password.as_str());
    let client = builder.clone().credentials(credentials).build()?;
    client.license().await?;
    ensure_eq("the revocation endpoint is found", &client.log_out().await?.revoked, &true)?;

    let id = &realm.clients.public;
    let login = builder.login(id)?.authorization(REDIRECT)?;
    let address = harness.provider.visit(login.url(), user, Decision::Allow).await?;
    let address = address.ok_or("the provider did not send the browser back")?;
    ensure_eq("who answers (RFC 9207)", &raw::field(&address, "iss")?, &realm.issuer())?;
    let tokens = login.finish_with_redirect(&address).await?;
    builder.credentials(Credentials::tokens(id, tokens)).build()?.license().await?;
    Ok(())
}
