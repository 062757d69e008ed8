//! The grants of RFC 6749 and RFC 8628, one file each. A flow builds its request, the [endpoint](super::endpoint) sends it.

pub(super) mod code;
pub(super) mod device;
pub(super) mod password;
pub(super) mod refresh;
