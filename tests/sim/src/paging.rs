//! Paging of lists. The paging of the real service is not documented, so the simulator supports the common ways.

use std::fmt;
use std::str::FromStr;

/// The paging of list operations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Paging {
    /// The whole list in one response, as the published part of the API shows it.
    #[default]
    None,
    /// `?page=0&size=20`, counted from 0. The response has `page`, `size`, `totalElements` and `totalPages` beside the list.
    Page,
    /// A `Link` header with `rel="next"` (RFC 8288) points to the next page. `?size=20` sets the page size.
    Link,
}

impl FromStr for Paging {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "none" => Ok(Self::None),
            "page" => Ok(Self::Page),
            "link" => Ok(Self::Link),
            other => Err(format!("unknown paging `{other}`; use none, page or link")),
        }
    }
}

impl fmt::Display for Paging {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "none",
            Self::Page => "page",
            Self::Link => "link",
        })
    }
}
