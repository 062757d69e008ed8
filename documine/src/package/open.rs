//! Opening a package of the service, and verifying one while it is saved.

use std::io;
use std::sync::Arc;

use tempfile::TempDir;

use super::contents::Contents;
use super::limits::PackageLimits;
use super::verify::verify;
use crate::client::Call;
use crate::disk::blocking;
use crate::error::Error;
use crate::resources::downloads::{Package, Saving, verify_structure};
use crate::transfer::Saved;
use crate::transfer::download::Verifier;

/// Default limit of a package that is downloaded to be opened: temporary folders are often in memory.
const DEFAULT_MAX_BYTES: u64 = 1 << 30;

/// Parameters of [`Package::open`].
#[derive(Debug, Clone)]
pub struct OpenOptions {
    package: Package,
    limits: PackageLimits,
    max_bytes: u64,
}

impl Package {
    /// Downloads the package into a temporary file and opens the file (`downloadPackage`). Only the current user can read the file, which is
    /// deleted when the [`Contents`] are closed or dropped. A package of more than [1 GiB](Call::max_bytes) is rejected.
    pub fn open(&self) -> Call<OpenOptions, Contents> {
        let options =
            OpenOptions { package: self.clone(), limits: PackageLimits::default(), max_bytes: DEFAULT_MAX_BYTES };
        Call::new(&self.handle.client, options, |client, OpenOptions { package, limits, max_bytes }, options| {
            Box::pin(async move {
                let label = format!("package {}", package.id());
                let created = blocking(private_temp_dir).await.flatten();
                let folder = created
                    .map_err(|error| Error::file(format!("{label}: cannot create a temporary folder"), error))?;
                let folder = Arc::new(folder);
                let mut save = package.save_to(folder.path().join("package.zip")).max_bytes(max_bytes);
                save.params.options.temp_dir = Some(Arc::clone(&folder));
                let guard = Arc::clone(&folder);
                save.params.options.verifier = Verifier::new(move |file, bytes| {
                    let guard = Arc::clone(&guard);
                    async move { verify_structure(file, bytes, guard).await.map(drop) }
                });
                let contents = match save.run()(client, save.params, options).await {
                    Ok(saved) => Contents::open_file(saved.path, label, limits, Some(Arc::clone(&folder))).await,
                    Err(error) => Err(error),
                };
                // After a failure this deletes the folder, which takes time for a large package.
                let _ = blocking(move || drop(folder)).await;
                contents
            })
        })
    }
}

impl Call<OpenOptions, Contents> {
    /// Sets the largest package to download, in bytes. Default: 1 GiB. If the service announces a larger size, the call fails before the first
    /// byte is read, otherwise as soon as the limit is exceeded: [`ErrorKind::Integrity`](crate::ErrorKind). For larger packages, see also
    /// [`Package::save_to`] and [`Contents::open`].
    pub fn max_bytes(mut self, bytes: u64) -> Self {
        self.params.max_bytes = bytes;
        self
    }

    /// Sets the limits for the content of the package. Default: [`PackageLimits::default`].
    pub fn limits(mut self, limits: PackageLimits) -> Self {
        self.params.limits = limits;
        self
    }
}

impl Call<Saving, Saved> {
    /// Verifies the whole package before the file gets its name, as [`Contents::check`] does: names, sizes, checksums. A package that fails the
    /// verification is downloaded once more, then the call fails with [`ErrorKind::Integrity`](crate::ErrorKind), naming the entry. By default
    /// only the length and the end of the file are checked, because reading everything takes about as long as unpacking it.
    ///
    /// ```
    /// # async fn f(package: documine::Package) -> documine::Result<()> {
    /// use documine::PackageLimits;
    /// package.save_to("q3.zip").checked(PackageLimits::default()).await?;
    /// # Ok(()) }
    /// ```
    pub fn checked(mut self, limits: PackageLimits) -> Self {
        self.params.options.verifier = Verifier::new(move |mut file, bytes| {
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
