//! Work that the service does for us, as something to hold.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde::{Deserialize, Serialize};

use super::engine::Engine;
use super::trouble::WaitError;
use super::wait::{Plan, State, Wait};
use crate::clock::BoxFuture;
use crate::error::{Error, Result};

/// Work that the service does for us: look at it, wait for it, cancel it, or note it down for another process.
#[must_use = "the service works on it; wait for it, or cancel it"]
pub struct Operation<T> {
    plan: Plan<T>,
    workspace: Arc<str>,
    cancel: Arc<dyn Fn() -> BoxFuture<'static, Result<()>> + Send + Sync>,
}

impl<T> Clone for Operation<T> {
    fn clone(&self) -> Self {
        Self { plan: self.plan.clone(), workspace: Arc::clone(&self.workspace), cancel: Arc::clone(&self.cancel) }
    }
}

impl<T: Send + 'static> Operation<T> {
    pub(crate) fn new(
        plan: Plan<T>,
        workspace: &str,
        cancel: Arc<dyn Fn() -> BoxFuture<'static, Result<()>> + Send + Sync>,
    ) -> Self {
        Self { plan, workspace: workspace.into(), cancel }
    }

    /// The service's id of the work, by which it can be found again.
    pub fn id(&self) -> &str {
        &self.plan.id
    }

    /// Looks once. Where the service can't say right now, the work goes on as far as anybody knows: `Working("UNKNOWN")`.
    ///
    /// # Errors
    /// Like [`wait`](Self::wait), but never `DeadlineExceeded`.
    pub async fn poll_once(&self) -> Result<State<T>, WaitError> {
        let seen = Engine::new(self.wait()).look().await?;
        Ok(seen.unwrap_or_else(|| State::Working("UNKNOWN".into())))
    }

    /// Waits until it is finished, 10 minutes at most unless told otherwise.
    pub fn wait(&self) -> Wait<T> {
        Wait::new(self.plan.clone())
    }

    /// Gives it up: the service deletes what it has prepared.
    ///
    /// # Errors
    /// The deletion's [`Error`].
    pub async fn cancel(&self) -> Result<()> {
        (self.cancel)().await?;
        self.plan.known.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// What another process needs to go on with it: [`Client::resume`](crate::Client::resume). It holds no secret, and the other process may use
    /// another login.
    ///
    /// ```
    /// # fn f(operation: documine::Operation<documine::Package>) -> Result<(), Box<dyn std::error::Error>> {
    /// std::fs::write("package.json", serde_json::to_string(&operation.to_ref())?)?;
    /// # Ok(()) }
    /// ```
    pub fn to_ref(&self) -> OperationRef {
        OperationRef {
            version: VERSION,
            kind: PACKAGE.into(),
            workspace: self.workspace.to_string(),
            id: self.plan.id.clone(),
        }
    }
}

impl<T> fmt::Debug for Operation<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Operation").field("what", &self.plan.what).finish_non_exhaustive()
    }
}

/// The form that this version writes.
const VERSION: u32 = 1;
/// The one sort of work that goes on without us.
const PACKAGE: &str = "package";

/// An [`Operation`] as it is noted down, for another process or another day: plain data without a secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperationRef {
    version: u32,
    kind: String,
    workspace: String,
    id: String,
}

impl OperationRef {
    /// The service's id of the work.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The workspace that it belongs to.
    pub fn workspace(&self) -> &str {
        &self.workspace
    }

    /// The id, if this is a package of that workspace.
    pub(crate) fn package_of(&self, workspace: &str) -> Result<&str> {
        if self.version > VERSION {
            return Err(Error::input(format!(
                "the operation was noted down by a newer version of this library (form {}, known is {VERSION}); update the program",
                self.version
            )));
        }
        if self.kind != PACKAGE {
            return Err(Error::input(format!("the operation that was noted down is a {:?}, not a package", self.kind)));
        }
        if self.workspace != workspace {
            return Err(Error::input(format!(
                "the operation belongs to the workspace {:?}, but this client works in {workspace:?}",
                self.workspace
            )));
        }
        Ok(&self.id)
    }
}
