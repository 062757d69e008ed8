//! The preparation of a package as a job.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::{DownloadHandle, Package};
use crate::client::{Client, named_call};
use crate::clock::BoxFuture;
use crate::error::{Error, Result};
use crate::models::{DownloadId, DownloadState, DownloadStatus};
use crate::operation::{
    Condition, OpenFiles, PackageJobRef, PollConfig, PollKey, PollOutcome, PollState, Pollable, Wait, WaitContext,
    WaitError, WorkFailure, WorkKind,
};
use crate::transport::{RequestOptions, RetryAfterHint};

impl DownloadHandle {
    /// Returns the preparation of the package as a job, also if another process started it.
    pub fn job(&self) -> PackageJob {
        self.job_after(Duration::ZERO)
    }

    /// Returns the job of a package that some machines of the service may not know yet.
    pub(super) fn job_after(&self, grace: Duration) -> PackageJob {
        let package = |handle: &Self, status| Package::new(handle.clone(), status);
        PackageJob { config: Arc::new(PollConfig::new(self.clone(), Condition::ready(), package).with_grace(grace)) }
    }

    /// Waits until a condition holds for the package and returns its status. Default deadline: 10 minutes.
    pub fn wait_until(&self, condition: impl Into<Condition<DownloadStatus>>) -> Wait<DownloadStatus> {
        Wait::new(PollConfig::new(self.clone(), condition, |_, status| status))
    }
}

impl Pollable for DownloadHandle {
    type Status = DownloadStatus;

    const KIND: WorkKind = WorkKind::Package;
    const DEADLINE: Duration = Duration::from_secs(600);
    /// The list contains all packages of the account, so few waits poll their packages one by one.
    const MIN_SHARED_WAITS: usize = 4;

    fn id(&self) -> String {
        self.id.to_string()
    }

    fn description(&self) -> String {
        format!("package {}", self.id)
    }

    fn waits(&self) -> &WaitContext {
        self.client.waits()
    }

    fn fetch(
        &self,
        options: RequestOptions,
        retry_after: &RetryAfterHint,
    ) -> BoxFuture<'static, Result<DownloadStatus>> {
        self.get().with_options(options).call.for_poll(retry_after).send()
    }

    fn decide(&self, status: DownloadStatus, condition: &Condition<DownloadStatus>) -> PollOutcome<DownloadStatus> {
        if condition.holds(&status) {
            return PollOutcome::Done(status);
        }
        match &status.status {
            Some(DownloadState::Failed) if condition.requires_success() => PollOutcome::Failed(WorkFailure {
                state: DownloadState::Failed.to_string(),
                message: status.error_message.unwrap_or_else(|| "no error message from the service".into()),
                files: Vec::new(),
            }),
            other => {
                let state = other.as_ref().map_or_else(|| "UNKNOWN".into(), ToString::to_string);
                PollOutcome::Pending(state, OpenFiles::default())
            }
        }
    }

    fn is_unfinished(status: &DownloadStatus) -> bool {
        !matches!(status.status, Some(DownloadState::Ready | DownloadState::Failed))
    }

    fn list_key(&self) -> Option<PollKey> {
        Some(PollKey::Packages)
    }

    fn fetch_list(&self, retry_after: &RetryAfterHint) -> BoxFuture<'static, Result<HashMap<String, DownloadStatus>>> {
        let packages = self.client.downloads().list.for_poll(retry_after);
        Box::pin(async move {
            Ok(packages
                .collect()
                .await?
                .into_iter()
                .map(|package| (package.download_id.to_string(), package))
                .collect())
        })
    }
}

/// A package in preparation: poll it, wait for it, cancel it, or save a reference for another process.
#[derive(Clone)]
#[must_use = "the service prepares the package; wait for it or cancel it"]
pub struct PackageJob {
    config: Arc<PollConfig<DownloadHandle, Package>>,
}

impl PackageJob {
    /// Returns the id of the package.
    pub fn id(&self) -> &DownloadId {
        &self.config.handle().id
    }

    /// Polls once, like [`Wait::poll_once`] of [`wait`](Self::wait).
    ///
    /// ```
    /// # async fn f(job: documine::PackageJob) -> documine::Result<()> {
    /// use documine::wait::PollState;
    /// match job.poll_once().await {
    ///     Ok(PollState::Done(package)) => drop(package.save_to("out.zip").await?),
    ///     Ok(state) => println!("{state:?}"),
    ///     Err(error) if error.is_transient() => println!("try again later: {error}"),
    ///     Err(error) => return Err(error.into()),
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As for [`wait`](Self::wait). A temporary error of the poll is an error too:
    /// [`WaitErrorKind::Poll`](crate::wait::WaitErrorKind::Poll), with [`is_transient`](WaitError::is_transient).
    pub fn poll_once(&self) -> BoxFuture<'static, std::result::Result<PollState<Package>, WaitError>> {
        self.wait().poll_once()
    }

    /// Waits until the package is ready. Default deadline: 10 minutes.
    pub fn wait(&self) -> Wait<Package> {
        Wait::new(Arc::clone(&self.config))
    }

    /// Cancels the preparation (`deleteDownload`). The service deletes what it has prepared.
    pub fn cancel(&self) -> CancelPackage {
        let config = Arc::clone(&self.config);
        CancelPackage::new(&self.config.handle().client, config, |client, config, options| {
            Box::pin(async move {
                let id = config.handle().id.clone();
                client.execute(client.requests().delete_download().download_id(id).prepare(), &options).await?;
                config.mark_ended();
                Ok(())
            })
        })
    }

    /// Returns a reference with which another process can continue: [`Client::resume`].
    ///
    /// The reference contains no secret. The other process may use a different login.
    ///
    /// ```
    /// # fn f(job: documine::PackageJob) -> Result<(), Box<dyn std::error::Error>> {
    /// std::fs::write("package.json", serde_json::to_string(&job.to_ref())?)?;
    /// # Ok(()) }
    /// ```
    pub fn to_ref(&self) -> PackageJobRef {
        let handle = self.config.handle();
        PackageJobRef::package(handle.client.workspace(), handle.id.as_str())
    }
}

named_call! {
    /// Cancels the preparation of a package (`deleteDownload`). Created by [`PackageJob::cancel`].
    ///
    /// ```
    /// # async fn f(job: documine::PackageJob) -> documine::Result<()> {
    /// job.cancel().await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`is_not_found`](crate::Error::is_not_found) if there is no such package.
    CancelPackage(Arc<PollConfig<DownloadHandle, Package>>) -> ()
}

impl fmt::Debug for PackageJob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PackageJob").field("id", self.id()).finish_non_exhaustive()
    }
}

impl Client {
    /// Resumes a package job from a reference of [`PackageJob::to_ref`], created in this process or another one.
    ///
    /// ```
    /// # async fn f(client: documine::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// let reference: documine::wait::PackageJobRef = serde_json::from_str(&std::fs::read_to_string("package.json")?)?;
    /// client.resume(&reference)?.wait().await?.save_to("out.zip").await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// The reference belongs to another workspace, is not to a package, or has a newer format version. No request is sent.
    pub fn resume(&self, reference: &PackageJobRef) -> Result<PackageJob> {
        let id = reference.package_of(self.workspace())?;
        let id = DownloadId::new(id).map_err(|error| Error::input(error.to_string()))?;
        Ok(self.download(id).job())
    }
}
