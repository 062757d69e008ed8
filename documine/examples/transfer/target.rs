//! The service to use: the one in the environment, or a simulator inside this program.

use std::env;

use documine::{
    Client, ClientBuilder, DossierHandle, DossierTemplateHandle, DossierTemplateId,
    models::{DossierId, DossierTemplateStatus},
};
use documine_sim::Simulator;

use crate::failure::{Failure, Result};

/// A service, ready to be used.
pub(crate) struct Target {
    pub(crate) client: Client,
    template: Option<String>,
    /// The simulated service runs as long as this is kept.
    _simulator: Option<Simulator>,
}

impl Target {
    pub(crate) async fn from_environment() -> Result<Self> {
        let app = |builder: ClientBuilder| builder.app_info("documine-transfer", env!("CARGO_PKG_VERSION")).build();
        let text = |name: &str| env::var(name).ok().filter(|text| !text.trim().is_empty());
        if text("DOCUMINE_BASE_URL").is_some() {
            let client = app(ClientBuilder::from_env()?)?;
            return Ok(Self { client, template: text("DOCUMINE_DOSSIER_TEMPLATE_ID"), _simulator: None });
        }
        let simulator = Simulator::start()
            .await
            .map_err(|error| Failure::other(format!("the simulator could not be started: {error}")))?;
        let given = simulator.environment();
        let lookup = |name: &str| given.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone());
        let client = app(ClientBuilder::from_variables(lookup)?)?;
        Ok(Self { client, template: None, _simulator: Some(simulator) })
    }

    /// The template that the environment names, or the first active one.
    pub(crate) async fn template(&self) -> Result<DossierTemplateHandle> {
        let id = if let Some(id) = &self.template {
            id.parse::<DossierTemplateId>().map_err(|error| Failure::usage(error.to_string()))?
        } else {
            let templates = self.client.dossier_templates().await?;
            let mut active =
                templates.into_iter().filter(|template| template.status == Some(DossierTemplateStatus::Active));
            active.next().ok_or_else(|| Failure::other("the workspace has no active dossier template"))?.id
        };
        Ok(self.client.dossier_template(id))
    }

    pub(crate) async fn dossier(&self, id: &str) -> Result<DossierHandle> {
        let id = id.parse::<DossierId>().map_err(|error| Failure::usage(error.to_string()))?;
        Ok(self.template().await?.dossier(id))
    }
}
