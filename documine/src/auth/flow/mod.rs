//! The grants of RFC 6749, one file each. A flow builds its request, the [endpoint](super::endpoint) sends it.

pub(super) mod password;
pub(super) mod refresh;
