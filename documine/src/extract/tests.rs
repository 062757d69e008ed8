//! Types that can be extracted, and the errors of components that do not fit.
#![allow(clippy::unwrap_used)]

mod check;
mod describe;
mod errors;
mod flatten;
#[cfg(feature = "schemars")]
mod map;
mod numbers;
mod sourced;
mod types;

use serde::de::DeserializeOwned;

use super::{ExtractError, NamedValues};

/// The components of a file, as written in tests.
struct Given(Vec<(&'static str, Vec<String>)>);

fn given(components: &[(&'static str, &[&str])]) -> Given {
    Given(components.iter().map(|(name, values)| (*name, values.iter().map(ToString::to_string).collect())).collect())
}

impl Given {
    fn components(&self) -> NamedValues<'_> {
        NamedValues::new(self.0.iter().map(|(name, values)| (*name, values.as_slice())))
            .of_file(Some("report.pdf"), Some("f-1"))
    }

    fn read<T: DeserializeOwned>(&self) -> Result<T, ExtractError> {
        self.components().extract()
    }
}
