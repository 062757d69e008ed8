//! The stories, one module a flow.

mod answers;
mod code;
mod device;
mod discovery;
mod logout;
mod password;
mod refresh;
mod token;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use crate::stage::Stage;
use crate::{Facts, Later};

/// Longer than the longest wait of a story on a busy machine.
const LIMIT: Duration = Duration::from_secs(60);

/// One story.
pub(crate) struct Story {
    pub(crate) name: &'static str,
    /// Whether it changes the provider for everybody.
    pub(crate) alone: bool,
    pub(crate) limit: Duration,
    /// Whether it can be told at such a provider.
    pub(crate) fits: fn(&Facts) -> bool,
    pub(crate) tell: Box<dyn FnOnce(Arc<Stage>) -> Later<'static, ()> + Send>,
}

impl Story {
    fn new<F>(name: &'static str, tell: impl FnOnce(Arc<Stage>) -> F + Send + 'static) -> Self
    where
        F: Future<Output = Result<(), crate::Failure>> + Send + 'static,
    {
        Self { name, alone: false, limit: LIMIT, fits: |_| true, tell: Box::new(|stage| Box::pin(tell(stage))) }
    }

    /// Told only where this is so.
    fn needs(mut self, fits: fn(&Facts) -> bool) -> Self {
        self.fits = fits;
        self
    }

    /// Told when no other is.
    fn alone(mut self) -> Self {
        self.alone = true;
        self
    }
}

/// All of them, those with the longest waits first.
pub(crate) fn stories() -> Vec<Story> {
    [
        device::stories(),
        answers::stories(),
        token::stories(),
        refresh::stories(),
        code::stories(),
        discovery::stories(),
        logout::stories(),
        password::stories(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
