//! A handle to long-running work of the service.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde::{Deserialize, Serialize};

use super::error::WaitError;
use super::pollable::Pollable;
use super::poller::{PollConfig, State};
use super::wait::{PollTarget, Wait, WaitTarget};
use crate::clock::BoxFuture;
use crate::error::{Error, Result};

/// Long-running work of the service: poll it, wait for it, cancel it, or save a reference for another process.
#[must_use = "the service has started the work; wait for it or cancel it"]
pub struct Operation<T> {
    target: Arc<dyn WaitTarget<T>>,
    id: Arc<str>,
    workspace: Arc<str>,
    cancel: Arc<dyn Fn() -> BoxFuture<'static, Result<()>> + Send + Sync>,
}

impl<T> Clone for Operation<T> {
    fn clone(&self) -> Self {
        Self {
            target: Arc::clone(&self.target),
            id: Arc::clone(&self.id),
            workspace: Arc::clone(&self.workspace),
            cancel: Arc::clone(&self.cancel),
        }
    }
}

impl<T: Send + 'static> Operation<T> {
    pub(crate) fn new<P: Pollable>(
        config: PollConfig<P>,
        output: fn(&P, P::Status) -> T,
        workspace: &str,
        cancel: fn(&P) -> BoxFuture<'static, Result<()>>,
    ) -> Self {
        let config = Arc::new(config);
        Self {
            id: config.handle.id().into(),
            target: Arc::new(PollTarget { config: Arc::clone(&config), output }),
            workspace: workspace.into(),
            cancel: Arc::new(move || {
                let config = Arc::clone(&config);
                Box::pin(async move {
                    cancel(&config.handle).await?;
                    config.is_known.store(true, Ordering::Relaxed);
                    Ok(())
                })
            }),
        }
    }

    /// Returns the service's id of the work.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Polls once. After a temporary error the state is `Working("UNKNOWN")`.
    ///
    /// # Errors
    /// As for [`wait`](Self::wait), except [`WaitErrorKind::DeadlineExceeded`](crate::WaitErrorKind::DeadlineExceeded).
    pub async fn poll_once(&self) -> Result<State<T>, WaitError> {
        let state = self.target.poll_once().await?;
        Ok(state.unwrap_or_else(|| State::Working("UNKNOWN".into())))
    }

    /// Waits for the end of the work. Default deadline: 10 minutes.
    pub fn wait(&self) -> Wait<T> {
        Wait::on(Arc::clone(&self.target))
    }

    /// Cancels the work. The service deletes what it has prepared.
    ///
    /// # Errors
    /// The [`Error`] of the deletion.
    pub async fn cancel(&self) -> Result<()> {
        (self.cancel)().await
    }

    /// Returns a reference with which another process can continue: [`Client::resume`](crate::Client::resume).
    ///
    /// The reference contains no secret. The other process may use a different login.
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
            id: self.id.to_string(),
        }
    }
}

impl<T> fmt::Debug for Operation<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Operation").field("target", &self.target.description()).finish_non_exhaustive()
    }
}

/// The format version of references that this build writes.
const VERSION: u32 = 1;
/// The only kind of operation.
const PACKAGE: &str = "package";

/// A serializable reference to an [`Operation`], for another process. It contains no secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperationRef {
    version: u32,
    kind: String,
    workspace: String,
    id: String,
}

impl OperationRef {
    /// Returns the service's id of the work.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns the workspace of the work.
    pub fn workspace(&self) -> &str {
        &self.workspace
    }

    /// Returns the id if the reference is to a package of `workspace`.
    pub(crate) fn package_of(&self, workspace: &str) -> Result<&str> {
        if self.version > VERSION {
            return Err(Error::input(format!(
                "the operation reference has format version {}, but this build supports versions up to {VERSION}; update the program",
                self.version
            )));
        }
        if self.kind != PACKAGE {
            return Err(Error::input(format!("the operation reference is to a {:?}, not to a package", self.kind)));
        }
        if self.workspace != workspace {
            return Err(Error::input(format!(
                "the operation belongs to workspace {:?}, but this client uses workspace {workspace:?}",
                self.workspace
            )));
        }
        Ok(&self.id)
    }
}
