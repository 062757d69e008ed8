//! Requests to the identity provider with a separate HTTP client: no redirects, no access token, bounded responses, a time limit per attempt.

mod error_response;
mod retry;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use oauth2::HttpRequest;
use url::Url;

use super::client_auth::{ClientAuthMethod, ClientIdentity};
use super::endpoint_urls::Endpoints;
use super::oauth_request::OauthRequest;
use super::secret::Secret;
use super::token::TokenSet;
use crate::clock::Clock;
use crate::error::{Error, ErrorKind, Result, Sent, TimeoutPhase};
use crate::http_util::{self, Http};
use retry::{AttemptResult, RequestError};

pub(super) use error_response::{OauthError, error_of_response};
pub(super) use retry::{MAX_ATTEMPTS, ProviderResponse, RetrySchedule};

/// The largest response of an identity provider that is read.
const MAX_RESPONSE_BYTES: usize = 256 * 1024;
/// The time limit of one attempt, from sending the request to the last byte of the response.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(30);

/// The response of an endpoint, classified.
pub(super) enum EndpointResponse {
    Success(Bytes),
    /// A permanent error, or a device login that is still pending.
    Rejected {
        /// The code of RFC 6749 section 5.2 or RFC 8628 section 3.5, in lower case; empty if there is none.
        code: String,
        error: Error,
        /// The delay that the provider requests.
        retry_after: Option<Duration>,
        /// True if the provider rejects the client's authentication.
        rejects_client: bool,
    },
}

/// A URL of the provider and the bottom layer that sends requests to it.
pub(crate) type EndpointConnection = (Url, Arc<dyn Http>);

/// The token endpoint (RFC 6749 section 3.2) and the endpoints that end a login.
pub(crate) struct TokenEndpoint {
    token: EndpointConnection,
    revocation: Option<EndpointConnection>,
    end_session: Option<EndpointConnection>,
    /// The client authentication method, if configured or announced.
    client_auth: Option<ClientAuthMethod>,
    /// The detected methods by client id, each with the secret it was detected with: a provider may allow each client another method.
    detected_auth: Mutex<HashMap<String, (Secret, ClientAuthMethod)>>,
    clock: Arc<dyn Clock>,
}

impl TokenEndpoint {
    /// `http` builds the HTTP client for a URL; it must not follow redirects.
    pub(crate) fn new(
        endpoints: &Endpoints,
        http: impl Fn(&Url) -> Result<Arc<dyn Http>>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self> {
        let connect = |url: &Url| Ok::<_, Error>((url.clone(), http(url)?));
        Ok(Self {
            token: connect(&endpoints.token)?,
            revocation: endpoints.revocation.as_ref().map(connect).transpose()?,
            end_session: endpoints.end_session.as_ref().map(connect).transpose()?,
            client_auth: endpoints.client_auth,
            detected_auth: Mutex::default(),
            clock,
        })
    }

    pub(super) fn url(&self) -> &Url {
        &self.token.0
    }

    /// Returns the revocation endpoint (RFC 7009).
    pub(super) fn revocation(&self) -> Option<&EndpointConnection> {
        self.revocation.as_ref()
    }

    /// Returns the endpoint that ends the person's session at the provider.
    pub(super) fn end_session(&self) -> Option<&EndpointConnection> {
        self.end_session.as_ref()
    }

    /// Requests tokens.
    pub(super) async fn grant(&self, client: &ClientIdentity, request: &OauthRequest<'_>) -> Result<TokenSet> {
        match self.post(&self.token, client, request).await? {
            EndpointResponse::Success(body) => self.parse_tokens(&body),
            EndpointResponse::Rejected { error, .. } => Err(error),
        }
    }

    /// Sends a poll of a device login to the token endpoint, in one attempt: the next poll is the retry.
    pub(super) async fn poll(&self, client: &ClientIdentity, request: &OauthRequest<'_>) -> Result<EndpointResponse> {
        self.send(&self.token, client, request, 1).await
    }

    /// Sends a request to any endpoint of the provider. Transient failures are errors, permanent ones are `Rejected`.
    pub(super) async fn post(
        &self,
        target: &EndpointConnection,
        client: &ClientIdentity,
        request: &OauthRequest<'_>,
    ) -> Result<EndpointResponse> {
        self.send(target, client, request, MAX_ATTEMPTS).await
    }

    /// Sends the request with the client's credentials.
    ///
    /// While the client authentication method is unknown, a provider that rejects the secret in the form receives the request once more with the
    /// secret in the header. The method that works is remembered.
    async fn send(
        &self,
        target: &EndpointConnection,
        client: &ClientIdentity,
        request: &OauthRequest<'_>,
        max_attempts: u32,
    ) -> Result<EndpointResponse> {
        let (url, http) = target;
        let send_with = async |method| {
            let request = request.build(url, client, method)?;
            let secrets = [form_secrets(request.body()), client.secrets()].concat();
            let response =
                send_with_retry(http.as_ref(), request, RetrySchedule::new(self.clock.as_ref(), max_attempts)).await?;
            error_response::classify(response, &secrets, self.clock.now())
        };
        let known_method = self.client_auth.or_else(|| self.detected_auth(client));
        let first = send_with(known_method.unwrap_or_default()).await?;
        if known_method.is_some() || client.secret.is_none() {
            return Ok(first);
        }
        let (response, detected) = match &first {
            EndpointResponse::Rejected { rejects_client: true, .. } => {
                match send_with(ClientAuthMethod::SecretBasic).await? {
                    // Both were rejected, so the client itself is wrong. Remembering the default saves the second request next time.
                    EndpointResponse::Rejected { rejects_client: true, .. } => {
                        (first, Some(ClientAuthMethod::SecretPost))
                    }
                    second => (second, Some(ClientAuthMethod::SecretBasic)),
                }
            }
            // Only the token endpoint is certain to verify the secret: many device and revocation endpoints verify the client id alone.
            EndpointResponse::Success(_) if url == self.url() => (first, Some(ClientAuthMethod::SecretPost)),
            EndpointResponse::Success(_) | EndpointResponse::Rejected { .. } => (first, None),
        };
        if let (Some(method), Some(secret)) = (detected, &client.secret) {
            let mut methods = self.detected_auth.lock().unwrap_or_else(PoisonError::into_inner);
            methods.insert(client.id.clone(), (secret.clone(), method));
        }
        Ok(response)
    }

    /// Returns the detected method. A rejection of both methods says nothing about another secret of the client.
    fn detected_auth(&self, client: &ClientIdentity) -> Option<ClientAuthMethod> {
        let methods = self.detected_auth.lock().unwrap_or_else(PoisonError::into_inner);
        let (secret, method) = methods.get(&client.id)?;
        client.secret.as_ref().filter(|own| secret.is(own.expose())).map(|_| *method)
    }

    /// Parses the tokens of a successful response.
    pub(super) fn parse_tokens(&self, body: &[u8]) -> Result<TokenSet> {
        TokenSet::parse(body, self.clock.now())
    }
}

/// Sends a request and returns its response. Failed attempts are retried as the schedule allows.
pub(super) async fn send_with_retry(
    http: &dyn Http,
    request: HttpRequest,
    mut schedule: RetrySchedule<'_>,
) -> Result<ProviderResponse> {
    let (parts, body) = request.into_parts();
    let body = Bytes::from(body);
    loop {
        let result = send_once(http, &parts, body.clone()).await;
        match schedule.next_delay(&result) {
            Some(delay) => schedule.clock.sleep(delay).await,
            None => return result.map_err(|failed| failed.error),
        }
    }
}

/// Makes one attempt, with bounded time and a bounded response.
async fn send_once(http: &dyn Http, parts: &http::request::Parts, body: Bytes) -> AttemptResult {
    const FAILED: &str = "the request to the identity provider failed";
    let attempt = async {
        let url = Url::parse(&parts.uri.to_string()).map_err(|error| Error::input(FAILED).with_source(error))?;
        let mut request = reqwest::Request::new(parts.method.clone(), url);
        request.headers_mut().clone_from(&parts.headers);
        *request.body_mut() = Some(body.into());
        let response = http.execute(request).await.map_err(|error| error.with_subject(FAILED))?;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = http_util::read_bounded(response, MAX_RESPONSE_BYTES).await.map_err(|error| {
            let (kind, sent) = http_util::classify_reqwest_error(&error);
            http_util::request_error(kind, FAILED, &error).with_sent(sent)
        })?;
        Ok::<_, Error>(ProviderResponse { status, headers, body })
    };
    let Ok(outcome) = tokio::time::timeout(ATTEMPT_TIMEOUT, attempt).await else {
        let text = format!("the identity provider did not respond within {ATTEMPT_TIMEOUT:?}");
        let error = Error::new(ErrorKind::Timeout, text).with_phase(TimeoutPhase::Login);
        return Err(RequestError { error, sent: Sent::Maybe });
    };
    outcome.map_err(|error| {
        let sent = error.sent();
        let is_interrupted = error.kind() == ErrorKind::Interrupted;
        RequestError { error: error.with_sent(if is_interrupted { Sent::Maybe } else { Sent::No }), sent }
    })
}

/// Returns the values of a form that no error may show, as a provider may repeat any of them.
fn form_secrets(form: &[u8]) -> Vec<Secret> {
    const SECRET: [&str; 8] = [
        "password",
        "client_secret",
        "refresh_token",
        "code",
        "code_verifier",
        "device_code",
        "token",
        "id_token_hint",
    ];
    url::form_urlencoded::parse(form)
        .filter(|(name, value)| SECRET.contains(&name.as_ref()) && !value.is_empty())
        .flat_map(|(_, value)| {
            // A provider may repeat the value itself, or its encoded form.
            let encoded: String = url::form_urlencoded::byte_serialize(value.as_bytes()).collect();
            [Secret::new(value), Secret::new(encoded)]
        })
        .collect()
}

#[cfg(test)]
mod properties;
