//! The simulator's words beside those of the provider that it is shaped like.

use std::sync::Arc;

use super::Scenario;
use crate::Failure;
use crate::harness::Harness;
use crate::responses::answers;
use crate::simulator::Simulator;

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![
        Scenario::new("responses: the simulator's are identical to Keycloak's", identical_responses)
            .needs(|capabilities| capabilities.is_keycloak),
    ]
}

async fn identical_responses(harness: Arc<Harness>) -> Result<(), Failure> {
    let simulator = Simulator::start().await?;
    let (real, own) = tokio::try_join!(answers(harness.provider.as_ref()), answers(&simulator))?;
    let mut findings: Vec<String> = Vec::new();
    for ((request, real), (_, own)) in real.iter().zip(&own) {
        // Each names its own realm, and both of ours are called the same.
        if real != own {
            findings.push(format!("{request}\n          real {real}\n          own  {own}"));
        }
    }
    match findings.len() {
        0 if real.len() == own.len() => Ok(()),
        count => Err(format!("{count} of {} differ\n        {}", real.len(), findings.join("\n        ")).into()),
    }
}
