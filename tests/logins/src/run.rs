//! Runs the scenarios: concurrently if they do not interfere, each with a time limit, one output line each.

use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::harness::Harness;
use crate::scenarios::{Scenario, scenarios};
use crate::{Failure, Provider};

/// The scenarios to run.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Only those whose name holds one of these words; all, if there is none.
    pub only: Vec<String>,
    /// Number of concurrent scenarios; 0: all. Most of their time is waiting.
    pub at_once: usize,
}

/// Runs the scenarios at this provider. Returns `true` if all passed.
///
/// # Errors
/// The simulated services could not be started.
pub async fn run(provider: Arc<dyn Provider>, selection: &Selection) -> Result<bool, Failure> {
    let started = Instant::now();
    let name = provider.name();
    let capabilities = provider.capabilities();
    let harness = Arc::new(Harness::new(provider).await?);
    let wanted = |scenario: &Scenario| {
        selection.only.is_empty() || selection.only.iter().any(|word| scenario.name.contains(word))
    };
    let (alone, together): (Vec<Scenario>, Vec<Scenario>) = scenarios()
        .into_iter()
        .filter(wanted)
        .filter(|scenario| (scenario.fits)(&capabilities))
        .partition(|scenario| scenario.alone);
    let (mut passed, mut failed) = (0, 0);
    let mut count = |good: bool| if good { passed += 1 } else { failed += 1 };

    let permits =
        Arc::new(Semaphore::new(if selection.at_once == 0 { Semaphore::MAX_PERMITS } else { selection.at_once }));
    let mut running = JoinSet::new();
    for scenario in together {
        let (harness, permits) = (Arc::clone(&harness), Arc::clone(&permits));
        running.spawn(async move {
            // The semaphore is never closed.
            let _permit = permits.acquire_owned().await;
            run_one(scenario, harness).await
        });
    }
    while let Some(outcome) = running.join_next().await {
        count(outcome.unwrap_or_else(|error| {
            print(&format!("FAILED  a scenario panicked: {error}"));
            false
        }));
    }
    for scenario in alone {
        count(run_one(scenario, Arc::clone(&harness)).await);
    }
    print(&format!("{name}: {passed} scenarios passed, {failed} failed, in {:.1} s", started.elapsed().as_secs_f64()));
    Ok(failed == 0 && passed > 0)
}

async fn run_one(scenario: Scenario, harness: Arc<Harness>) -> bool {
    let started = Instant::now();
    let outcome = tokio::time::timeout(scenario.limit, (scenario.run)(harness))
        .await
        .unwrap_or_else(|_| Err(format!("not finished within {:?}", scenario.limit).into()));
    match outcome {
        Ok(()) => {
            print(&format!("ok      {}  {}", scenario.name, seconds(started.elapsed())));
            true
        }
        Err(why) => {
            print(&format!("FAILED  {}: {why}  {}", scenario.name, seconds(started.elapsed())));
            false
        }
    }
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

fn print(line: &str) {
    // Output is lost if standard output is closed.
    let _ = writeln!(std::io::stdout(), "{line}");
}
