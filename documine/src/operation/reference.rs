//! A serializable reference to a package in preparation.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// The format version of references that this build writes.
const VERSION: u32 = 1;
/// The only kind of work with a reference.
const PACKAGE: &str = "package";

/// A serializable reference to a [`PackageJob`](crate::PackageJob), for another process. It contains no secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackageJobRef {
    version: u32,
    kind: String,
    workspace: String,
    id: String,
}

impl PackageJobRef {
    pub(crate) fn package(workspace: &str, id: &str) -> Self {
        Self { version: VERSION, kind: PACKAGE.into(), workspace: workspace.to_owned(), id: id.to_owned() }
    }

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
