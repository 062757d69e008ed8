//! The provider says by itself where its endpoints are (OpenID Connect Discovery 1.0).

use std::sync::Arc;

use documine::{Client, Credentials};

use super::Story;
use crate::stage::{Stage, same};
use crate::{Act, Failure, Place, REDIRECT, raw};

pub(super) fn stories() -> Vec<Story> {
    vec![Story::new("discovery: all endpoints are found by the issuer", found)]
}

async fn found(stage: Arc<Stage>) -> Result<(), Failure> {
    let realm = stage.realm(Place::Long);
    let user = &realm.users.plain;
    let builder = Client::builder(stage.service(Place::Long).base_url()).workspace(&realm.workspace);
    let builder = builder.discover(&realm.issuer()).await?;
    let credentials = Credentials::password(&realm.clients.password, &user.name, user.password.as_str());
    let client = builder.clone().credentials(credentials).build()?;
    client.license().await?;
    same("the revocation endpoint is found", &client.log_out().await?.revoked, &true)?;

    let id = &realm.clients.public;
    let login = builder.login(id)?.authorization(REDIRECT)?;
    let address = stage.provider.visit(login.url(), user, Act::Allow).await?;
    let address = address.ok_or("the provider did not send the browser back")?;
    same("who answers (RFC 9207)", &raw::field(&address, "iss")?, &realm.issuer())?;
    let tokens = login.redirected(&address).await?;
    builder.credentials(Credentials::tokens(id, tokens)).build()?.license().await?;
    Ok(())
}
