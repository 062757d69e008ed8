//! Failures: one line for people, one exit code for programs.

use std::fmt::{self, Display};
use std::path::Path;

use documine::{Error, ErrorKind, wait::WaitError};

use crate::table::plain;

/// The exit codes; `--help` lists them too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Code {
    Other = 1,
    Usage = 2,
    SomeFiles = 3,
    Login = 4,
    Temporary = 5,
    Interrupted = 130,
    #[cfg(unix)]
    Terminated = 143,
}

/// The reason for an early end of the program or of a part of its work.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    line: String,
    code: Code,
}

impl Failure {
    pub(crate) fn new(code: Code, line: impl Into<String>) -> Self {
        Self { line: line.into(), code }
    }

    /// A file or folder of this machine.
    pub(crate) fn local(path: &Path, error: &std::io::Error) -> Self {
        Self::new(
            Code::Other,
            format!("{}: can't be written: {error}; choose another folder with --out", path.display()),
        )
    }

    /// An error of the SDK. Its text states what happened and where; the advice is added here.
    fn sdk(what: impl Display, error: &Error) -> Self {
        let (code, advice) = match error.kind() {
            ErrorKind::Config | ErrorKind::Input => (Code::Usage, ""),
            ErrorKind::Connect => (Code::Temporary, "; check the network and DOCUMINE_BASE_URL, or try again later"),
            _ if error.needs_login() || error.is_unauthorized() => {
                (Code::Login, "; check DOCUMINE_USERNAME and DOCUMINE_PASSWORD (or DOCUMINE_ACCESS_TOKEN)")
            }
            _ if error.is_transient() => (Code::Temporary, "; try again later"),
            ErrorKind::Auth => (Code::Login, ""),
            _ => (Code::Other, ""),
        };
        Self::new(code, format!("{what}: {error:#}{advice}"))
    }

    /// Adds what to do, where the place knows more than the error.
    pub(crate) fn advise(mut self, advice: &str) -> Self {
        let said = self.line.trim_end_matches('.');
        self.line = format!("{said}; {advice}");
        self
    }

    /// Adds advice for requests that the service rejected; other errors are returned unchanged.
    pub(crate) fn advise_on_request(self, advice: &str) -> Self {
        if self.code == Code::Other { self.advise(advice) } else { self }
    }

    pub(crate) fn code(&self) -> Code {
        self.code
    }

    /// Returns `true` if the same failure would affect every further file.
    pub(crate) fn concerns_everything(&self) -> bool {
        self.code == Code::Login
    }
}

/// Always one line.
impl Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&plain(&self.line))
    }
}

/// Names what was being done when an error came: `client.license().await.during("the licence")?`.
pub(crate) trait During<T> {
    fn during(self, what: impl Display) -> Result<T, Failure>;
}

impl<T> During<T> for Result<T, Error> {
    fn during(self, what: impl Display) -> Result<T, Failure> {
        self.map_err(|error| Failure::sdk(what, &error))
    }
}

impl<T> During<T> for Result<T, WaitError> {
    fn during(self, what: impl Display) -> Result<T, Failure> {
        self.map_err(|error| Failure::sdk(what, &error.into()))
    }
}
