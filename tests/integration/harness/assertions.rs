//! Assertions on errors.

use documine::{Credentials, Error, ErrorKind};

/// Secrets that no error may show.
pub const SECRETS: [&str; 3] = ["pa55-w0rd", "cl1ent-s3cret", "t0ken-t3xt"];

/// Returns password credentials with two of the secrets.
pub fn credentials() -> Credentials {
    Credentials::password("client", "robot", SECRETS[0]).client_secret(SECRETS[1])
}

/// Asserts the error's kind and its single line with all sources, and that no secret is shown.
pub fn assert_error(error: &Error, kind: ErrorKind, line: &str) {
    assert_eq!(format!("{error:#}"), line);
    assert!(!error.to_string().contains('\n'));
    assert_eq!(error.kind(), kind, "{line}");
    assert!(!line.contains('\n'));
    let all = format!("{error} {error:#} {error:?}");
    for secret in SECRETS {
        assert!(!all.contains(secret), "{all}");
    }
}
