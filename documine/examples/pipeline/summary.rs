//! The object that `--json` prints.

use std::collections::BTreeMap;
use std::path::PathBuf;

use documine::models::{License, LicenseUsage};
use serde::ser::{Serialize, SerializeMap, Serializer};

/// The summary. Fields may be added in later versions; none will go.
#[derive(Debug, Default, serde::Serialize)]
pub(crate) struct Summary {
    pub(crate) dossier_id: String,
    pub(crate) files: Vec<FileSummary>,
    pub(crate) packages: Vec<PackageSummary>,
    pub(crate) license: LicenseSummary,
    /// Requests to the service, repeated ones counted, logins not.
    pub(crate) requests: u64,
    /// Failed files and packages. Omitted if empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) failed: Vec<FailedSummary>,
}

/// A file that was analysed.
#[derive(Debug, serde::Serialize)]
pub(crate) struct FileSummary {
    pub(crate) file_name: String,
    pub(crate) pages: Option<i64>,
    pub(crate) components: Values,
}

/// The values of each component by its name, in the template's order.
#[derive(Debug, Default)]
pub(crate) struct Values(pub(crate) Vec<(String, Vec<String>)>);

impl Serialize for Values {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, values) in &self.0 {
            map.serialize_entry(name, values)?;
        }
        map.end()
    }
}

/// A package that was fetched.
#[derive(Debug, serde::Serialize)]
pub(crate) struct PackageSummary {
    /// `file`, `files` or `dossier`.
    pub(crate) kind: &'static str,
    pub(crate) path: PathBuf,
    /// The names of what is inside.
    pub(crate) entries: Vec<String>,
    pub(crate) bytes: u64,
}

/// The licence and how much of it is used.
#[derive(Debug, Default, serde::Serialize)]
pub(crate) struct LicenseSummary {
    pub(crate) name: Option<String>,
    pub(crate) licensed_to: Option<String>,
    pub(crate) valid_to: Option<String>,
    pub(crate) licensed_pages: Option<i64>,
    pub(crate) analysed_pages: Option<i64>,
    pub(crate) analysed_files: Option<i64>,
    pub(crate) ocr_pages: Option<i64>,
    pub(crate) months: BTreeMap<String, i64>,
}

impl LicenseSummary {
    pub(crate) fn new(license: License, usage: LicenseUsage) -> Self {
        let months = usage.monthly.into_iter().filter_map(|month| month.month.zip(month.analysed_pages)).collect();
        Self {
            name: license.name,
            licensed_to: license.licensed_to,
            valid_to: license.valid_to.map(|moment| moment.to_string()),
            licensed_pages: usage.licensed_pages.or(license.licensed_pages),
            analysed_pages: usage.analysed_pages,
            analysed_files: usage.analysed_files,
            ocr_pages: usage.ocr_pages,
            months,
        }
    }
}

/// A file or a package that failed.
#[derive(Debug, serde::Serialize)]
pub(crate) struct FailedSummary {
    pub(crate) name: String,
    pub(crate) error: String,
}
