//! The HTTP client as the bottom layer: sends one request and returns one response without interpreting either.

use reqwest::{Request, Response};

use super::classify::{ResponseFailure, classify};
use crate::clock::BoxFuture;
use crate::error::Result;
use crate::http_util::Http;

impl Http for reqwest::Client {
    fn execute(&self, request: Request) -> BoxFuture<'_, Result<Response>> {
        let response = reqwest::Client::execute(self, request);
        Box::pin(async move { response.await.map_err(|error| classify(ResponseFailure::Transport(&error))) })
    }
}
