//! Responses to requests with one error each: the simulator's are compared with those of the real provider.

mod logout;
mod pages;
mod tokens;

use std::borrow::Cow;

use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, LOCATION, PRAGMA, WWW_AUTHENTICATE};
use reqwest::{RequestBuilder, Response};
use serde_json::Value;
use url::Url;

use crate::{Failure, Provider, Realm, RealmKind, raw};

type Fields<'a> = &'a [(&'a str, &'a str)];

/// The responses of one provider, each with the name of the request.
pub(crate) async fn answers(provider: &dyn Provider) -> Result<Vec<(String, String)>, Failure> {
    let mut recorder =
        Recorder { provider, realm: provider.realm(RealmKind::Lenient), http: raw::http()?, recorded: Vec::new() };
    recorder.passwords().await?;
    recorder.clients().await?;
    recorder.codes().await?;
    recorder.authorization_requests().await?;
    recorder.refreshes().await?;
    recorder.logouts().await?;
    recorder.devices().await?;
    recorder.unknown_paths().await?;
    Ok(recorder.recorded)
}

struct Recorder<'a> {
    provider: &'a dyn Provider,
    realm: &'a Realm,
    http: reqwest::Client,
    recorded: Vec<(String, String)>,
}

impl Recorder<'_> {
    /// Sends a request and records the response. Returns the body if it is JSON.
    async fn ask(&mut self, name: &str, request: RequestBuilder) -> Result<Value, Failure> {
        let answer = request.send().await?;
        let mut parts = heads(&answer);
        let text = answer.text().await?;
        let body = serde_json::from_str(&text).unwrap_or_default();
        parts.push(match &body {
            Value::Object(fields) if fields.contains_key("error") => body.to_string(),
            Value::Object(fields) => {
                let mut names: Vec<&str> = fields.keys().map(String::as_str).collect();
                names.sort_unstable();
                format!("with {}", names.join(" "))
            }
            _ if text.is_empty() => "nothing".into(),
            _ => "a page".into(),
        });
        self.recorded.push((name.to_owned(), parts.join("; ")));
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

/// Status and the headers that clients read; for a redirect, the names in its query.
fn heads(answer: &Response) -> Vec<String> {
    let header = |name: HeaderName| answer.headers().get(name).and_then(|value| value.to_str().ok());
    let mut parts = vec![answer.status().as_u16().to_string()];
    for (name, value) in [("cache", header(CACHE_CONTROL)), ("pragma", header(PRAGMA)), ("type", header(CONTENT_TYPE))]
    {
        // Blanks and the case of letters mean nothing here.
        parts.extend(value.map(|value| format!("{name} {}", value.replace(' ', "").to_ascii_lowercase())));
    }
    parts.extend(header(WWW_AUTHENTICATE).map(str::to_owned));
    if let Some(Ok(address)) = header(LOCATION).map(Url::parse) {
        parts.push(format!("to {}", query(&address)));
    }
    parts
}

/// The query of a redirect URI.
fn query(address: &Url) -> String {
    let shown = |(name, value): (Cow<'_, str>, Cow<'_, str>)| match &*name {
        "error" | "error_description" | "state" => format!("{name}={value}"),
        _ => name.into_owned(),
    };
    let mut query: Vec<String> = address.query_pairs().map(shown).collect();
    query.sort();
    query.join(" ")
}
