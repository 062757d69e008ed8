//! Tells the stories: side by side where they don't disturb each other, each within its time limit, one line for each.

use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::stage::Stage;
use crate::stories::{Story, stories};
use crate::{Failure, Provider};

/// Which stories to tell.
#[derive(Clone, Debug, Default)]
pub struct Choice {
    /// Only those whose name holds one of these words; all, if there is none.
    pub only: Vec<String>,
    /// How many at a time; 0: all. They wait more than they work.
    pub at_once: usize,
}

/// Tells the stories at this provider; whether all of them held.
///
/// # Errors
/// The stage could not be set.
pub async fn run(provider: Arc<dyn Provider>, choice: &Choice) -> Result<bool, Failure> {
    let started = Instant::now();
    let name = provider.name();
    let facts = provider.facts();
    let stage = Arc::new(Stage::new(provider).await?);
    let wanted = |story: &Story| choice.only.is_empty() || choice.only.iter().any(|word| story.name.contains(word));
    let (alone, together): (Vec<Story>, Vec<Story>) =
        stories().into_iter().filter(wanted).filter(|story| (story.fits)(&facts)).partition(|story| story.alone);
    let (mut held, mut failed) = (0, 0);
    let mut count = |good: bool| if good { held += 1 } else { failed += 1 };

    let seats = Arc::new(Semaphore::new(if choice.at_once == 0 { Semaphore::MAX_PERMITS } else { choice.at_once }));
    let mut telling = JoinSet::new();
    for story in together {
        let (stage, seats) = (Arc::clone(&stage), Arc::clone(&seats));
        telling.spawn(async move {
            // Closed by nobody.
            let _seat = seats.acquire_owned().await;
            tell(story, stage).await
        });
    }
    while let Some(told) = telling.join_next().await {
        count(told.unwrap_or_else(|error| {
            say(&format!("FAILED a story that can't be told: {error}"));
            false
        }));
    }
    for story in alone {
        count(tell(story, Arc::clone(&stage)).await);
    }
    say(&format!("{name}: {held} stories held, {failed} failed, in {:.1} s", started.elapsed().as_secs_f64()));
    Ok(failed == 0 && held > 0)
}

async fn tell(story: Story, stage: Arc<Stage>) -> bool {
    let started = Instant::now();
    let outcome = tokio::time::timeout(story.limit, (story.tell)(stage))
        .await
        .unwrap_or_else(|_| Err(format!("it did not come to its end within {:?}", story.limit).into()));
    match outcome {
        Ok(()) => {
            say(&format!("ok      {}  {}", story.name, seconds(started.elapsed())));
            true
        }
        Err(why) => {
            say(&format!("FAILED  {}: {why}  {}", story.name, seconds(started.elapsed())));
            false
        }
    }
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

fn say(line: &str) {
    // Nothing can be said any more if standard output is closed.
    let _ = writeln!(std::io::stdout(), "{line}");
}
