//! The scenarios at the simulator's own provider.

use std::sync::Arc;

use documine_logins::{Selection, run, simulator::Simulator};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_login_story_holds_at_the_simulator() -> Result<(), documine_logins::Failure> {
    let provider = Arc::new(Simulator::start().await?);
    assert!(run(provider, &Selection::default()).await?, "see the lines above");
    Ok(())
}
