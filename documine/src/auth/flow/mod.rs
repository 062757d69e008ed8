//! The grants of RFC 6749 and RFC 8628, one file each. A flow builds its request, the [endpoint](super::endpoint) sends it.

use crate::error::Error;

pub(super) mod code;
pub(super) mod device;
pub(super) mod log_out;
pub(super) mod password;
pub(super) mod refresh;

/// The person said no (RFC 6749 section 4.1.2.1, RFC 8628 section 3.5).
fn denied() -> Error {
    Error::auth("the person refused the login").login_needed()
}
