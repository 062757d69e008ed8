//! Opening a package of the service, and verifying one while it is saved.

use std::io;
use std::sync::Arc;

use tempfile::TempDir;

use super::contents::PackageArchive;
use super::limits::PackageLimits;
use super::verify::verify;
use crate::client::named_call;
use crate::disk::blocking;
use crate::error::Error;
use crate::resources::downloads::{Package, SavePackage, verify_structure};
use crate::transfer::Progress;
use crate::transfer::download::Verifier;

/// Default limit of a package that is downloaded to be opened: temporary folders are often in memory.
const DEFAULT_MAX_BYTES: u64 = 1 << 30;

/// Parameters of [`OpenPackage`].
pub(crate) struct Opening {
    package: Package,
    limits: PackageLimits,
    max_bytes: u64,
    progress: Option<Arc<dyn Progress>>,
}

impl Package {
    /// Downloads the package into a temporary file and opens the file (`downloadPackage`). Only the current user can read the file, which is
    /// deleted when the [`PackageArchive`] are closed or dropped. A package of more than [1 GiB](OpenPackage::max_bytes) is rejected.
    pub fn open(&self) -> OpenPackage {
        let opening = Opening {
            package: self.clone(),
            limits: PackageLimits::default(),
            max_bytes: DEFAULT_MAX_BYTES,
            progress: None,
        };
        OpenPackage::new(&self.handle.client, opening, |client, opening, options| {
            let Opening { package, limits, max_bytes, progress } = opening;
            Box::pin(async move {
                let label = format!("package {}", package.id());
                let created = blocking(private_temp_dir).await.flatten();
                let folder = created
                    .map_err(|error| Error::file(format!("{label}: cannot create a temporary folder"), error))?;
                let folder = Arc::new(folder);
                let mut save = package.save_to(folder.path().join("package.zip")).max_bytes(max_bytes);
                save.call.params.progress = progress;
                save.call.params.options.temp_dir = Some(Arc::clone(&folder));
                let guard = Arc::clone(&folder);
                save.call.params.options.verifier = Verifier::new(move |file, bytes| {
                    let guard = Arc::clone(&guard);
                    async move { verify_structure(file, bytes, guard).await.map(drop) }
                });
                let contents = match save.call.run()(client, save.call.params, options).await {
                    Ok(saved) => PackageArchive::open_file(saved.path, label, limits, Some(Arc::clone(&folder))).await,
                    Err(error) => Err(error),
                };
                // After a failure this deletes the folder, which takes time for a large package.
                let _ = blocking(move || drop(folder)).await;
                contents
            })
        })
    }
}

named_call! {
    /// Downloads a package into a temporary file and opens it (`downloadPackage`). Created by [`Package::open`].
    ///
    /// ```
    /// # async fn f(package: documine::Package) -> documine::Result<()> {
    /// let archive = package.open().max_bytes(64 << 20).await?;
    /// for entry in archive.originals() {
    ///     println!("{}", entry.name());
    /// }
    /// archive.close().await
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Integrity`](crate::ErrorKind::Integrity) for a package that is too large or fails its verification.
    OpenPackage(Opening) -> PackageArchive
}

impl OpenPackage {
    /// Sets the largest package to download, in bytes. Default: 1 GiB. If the service announces a larger size, the call fails before the first
    /// byte is read, otherwise as soon as the limit is exceeded: [`ErrorKind::Integrity`](crate::ErrorKind). For larger packages, see also
    /// [`Package::save_to`] and [`PackageArchive::open`].
    pub fn max_bytes(mut self, bytes: u64) -> Self {
        self.call.params.max_bytes = bytes;
        self
    }

    /// Sets a callback for the number of downloaded bytes.
    pub fn with_progress(mut self, progress: impl Progress) -> Self {
        self.call.params.progress = Some(Arc::new(progress));
        self
    }

    /// Sets the limits for the content of the package. Default: [`PackageLimits::default`].
    pub fn limits(mut self, limits: PackageLimits) -> Self {
        self.call.params.limits = limits;
        self
    }
}

impl SavePackage {
    /// Verifies the whole package before the file gets its name, as [`PackageArchive::check`] does: names, sizes, checksums. A package that fails the
    /// verification is downloaded once more, then the call fails with [`ErrorKind::Integrity`](crate::ErrorKind), naming the entry. By default
    /// only the length and the end of the file are checked, because reading everything takes about as long as unpacking it.
    ///
    /// ```
    /// # async fn f(package: documine::Package) -> documine::Result<()> {
    /// use documine::package::PackageLimits;
    /// package.save_to("q3.zip").checked(PackageLimits::default()).await?;
    /// # Ok(()) }
    /// ```
    pub fn checked(mut self, limits: PackageLimits) -> Self {
        self.call.params.options.verifier = Verifier::new(move |mut file, bytes| {
            let limits = limits.clone();
            async move {
                file = verify_structure(file, bytes, ()).await?;
                verify(file, limits).await
            }
        });
        self
    }
}

/// Creates a temporary folder that only the current user can read: the parent folder is shared.
fn private_temp_dir() -> io::Result<TempDir> {
    let mut builder = tempfile::Builder::new();
    builder.prefix("documine-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o700));
    }
    builder.tempdir()
}
