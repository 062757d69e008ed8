//! Logs in with the device grant and stores the login for later runs.
//!
//! ```text
//! DOCUMINE_BASE_URL=https://acme.example DOCUMINE_WORKSPACE_ID=acme cargo run --example device_login
//! ```
//!
//! Without these variables the example starts the simulator and confirms the code itself.

use documine::auth::{FileStore, Login};
use documine::{Client, Credentials};
use documine_sim::Simulator;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let simulator =
        if std::env::var_os("DOCUMINE_BASE_URL").is_none() { Some(Simulator::start().await?) } else { None };
    let variable = |name: &str| match &simulator {
        Some(simulator) => simulator.variable(name).unwrap_or_default(),
        None => std::env::var(name).unwrap_or_default(),
    };
    let client_id = variable("DOCUMINE_CLIENT_ID");
    let secret = Some(variable("DOCUMINE_CLIENT_SECRET")).filter(|secret| !secret.is_empty()); // public clients have none
    let builder = Client::builder(variable("DOCUMINE_BASE_URL")).workspace(variable("DOCUMINE_WORKSPACE_ID"));

    let folder = tempfile::tempdir()?;
    let store = FileStore::new(folder.path().join("login.json")); // mode 0600; `KeyringStore` uses the user's keyring
    let login = builder.login(&client_id)?.store(store.clone());
    let login = secret.iter().cloned().fold(login, Login::client_secret);
    login
        .device(|code| {
            println!("Open {} and type {}", code.verification_uri, code.user_code);
            if let Some(simulator) = &simulator {
                simulator.control().provider().approve_device(&code.user_code, simulator.username());
            }
        })
        .await?;

    // A later run needs only these lines: tokens are refreshed and saved as necessary.
    let credentials = secret.into_iter().fold(Credentials::stored(&client_id, store), Credentials::client_secret);
    let client = builder.credentials(credentials).build()?;
    println!("logged in as {:?}", client.identity().await?.account);
    client.log_out().await?;
    Ok(())
}
