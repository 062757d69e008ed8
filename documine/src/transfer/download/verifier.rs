//! The check that a downloaded file has to pass before it gets its name.

use std::fmt;
use std::fs::File;
use std::future::Future;
use std::sync::Arc;

use crate::clock::BoxFuture;
use crate::error::Result;

type VerifyFn = dyn Fn(File, u64) -> BoxFuture<'static, Result<()>> + Send + Sync;

/// A check of a downloaded file. An error of [`ErrorKind::Integrity`](crate::ErrorKind::Integrity) causes one repeated download.
#[derive(Clone)]
pub(crate) struct Verifier(Arc<VerifyFn>);

impl Verifier {
    /// Creates a verifier from a function that takes the file and its size in bytes.
    pub(crate) fn new<F>(verify: impl Fn(File, u64) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<()>> + Send + 'static,
    {
        Self(Arc::new(move |file, bytes| Box::pin(verify(file, bytes))))
    }

    pub(super) async fn verify(&self, file: File, bytes: u64) -> Result<()> {
        (self.0)(file, bytes).await
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Verifier")
    }
}
