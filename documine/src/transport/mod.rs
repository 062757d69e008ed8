//! The pipeline that every request passes: calls of the facade, [`Client::raw`](crate::Client::raw) and
//! [`Client::request`](crate::Client::request).
//!
//! ```text
//! call        deadline of the operation, span, observer           call.rs, telemetry.rs, observer.rs
//! auth        attaches a token; on 401 replaces it once           auth.rs
//! retry       repeats what is safe to repeat                      retry/
//! rate limit  bounds concurrency and requests per second          rate_limit.rs
//! attempt     rebuilds body and headers, timeouts, redirects      attempt.rs, ../timeout.rs
//! HTTP        sends one request, returns one response             http.rs, connection.rs, fake.rs
//! response    reads a bounded body, or leaves it as a stream      response.rs, content_encoding.rs
//! resume      repeats a request whose streamed body failed        resume.rs, ../transfer/download/
//! classify    turns every failure into one Error                  classify.rs, error_body.rs
//! ```
//!
//! Why in this order: the deadline covers everything below it. A token refresh is not a failed attempt, so auth stands above retry; the
//! request that is repeated after a refresh has the remaining retries. The pause between two attempts must not occupy a concurrency slot,
//! so the rate limit stands below retry. Every attempt is classified before retry decides, so classify stands at the bottom and is the only
//! layer that interprets statuses.
//!
//! The plain structs stand in `pipeline.rs` (shared by all calls of a client), `options.rs` (one call's options, which callers
//! set through `request_options.rs`) and `call_state.rs` (one call's progress); each layer is an `impl` block in its own file.

mod attempt;
mod auth;
mod call;
mod call_state;
pub(crate) mod classify;
mod connection;
mod content_encoding;
mod error_body;
mod fake;
mod http;
mod inferred_path;
mod observer;
mod options;
mod pipeline;
mod rate_limit;
mod request_options;
mod response;
mod resume;
mod retry;
mod retry_after_hint;
mod telemetry;
#[cfg(test)]
mod tests;

pub(crate) use call::RawTransport;
pub(crate) use call_state::CallExecutor;
pub(crate) use connection::{ConnectionConfig, ProxyConfig};
pub(crate) use content_encoding::content_codings;
pub(crate) use fake::FakeHttp;
pub use fake::{ResponseBody, Transport, json};
pub use observer::{CallEnded, Observer, Retrying};
pub(crate) use options::{CallOptions, RequestBody};
pub(crate) use pipeline::Pipeline;
pub use rate_limit::RateLimit;
pub(crate) use rate_limit::RateLimiter;
pub use request_options::RequestOptions;
pub(crate) use request_options::request_options;
pub(crate) use response::{RawResponse, ResponseMeta};
pub(crate) use resume::TransferFailure;
pub(crate) use retry::RetryBudget;
pub use retry::{RetryMode, RetryPolicy};
pub(crate) use retry_after_hint::RetryAfterHint;
