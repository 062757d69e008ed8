//! The causes of an error.

use std::error::Error as StdError;
use std::fmt;

use super::Error;
use crate::text::printable;

/// A cause that is kept as text, for example because its own type would show a URL.
#[derive(Debug)]
pub(crate) struct TextCause(String);

impl TextCause {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(printable(&text.into()))
    }
}

impl fmt::Display for TextCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl StdError for TextCause {}

impl Error {
    /// Finds the more specific error of this type that this error was made from, or a cause among the [sources](StdError::source): a [`WaitError`](crate::wait::WaitError), an
    /// [`ExtractError`](crate::extract::ExtractError), or the `std::io::Error` of a file or connection.
    ///
    /// ```
    /// # fn f(error: &documine::Error) {
    /// if let Some(extract) = error.detail::<documine::extract::ExtractError>() {
    ///     println!("{:?}", extract.component());
    /// }
    /// # }
    /// ```
    pub fn detail<T: StdError + 'static>(&self) -> Option<&T> {
        let own = self.0.detail.as_deref().and_then(|detail| (detail as &(dyn StdError + 'static)).downcast_ref());
        own.or_else(|| self.sources().find_map(|source| source.downcast_ref()))
    }

    /// Returns the chain of sources, outermost first.
    pub(super) fn sources(&self) -> impl Iterator<Item = &(dyn StdError + 'static)> {
        std::iter::successors(self.source(), |error: &&(dyn StdError + 'static)| (*error).source())
    }

    /// Finds an error of this crate in another error's chain of sources, for example in that of [`Client::raw`](crate::Client::raw).
    pub fn find<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a Self> {
        let mut next = Some(error);
        while let Some(current) = next {
            // `io::Error` does not return the error it was made from as its source.
            let inner = current.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
            let inner = inner.and_then(|error| error.downcast_ref::<Self>());
            if let Some(found) = inner.or_else(|| current.downcast_ref::<Self>()) {
                return Some(found);
            }
            next = current.source();
        }
        None
    }
}

impl StdError for Error {
    /// Returns the cause, if it says more than the message; see [Sources](Error#sources).
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        let own = self.0.source.as_deref().map(|source| source as &(dyn StdError + 'static));
        own.or_else(|| self.0.detail.as_deref()?.source())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn message_of_a_detail_is_whole_and_not_repeated() {
        let detail = TextCause::new("timed out after 9s waiting for file f; last state: NEW");
        let error = Error::new(ErrorKind::Timeout, detail.to_string()).with_detail(detail);
        assert_eq!(error.to_string(), "timed out after 9s waiting for file f; last state: NEW");
        assert_eq!(format!("{error:#}"), error.to_string());
        assert!(error.source().is_none() && error.detail::<TextCause>().is_some());
    }

    #[test]
    fn finds_an_error_in_a_chain() {
        let inner = Error::input("no such file");
        let outer = std::io::Error::other(inner);
        assert_eq!(Error::find(&outer).map(Error::kind), Some(ErrorKind::Input));
    }
}
