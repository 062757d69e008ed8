//! The bottom of the stack: one request out, the beginning of one answer back, no opinion about either.
//!
//! A trait, so that a test of the layers above puts answers in the place of sockets.

use reqwest::{Request, Response};

use super::classify::{ResponseFailure, classify};
use crate::clock::BoxFuture;
use crate::error::Result;

pub(crate) trait Http: Send + Sync {
    /// Sends the request and comes back with status and headers; the body is still to be read.
    fn execute(&self, request: Request) -> BoxFuture<'_, Result<Response>>;
}

impl Http for reqwest::Client {
    fn execute(&self, request: Request) -> BoxFuture<'_, Result<Response>> {
        let answer = reqwest::Client::execute(self, request);
        Box::pin(async move { answer.await.map_err(|error| classify(ResponseFailure::Transport(&error))) })
    }
}
