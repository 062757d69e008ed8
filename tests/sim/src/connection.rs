//! A connection for examples and demonstrations: the service of the environment, or a simulator.

use std::env;
use std::fmt;

use documine::{Client, ClientBuilder, DossierTemplateHandle, Error, ErrorKind};

use crate::simulator::Simulator;

/// A client with a dossier template. A simulator runs as long as this value exists, if the environment names no service.
pub struct Connection {
    /// The client of the service.
    pub client: Client,
    template: DossierTemplateHandle,
    simulator: Option<Simulator>,
}

/// Connects to the service of the `DOCUMINE_*` variables, or starts a simulator if `DOCUMINE_BASE_URL` is not set.
///
/// The dossier template is that of `DOCUMINE_DOSSIER_TEMPLATE_ID`. Default: the first active one in the list of the service.
///
/// ```
/// # async fn run() -> documine::Result<()> {
/// let service = documine_sim::connect().await?;
/// println!("{}", service.template().get().await?.id);
/// # Ok(())
/// # }
/// # tokio::runtime::Runtime::new().unwrap().block_on(run()).unwrap();
/// ```
///
/// # Errors
/// A variable is missing or invalid, the simulator cannot start, or the workspace has no active template.
pub async fn connect() -> documine::Result<Connection> {
    let config = |text: String| Error::builder(ErrorKind::Config).message(text).build();
    match env::var("DOCUMINE_BASE_URL") {
        Err(env::VarError::NotPresent) => {
            let simulator = Simulator::start().await.map_err(|error| config(format!("the simulator: {error}")))?;
            let client = ClientBuilder::from_variables(|name| simulator.variable(name))?.build()?;
            let template = client.dossier_template(simulator.dossier_template_id());
            Ok(Connection { client, template, simulator: Some(simulator) })
        }
        Ok(url) if url.trim().is_empty() => Err(config(
            "DOCUMINE_BASE_URL is empty; set the address of the service, or unset it to use the simulator".to_owned(),
        )),
        _ => {
            let client = ClientBuilder::from_env()?.build()?;
            let id = match env::var("DOCUMINE_DOSSIER_TEMPLATE_ID").ok().filter(|id| !id.trim().is_empty()) {
                Some(id) => id.trim().parse().map_err(|error| {
                    config(format!("DOCUMINE_DOSSIER_TEMPLATE_ID: {error}; set the id of a dossier template"))
                })?,
                None => first_active(&client).await?,
            };
            Ok(Connection { template: client.dossier_template(id), client, simulator: None })
        }
    }
}

async fn first_active(client: &Client) -> documine::Result<documine::DossierTemplateId> {
    let active = Some(documine::models::DossierTemplateStatus::Active);
    let templates = client.dossier_templates().await?;
    templates.into_iter().find(|template| template.status == active).map(|template| template.id).ok_or_else(|| {
        let text = "the workspace has no active dossier template; activate one, or set DOCUMINE_DOSSIER_TEMPLATE_ID";
        Error::builder(ErrorKind::Config).message(text).build()
    })
}

impl Connection {
    /// Returns the dossier template.
    pub fn template(&self) -> &DossierTemplateHandle {
        &self.template
    }

    /// Returns the simulator; `None` for a real service.
    pub fn simulator(&self) -> Option<&Simulator> {
        self.simulator.as_ref()
    }

    /// Returns a variable of the connection's environment: that of the process, or that of the simulator.
    pub fn variable(&self, name: &str) -> Option<String> {
        match &self.simulator {
            Some(simulator) => simulator.variable(name),
            None => env::var(name).ok(),
        }
    }

    /// Returns one line about the service, for people.
    pub fn description(&self) -> String {
        let kind = if self.simulator.is_some() { "a simulated service" } else { "the service" };
        format!("{kind} at {}, workspace {}", self.client.base_url(), self.client.workspace())
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("client", &self.client).finish_non_exhaustive()
    }
}
