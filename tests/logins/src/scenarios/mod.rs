//! The scenarios, one module a flow.

mod code;
mod device;
mod discovery;
mod logout;
mod password;
mod refresh;
mod responses;
mod token;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use crate::harness::Harness;
use crate::{BoxFutureResult, Capabilities};

/// Longer than the longest wait of a scenario on a busy machine.
const LIMIT: Duration = Duration::from_secs(60);

/// One scenario.
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    /// The scenario changes the provider for everybody and runs alone.
    pub(crate) alone: bool,
    pub(crate) limit: Duration,
    /// Selects the providers that can run the scenario.
    pub(crate) fits: fn(&Capabilities) -> bool,
    pub(crate) run: Box<dyn FnOnce(Arc<Harness>) -> BoxFutureResult<'static, ()> + Send>,
}

impl Scenario {
    fn new<F>(name: &'static str, run: impl FnOnce(Arc<Harness>) -> F + Send + 'static) -> Self
    where
        F: Future<Output = Result<(), crate::Failure>> + Send + 'static,
    {
        Self { name, alone: false, limit: LIMIT, fits: |_| true, run: Box::new(|harness| Box::pin(run(harness))) }
    }

    /// Restricts the scenario to providers with a property.
    fn needs(mut self, fits: fn(&Capabilities) -> bool) -> Self {
        self.fits = fits;
        self
    }

    /// Runs the scenario alone.
    fn alone(mut self) -> Self {
        self.alone = true;
        self
    }
}

/// All of them, those with the longest waits first.
pub(crate) fn scenarios() -> Vec<Scenario> {
    [
        device::scenarios(),
        responses::scenarios(),
        token::scenarios(),
        refresh::scenarios(),
        code::scenarios(),
        discovery::scenarios(),
        logout::scenarios(),
        password::scenarios(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
