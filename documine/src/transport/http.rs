//! The bottom layer: sends one request and returns one response without interpreting either.
//!
//! A trait, so that tests of the layers above replace the sockets.

use reqwest::{Request, Response};

use super::classify::{ResponseFailure, classify};
use crate::clock::BoxFuture;
use crate::error::Result;

pub(crate) trait Http: Send + Sync {
    /// Sends the request and returns status and headers; the body is still to be read.
    fn execute(&self, request: Request) -> BoxFuture<'_, Result<Response>>;
}

impl Http for reqwest::Client {
    fn execute(&self, request: Request) -> BoxFuture<'_, Result<Response>> {
        let response = reqwest::Client::execute(self, request);
        Box::pin(async move { response.await.map_err(|error| classify(ResponseFailure::Transport(&error))) })
    }
}
