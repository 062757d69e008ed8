//! The service to use: the one in the environment, or a simulator inside this program.

use std::env;

use documine::{Client, ClientBuilder, DossierTemplateId};
use documine_sim::Simulator;

use crate::failure::{Code, During, Failure};

/// A service, ready to be used.
pub(crate) struct Target {
    pub(crate) client: Client,
    /// The template to use. Default: the first active one.
    pub(crate) template: Option<DossierTemplateId>,
    /// For people: where this is.
    pub(crate) description: String,
    /// The simulated service runs as long as this is kept.
    _simulator: Option<Simulator>,
}

impl Target {
    /// The service at `DOCUMINE_BASE_URL`; without that variable a simulated one, which is started here.
    pub(crate) async fn from_environment() -> Result<Self, Failure> {
        match env::var("DOCUMINE_BASE_URL") {
            Ok(url) if url.trim().is_empty() => Err(Failure::new(
                Code::Usage,
                "DOCUMINE_BASE_URL is empty; give the service's address, or unset it to use the built-in simulator",
            )),
            Err(env::VarError::NotPresent) => Self::simulator().await,
            Ok(_) | Err(env::VarError::NotUnicode(_)) => Self::service(),
        }
    }

    /// A real service needs nothing but the `DOCUMINE_` variables.
    fn service() -> Result<Self, Failure> {
        let client = build(ClientBuilder::from_env())?;
        let template = match env::var("DOCUMINE_DOSSIER_TEMPLATE_ID") {
            Ok(id) if !id.trim().is_empty() => Some(DossierTemplateId::new(id.trim()).map_err(|error| {
                Failure::new(
                    Code::Usage,
                    format!("DOCUMINE_DOSSIER_TEMPLATE_ID: {error}; give the id of a dossier template"),
                )
            })?),
            _ => None,
        };
        let description = format!("{}, workspace {}", client.base_url(), client.workspace());
        Ok(Self { client, template, description, _simulator: None })
    }

    /// The simulator gives the same variables that a real service would be set up with.
    async fn simulator() -> Result<Self, Failure> {
        let simulator = Simulator::start()
            .await
            .map_err(|error| Failure::new(Code::Other, format!("the simulator could not be started: {error}")))?;
        let environment = simulator.environment();
        let client = build(ClientBuilder::from_variables(|name| {
            environment.iter().find(|(given, _)| *given == name).map(|(_, value)| value.clone())
        }))?;
        let description =
            format!("a simulated service at {} (set DOCUMINE_BASE_URL for a real one)", client.base_url());
        Ok(Self { client, template: None, description, _simulator: Some(simulator) })
    }
}

/// Nothing is sent here: the client logs in by itself before its first request.
fn build(settings: documine::Result<ClientBuilder>) -> Result<Client, Failure> {
    settings
        .and_then(|builder| builder.app_info("documine-pipeline", env!("CARGO_PKG_VERSION")).build())
        .during("settings")
}

/// Variables that are set but have no effect, because the one that matters is not.
pub(crate) fn ignored_variables() -> Vec<String> {
    if env::var_os("DOCUMINE_BASE_URL").is_some() {
        return Vec::new();
    }
    let mut names: Vec<_> = env::vars_os()
        .filter_map(|(name, _)| name.into_string().ok())
        .filter(|name| name.starts_with("DOCUMINE_"))
        .collect();
    names.sort();
    names
}
