//! The simulator's words beside those of the provider that it is shaped like.

use std::sync::Arc;

use super::Story;
use crate::Failure;
use crate::answers::answers;
use crate::simulator::Simulator;
use crate::stage::Stage;

pub(super) fn stories() -> Vec<Story> {
    vec![Story::new("answers: the simulator's are word for word the same", same_words).needs(|facts| facts.is_keycloak)]
}

async fn same_words(stage: Arc<Stage>) -> Result<(), Failure> {
    let simulator = Simulator::start().await?;
    let (real, own) = tokio::try_join!(answers(stage.provider.as_ref()), answers(&simulator))?;
    let mut findings: Vec<String> = Vec::new();
    for ((asked, real), (_, own)) in real.iter().zip(&own) {
        // Each names its own realm, and both of ours are called the same.
        if real != own {
            findings.push(format!("{asked}\n          real {real}\n          own  {own}"));
        }
    }
    match findings.len() {
        0 if real.len() == own.len() => Ok(()),
        count => Err(format!("{count} of {} differ\n        {}", real.len(), findings.join("\n        ")).into()),
    }
}
