//! What a provider answers to requests that are wrong in one point each: the simulator's words beside those of the real one it is shaped like.

mod ends;
mod pages;
mod tokens;

use std::borrow::Cow;

use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, LOCATION, PRAGMA, WWW_AUTHENTICATE};
use reqwest::{RequestBuilder, Response};
use serde_json::Value;
use url::Url;

use crate::{Failure, Place, Provider, Realm, raw};

type Fields<'a> = &'a [(&'a str, &'a str)];

/// The answers of one provider, each with what was asked.
pub(crate) async fn answers(provider: &dyn Provider) -> Result<Vec<(String, String)>, Failure> {
    let mut asking = Asking { provider, realm: provider.realm(Place::Long), http: raw::http()?, said: Vec::new() };
    asking.passwords().await?;
    asking.clients().await?;
    asking.codes().await?;
    asking.authorization_requests().await?;
    asking.refreshes().await?;
    asking.ends().await?;
    asking.devices().await?;
    asking.places().await?;
    Ok(asking.said)
}

struct Asking<'a> {
    provider: &'a dyn Provider,
    realm: &'a Realm,
    http: reqwest::Client,
    said: Vec<(String, String)>,
}

impl Asking<'_> {
    /// Asks, and writes down what was answered. The answer is the body, where it is JSON.
    async fn ask(&mut self, name: &str, request: RequestBuilder) -> Result<Value, Failure> {
        let answer = request.send().await?;
        let mut words = heads(&answer);
        let text = answer.text().await?;
        let body = serde_json::from_str(&text).unwrap_or_default();
        words.push(match &body {
            Value::Object(fields) if fields.contains_key("error") => body.to_string(),
            Value::Object(fields) => {
                let mut names: Vec<&str> = fields.keys().map(String::as_str).collect();
                names.sort_unstable();
                format!("with {}", names.join(" "))
            }
            _ if text.is_empty() => "nothing".into(),
            _ => "a page".into(),
        });
        self.said.push((name.to_owned(), words.join("; ")));
        Ok(body)
    }

    async fn post(&mut self, name: &str, endpoint: &str, form: Fields<'_>) -> Result<Value, Failure> {
        let request = self.http.post(self.realm.endpoint(endpoint));
        let request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.ask(name, request.body(raw::form(form.iter().copied()))).await
    }

    async fn token(&mut self, name: &str, client: &str, form: Fields<'_>) -> Result<Value, Failure> {
        self.post(name, "token", &[&[("client_id", client)], form].concat()).await
    }
}

/// Status and headers that clients look at; of an address what stands in its query.
fn heads(answer: &Response) -> Vec<String> {
    let header = |name: HeaderName| answer.headers().get(name).and_then(|value| value.to_str().ok());
    let mut words = vec![answer.status().as_u16().to_string()];
    for (name, value) in [("cache", header(CACHE_CONTROL)), ("pragma", header(PRAGMA)), ("type", header(CONTENT_TYPE))]
    {
        // Blanks and the case of letters mean nothing here.
        words.extend(value.map(|value| format!("{name} {}", value.replace(' ', "").to_ascii_lowercase())));
    }
    words.extend(header(WWW_AUTHENTICATE).map(str::to_owned));
    if let Some(Ok(address)) = header(LOCATION).map(Url::parse) {
        words.push(format!("to {}", query(&address)));
    }
    words
}

/// What an address brings back to the program.
fn query(address: &Url) -> String {
    let told = |(name, value): (Cow<'_, str>, Cow<'_, str>)| match &*name {
        "error" | "error_description" | "state" => format!("{name}={value}"),
        _ => name.into_owned(),
    };
    let mut query: Vec<String> = address.query_pairs().map(told).collect();
    query.sort();
    query.join(" ")
}
