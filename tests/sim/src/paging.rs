//! How lists are handed out. Nobody outside knows how the real service pages, so the simulator can do all of the usual ways.

use std::fmt;
use std::str::FromStr;

/// How list operations page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Paging {
    /// The whole list in one answer, as the published part of the API shows it.
    #[default]
    None,
    /// `?page=0&size=20`, counted from 0; the answer has `page`, `size`, `totalElements` and `totalPages` beside the list.
    Page,
    /// A `Link` header with `rel="next"` (RFC 8288) leads to the rest; `?size=20` chooses the length of a page.
    Link,
}

impl FromStr for Paging {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "none" => Ok(Self::None),
            "page" => Ok(Self::Page),
            "link" => Ok(Self::Link),
            other => Err(format!("`{other}` is no way of paging; use none, page or link")),
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
