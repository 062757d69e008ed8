//! The client: cheap to clone, safe to share. Each operation stands in the file of its API tag under `resources/`.
//!
//! ```text
//! profile       a builder from a file of profiles          profile.rs, profile/
//! env           a builder from DOCUMINE_* variables        env.rs
//! build         checks the settings, builds the client     build.rs, login_defaults.rs
//! builder       the settings                               builder.rs
//! request       any request                                request.rs
//! call          one call before it is sent                 call.rs
//! identity      the account in use, log-out                identity.rs
//! handle        Client and its state                       handle.rs, decode.rs
//! ```

mod build;
mod builder;
mod call;
mod decode;
mod env;
mod handle;
mod identity;
mod login_defaults;
mod profile;
mod request;

pub use builder::ClientBuilder;
pub(crate) use call::{Call, RunCall, named_call};
pub(crate) use decode::{decode, decode_error};
pub use handle::Client;
pub(crate) use handle::{Prepared, build_request};
pub use request::SendRequest;

pub use crate::transport::RequestOptions;
pub(crate) use crate::transport::request_options;
