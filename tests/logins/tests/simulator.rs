//! The stories at the simulator's own provider: what must hold there must hold at the real ones, and the other way round.

use std::sync::Arc;

use documine_logins::{Choice, run, simulator::Simulator};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_login_story_holds_at_the_simulator() -> Result<(), documine_logins::Failure> {
    let provider = Arc::new(Simulator::start().await?);
    assert!(run(provider, &Choice::default()).await?, "the lines above say which did not");
    Ok(())
}
