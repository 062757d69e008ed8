//! Error texts that several tests expect.

use std::path::Path;

/// A login with a wrong password.
pub const REJECTED_PASSWORD: &str = "login with a password: the identity provider refused: Invalid user credentials (invalid_grant); \
    log in again or give other credentials";
/// A token path that the identity provider does not know.
pub const UNKNOWN_TOKEN_PATH: &str = "login with a password: the identity provider has no such path (404); \
    check the base URL, the workspace and the token path";
/// A login that the person denied in the browser.
pub const DENIED_LOGIN: &str = "login by browser: the person refused the login";
/// A redirect with the state of another login.
pub const FOREIGN_STATE: &str =
    "login by browser: the response belongs to another login (state mismatch); start the login again";
/// A redirect from another issuer.
pub const FOREIGN_ISSUER: &str = "login by browser: the response comes from another identity provider than expected (iss mismatch); start the login again";
/// A verification page that is not a web URL.
pub const UNSAFE_VERIFICATION_PAGE: &str =
    "login by device code: the identity provider's verification page is not an http or https URL";
/// Pages that link each other in a cycle.
pub const LINK_CYCLE: &str = "getUsers: endless list: the links between the pages form a cycle";
/// A page that is returned again.
pub const REPEATED_PAGE: &str = "getUsers: endless list: the service returned the same page again";
/// Too many empty pages in a row.
pub const EMPTY_PAGES: &str = "getUsers: endless list: 100 consecutive pages are empty";
/// A dossier without a name.
pub const UNNAMED_DOSSIER: &str = "createOrUpdateDossier: the dossier name is empty; set a name";
/// A login page in place of the response, without the operation.
pub const LOGIN_PAGE: &str = "200 OK, but the response is an HTML page, possibly the login page of a proxy";
/// A target in a folder that does not exist.
pub const MISSING_FOLDER: &str = "No such file or directory (os error 2); create the folder first";
/// A target below a file.
pub const NOT_A_FOLDER: &str = "Not a directory (os error 20); choose a writable folder";

/// Returns the error text of a header that the client sets itself.
pub fn reserved_header(name: &str) -> String {
    format!("invalid header {name:?}: set by the client; remove it")
}

/// Returns the error text of an operation that received nothing for 50 s.
pub fn timed_out(operation: &str) -> String {
    format!("{operation}: no data received from the service for 50s")
}

/// Returns the error text of a download that cannot write to a path.
pub fn write_error(path: &Path, reason: &str) -> String {
    format!("downloadPackage: cannot write {}: {reason}", path.display())
}
