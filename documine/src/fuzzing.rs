//! Entry points of the fuzz targets in `tests/fuzz`, which are built with `--cfg fuzzing`.
//!
//! Each entry point takes any bytes and panics if a property fails that must hold for any input of a service, a file or a person. The tests below
//! use the same entry points.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "a failed property must end the run"
)]

pub use crate::list::fuzzing::{continuation, link, list};
#[cfg(feature = "package")]
pub use crate::package::fuzzing::archive;
pub use crate::transfer::download::fuzzing::{content_range, file_name, sidecar};

use crate::auth::StoredLogin;
use crate::error::assert_one_line;
use crate::extract::{Money, NamedValues, with};
use crate::models::DownloadId;
use crate::operation::PackageJobRef;

/// A stored login is read back as written, or refused in one line without secrets.
pub fn login(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    match StoredLogin::from_json(text) {
        Ok(login) => {
            let written = login.to_json();
            assert_eq!(StoredLogin::from_json(written.expose()).unwrap(), login);
            // One-letter secrets occur in any text.
            let token = login.tokens().access_token().expose();
            assert!(token.len() < 16 || !format!("{login:?}").contains(token));
        }
        Err(error) => assert_one_line(&error),
    }
}

/// A saved operation yields its id if it is a package of the workspace, otherwise an error of one line.
pub fn operation(input: &[u8]) {
    let Ok(noted) = serde_json::from_slice::<PackageJobRef>(input) else { return };
    let written = serde_json::to_string(&noted).unwrap();
    assert_eq!(serde_json::from_str::<PackageJobRef>(&written).unwrap(), noted);
    match noted.package_of("acme") {
        Ok(id) => {
            assert_eq!((noted.workspace(), noted.id()), ("acme", id));
            if let Ok(id) = DownloadId::new(id) {
                assert!(!matches!(id.as_str(), "." | "..") && !id.as_str().contains('\\'));
            }
        }
        Err(error) => assert_one_line(&error),
    }
}

/// A value read as money or date is read back as the same value, or refused in one line.
pub fn value(input: &[u8]) {
    #[derive(serde::Deserialize)]
    struct Amount {
        value: Money,
    }
    #[derive(serde::Deserialize)]
    struct Day {
        #[serde(deserialize_with = "with::date_day_first")]
        value: String,
    }
    fn read<T: serde::de::DeserializeOwned>(text: &str) -> Option<T> {
        let texts = [text.to_owned()];
        let read = NamedValues::new([("value", &texts[..])]).extract();
        read.map_err(|error| assert!(!error.to_string().contains(char::is_control), "{error:?}")).ok()
    }

    let Ok(text) = std::str::from_utf8(input) else { return };
    if let Some(Amount { value }) = read(text) {
        let again: Money = serde_json::from_value(serde_json::to_value(&value).unwrap()).unwrap();
        assert_eq!(again, value, "{text:?}");
    }
    if let Some(Day { value }) = read(text).filter(|_| !text.trim().is_empty()) {
        assert_eq!(value.len(), 10, "{text:?} became {value:?}");
        assert_eq!(read::<Day>(&value).map(|day| day.value), Some(value), "{text:?}");
    }
}

#[cfg(test)]
mod properties;
