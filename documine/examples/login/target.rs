//! The service to log in at: the one in the environment, or a simulator inside this program.

use std::env;

use documine::{
    Client, ClientBuilder,
    auth::{Login, Secret},
};
use documine_sim::Simulator;

use crate::args::Args;
use crate::failure::{Failure, Result};

/// A service, and who logs in there.
pub(crate) struct Target {
    builder: ClientBuilder,
    pub(crate) client_id: String,
    pub(crate) client_secret: Option<Secret>,
    /// For people: where this is, and who is known there.
    pub(crate) hint: Option<String>,
    variables: Variables,
    /// The simulated service runs as long as this is kept.
    _simulator: Option<Simulator>,
}

/// A variable, and what it sets.
type Setting = (&'static str, fn(ClientBuilder, String) -> ClientBuilder);

/// The environment, or what stands in its place.
struct Variables(Option<Vec<(&'static str, String)>>);

impl Variables {
    fn get(&self, name: &str) -> Option<String> {
        let text = match &self.0 {
            Some(given) => given.iter().find(|(given, _)| *given == name).map(|(_, value)| value.clone()),
            None => env::var(name).ok(),
        };
        text.filter(|text| !text.trim().is_empty())
    }

    fn need(&self, name: &str, what: &str) -> Result<String> {
        self.get(name).ok_or_else(|| Failure::usage(format!("{name} is not set or empty; it holds {what}")))
    }
}

impl Target {
    pub(crate) async fn from_environment() -> Result<Self> {
        let real = Variables(None);
        if real.get("DOCUMINE_BASE_URL").is_some() {
            return Self::of(real, None);
        }
        let simulator = Simulator::start()
            .await
            .map_err(|error| Failure::other(format!("the simulator could not be started: {error}")))?;
        Self::of(Variables(Some(simulator.environment())), Some(simulator))
    }

    fn of(variables: Variables, simulator: Option<Simulator>) -> Result<Self> {
        let base = variables.need("DOCUMINE_BASE_URL", "the service's address")?;
        let workspace = variables.need("DOCUMINE_WORKSPACE_ID", "the workspace's id")?;
        let mut builder =
            Client::builder(base).workspace(workspace).app_info("documine-login", env!("CARGO_PKG_VERSION"));
        let paths: [Setting; 3] = [
            ("DOCUMINE_AUTH_PATH", ClientBuilder::auth_path),
            ("DOCUMINE_TOKEN_PATH", ClientBuilder::token_path),
            ("DOCUMINE_DEVICE_PATH", ClientBuilder::device_path),
        ];
        for (name, set) in paths {
            if let Some(path) = variables.get(name) {
                builder = set(builder, path);
            }
        }
        let hint = simulator.as_ref().map(|simulator| {
            format!(
                "A simulated service at {} (set DOCUMINE_BASE_URL for a real one); its user is {:?} with the password {:?}.",
                simulator.base_url(),
                simulator.username(),
                simulator.password()
            )
        });
        Ok(Self {
            builder,
            client_id: variables.need("DOCUMINE_CLIENT_ID", "the client's id at the identity provider")?,
            client_secret: variables.get("DOCUMINE_CLIENT_SECRET").map(Secret::new),
            hint,
            variables,
            _simulator: simulator,
        })
    }

    /// The settings of a client, without credentials.
    pub(crate) fn builder(&self) -> ClientBuilder {
        self.builder.clone()
    }

    /// An interactive login, as requested on the command line.
    pub(crate) fn login(&self, args: &Args) -> Result<Login> {
        let login = self.builder.login(&self.client_id)?;
        let login = self.client_secret.iter().cloned().fold(login, Login::client_secret);
        Ok(args.scope.iter().fold(login, Login::scope))
    }

    pub(crate) fn username(&self) -> Result<String> {
        self.variables.need("DOCUMINE_USERNAME", "the user's name")
    }

    pub(crate) fn password(&self) -> Result<String> {
        self.variables.need("DOCUMINE_PASSWORD", "the user's password")
    }
}
