//! The identity provider's endpoints, and the bare HTTP that talks to them: no redirects, no token, bounded answers, own time limit.

mod retry;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use oauth2::basic::{BasicErrorResponse, BasicTokenType};
use oauth2::{
    AuthType, ClientId, ClientSecret, ExtraTokenFields, HttpRequest, HttpResponse, RequestTokenError,
    StandardRevocableToken, StandardTokenResponse, TokenResponse, TokenUrl,
};
use serde::{Deserialize, Serialize};
use url::Url;

use super::token::{Secret, TokenSet};
use crate::clock::Clock;
use crate::error::{Error, ErrorKind, Result, Sent, TimeoutPhase};
use crate::{address, net, text};
use retry::{Answered, Outcome, Unanswered};

pub(super) use retry::Patience;

/// Answers of the identity provider are small; one larger than this is none of its.
const ANSWER_LIMIT: usize = 256 * 1024;
/// A login has an end: the provider answers in this time or the call fails (and keeps the tokens it has).
const ANSWER_TIME: Duration = Duration::from_secs(30);

/// Where Keycloak has a realm's endpoints.
const PROTOCOL: &str = "/protocol/openid-connect/";

/// The paths as the customer's setup gives them: each a path below the base URL or a whole URL.
#[derive(Debug, Clone, Default)]
pub(crate) struct EndpointPaths {
    pub(crate) auth: Option<String>,
    pub(crate) token: Option<String>,
    pub(crate) device: Option<String>,
    /// RFC 7009.
    pub(crate) revocation: Option<String>,
    /// OpenID Connect RP-Initiated Logout 1.0.
    pub(crate) end_session: Option<String>,
    /// Who has to answer (RFC 9207), where that is known.
    pub(crate) issuer: Option<String>,
}

/// Where the identity provider listens.
#[derive(Debug, Clone)]
pub(crate) struct Endpoints {
    pub(crate) authorization: Url,
    pub(crate) token: Url,
    pub(crate) device: Url,
    /// RFC 7009, where the provider is known to have it.
    pub(crate) revocation: Option<Url>,
    /// OpenID Connect RP-Initiated Logout, where the provider is known to have it.
    pub(crate) end_session: Option<Url>,
}

impl Endpoints {
    /// The given paths, or Keycloak's, one realm a workspace (inferred: the guide leaves the paths to the customer's setup).
    pub(crate) fn new(base: &Url, workspace: &str, paths: &EndpointPaths) -> Result<Self> {
        let standard = |last: &str| format!("/auth/realms/{workspace}{PROTOCOL}{last}");
        let resolve = |what: &str, text: &str| {
            let url = if text.contains("://") {
                Url::parse(text)
            } else {
                let base = base.as_str().trim_end_matches('/');
                Url::parse(&format!("{base}/{}", text.trim_start_matches('/')))
            };
            // What does not parse is not shown: it may hold a password.
            let url = url.map_err(|error| Error::config(format!("the {what} is neither a path nor a URL: {error}")))?;
            address::require_safe_scheme(what, &url)?;
            if !url.username().is_empty() || url.password().is_some() {
                return Err(Error::config(format!(
                    "the {what} holds a user name or password; give them as credentials instead"
                )));
            }
            Ok::<_, Error>(url)
        };
        let needed = |what: &str, given: Option<&String>, last: &str| {
            given.map_or_else(|| resolve(what, &standard(last)), |given| resolve(what, given))
        };
        let token = needed("token path", paths.token.as_ref(), "token")?;
        let offered = |what: &str, given: Option<&String>, last: &str| match given {
            Some(given) => resolve(what, given).map(Some),
            None => Ok(beside(&token, last)),
        };
        Ok(Self {
            authorization: needed("authorization path", paths.auth.as_ref(), "auth")?,
            device: needed("device path", paths.device.as_ref(), "auth/device")?,
            revocation: offered("revocation path", paths.revocation.as_ref(), "revoke")?,
            end_session: offered("end session path", paths.end_session.as_ref(), "logout")?,
            token,
        })
    }
}

/// What stands beside a token endpoint of Keycloak's form.
fn beside(token: &Url, last: &str) -> Option<Url> {
    let realm = token.path().strip_suffix("token")?.strip_suffix(PROTOCOL)?;
    let mut url = token.clone();
    url.set_path(&format!("{realm}{PROTOCOL}{last}"));
    url.set_query(None);
    Some(url)
}

/// Who the program is for the identity provider (RFC 6749 section 2).
#[derive(Debug, Clone)]
pub(crate) struct ClientIdentity {
    pub(crate) id: String,
    pub(crate) secret: Option<Secret>,
}

impl ClientIdentity {
    pub(crate) fn new(id: impl Into<String>) -> Self {
        Self { id: id.into(), secret: None }
    }

    /// A form that says who asks (RFC 6749 section 2.3.1).
    fn signed(&self, form: &[(&str, &str)]) -> Vec<u8> {
        let mut body = url::form_urlencoded::Serializer::new(String::new());
        body.extend_pairs(form).append_pair("client_id", &self.id);
        if let Some(secret) = &self.secret {
            body.append_pair("client_secret", secret.expose());
        }
        body.finish().into_bytes()
    }
}

/// What an answer has beside the fields of RFC 6749: both spellings of the refresh token's life, Keycloak's and the guide's, and the ID token.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Extra {
    refresh_expires_in: Option<i64>,
    refresh_expries_in: Option<i64>,
    #[serde(skip_serializing)]
    id_token: Option<Secret>,
}

impl ExtraTokenFields for Extra {}

type Answer = StandardTokenResponse<Extra, BasicTokenType>;
pub(super) type OauthClient = oauth2::Client<
    BasicErrorResponse,
    Answer,
    oauth2::basic::BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    oauth2::basic::BasicRevocationErrorResponse,
    oauth2::EndpointNotSet,
    oauth2::EndpointNotSet,
    oauth2::EndpointNotSet,
    oauth2::EndpointNotSet,
    oauth2::EndpointSet,
>;

/// What an endpoint of the provider said.
pub(super) enum Reply {
    Success(Bytes),
    /// With the error code of RFC 6749 section 5.2, or whatever stands in its place.
    Refused {
        code: String,
        error: Error,
    },
}

/// An address of the provider, and the connection to it.
pub(crate) type Address = (Url, reqwest::Client);

/// The token endpoint (RFC 6749 section 3.2), and those where what it gave is given back.
pub(crate) struct TokenEndpoint {
    url: Url,
    http: reqwest::Client,
    revocation: Option<Address>,
    end_session: Option<Address>,
    clock: Arc<dyn Clock>,
}

type HttpFuture = Pin<Box<dyn Future<Output = Result<HttpResponse>> + Send>>;

impl TokenEndpoint {
    /// `http` makes the connection to an address; it must not follow redirects.
    pub(crate) fn new(
        endpoints: &Endpoints,
        http: impl Fn(&Url) -> Result<reqwest::Client>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self> {
        let address = |url: &Option<Url>| url.clone().map(|url| Ok::<_, Error>((url.clone(), http(&url)?))).transpose();
        Ok(Self {
            url: endpoints.token.clone(),
            http: http(&endpoints.token)?,
            revocation: address(&endpoints.revocation)?,
            end_session: address(&endpoints.end_session)?,
            clock,
        })
    }

    pub(super) fn url(&self) -> &Url {
        &self.url
    }

    /// Where a token is revoked (RFC 7009).
    pub(super) fn revocation(&self) -> Option<&Address> {
        self.revocation.as_ref()
    }

    /// Where the person's session at the provider ends.
    pub(super) fn end_session(&self) -> Option<&Address> {
        self.end_session.as_ref()
    }

    pub(super) fn client(&self, identity: &ClientIdentity) -> OauthClient {
        let client = oauth2::Client::new(ClientId::new(identity.id.clone()))
            .set_auth_type(AuthType::RequestBody)
            .set_token_uri(TokenUrl::from_url(self.url.clone()));
        match &identity.secret {
            Some(secret) => client.set_client_secret(ClientSecret::new(secret.expose().to_owned())),
            None => client,
        }
    }

    /// The bare HTTP as the oauth2 library takes it. Refusals are read here, before the library loses their status and body.
    pub(super) fn http(&self) -> impl Fn(HttpRequest) -> HttpFuture + Send + Sync + 'static {
        let (http, clock) = (self.http.clone(), Arc::clone(&self.clock));
        move |request| Box::pin(send(http.clone(), Arc::clone(&clock), request))
    }

    /// Asks the token endpoint itself, where a refusal is an answer like any other: a device login is refused until it is confirmed.
    pub(super) async fn ask(&self, identity: &ClientIdentity, form: &[(&str, &str)]) -> Result<Reply> {
        self.post(&self.http, &self.url, identity, form).await
    }

    /// The same in one try, for who asks again and again anyway.
    pub(super) async fn poll(&self, identity: &ClientIdentity, form: &[(&str, &str)]) -> Result<Reply> {
        self.reply(&self.http, &self.url, identity, form, Patience::none(self.clock.as_ref())).await
    }

    /// The same at another endpoint of the provider. Trouble that passes is an error, a refusal is none.
    pub(super) async fn post(
        &self,
        http: &reqwest::Client,
        url: &Url,
        identity: &ClientIdentity,
        form: &[(&str, &str)],
    ) -> Result<Reply> {
        self.reply(http, url, identity, form, Patience::usual(self.clock.as_ref())).await
    }

    async fn reply(
        &self,
        http: &reqwest::Client,
        url: &Url,
        identity: &ClientIdentity,
        form: &[(&str, &str)],
        patience: Patience<'_>,
    ) -> Result<Reply> {
        let request = http::Request::post(url.as_str())
            .header(http::header::ACCEPT, "application/json")
            .header(http::header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(identity.signed(form))
            .map_err(|error| Error::config(format!("the identity provider's address can't be used: {error}")))?;
        let secrets = secrets_of(request.body());
        let answer = exchange(http, request, patience).await?;
        if answer.status.is_success() {
            return Ok(Reply::Success(answer.body));
        }
        let error = refused(&answer, &secrets, self.clock.now());
        if error.is_transient() {
            return Err(error);
        }
        let code = serde_json::from_slice::<Refusal>(&answer.body).map(|refusal| refusal.error).unwrap_or_default();
        Ok(Reply::Refused { code, error })
    }

    /// The tokens of a success.
    pub(super) fn read(&self, body: &[u8]) -> Result<TokenSet> {
        // The body holds tokens, so not a byte of it is shown.
        let answer = serde_json::from_slice(&with_token_type(body))
            .map_err(|_| Error::auth("the identity provider's answer could not be understood"))?;
        Ok(token_set(&answer, self.clock.now()))
    }

    pub(super) fn tokens(
        &self,
        answer: Result<Answer, RequestTokenError<Error, BasicErrorResponse>>,
    ) -> Result<TokenSet> {
        let answer = answer.map_err(|error| match error {
            RequestTokenError::Request(error) => error,
            // The body holds tokens, so not a byte of it is shown.
            RequestTokenError::Parse(error, _) => {
                Error::auth(format!("the identity provider's answer could not be understood at `{}`", error.path()))
            }
            RequestTokenError::ServerResponse(_) | RequestTokenError::Other(_) => {
                Error::auth("the identity provider's answer could not be understood")
            }
        })?;
        Ok(token_set(&answer, self.clock.now()))
    }
}

fn token_set(answer: &Answer, now: SystemTime) -> TokenSet {
    let extra = answer.extra_fields();
    let refresh_life = extra
        .refresh_expires_in
        .or(extra.refresh_expries_in)
        .and_then(|seconds| u64::try_from(seconds).ok())
        .filter(|seconds| *seconds > 0); // 0: no fixed end
    let mut tokens = TokenSet::new(answer.access_token().secret().as_str());
    tokens.refresh = answer.refresh_token().map(|token| Secret::new(token.secret().as_str()));
    tokens.id.clone_from(&extra.id_token);
    tokens.expires_at = answer.expires_in().and_then(|life| now.checked_add(life));
    tokens.refresh_expires_at = refresh_life.and_then(|seconds| now.checked_add(Duration::from_secs(seconds)));
    tokens.scopes =
        answer.scopes().map(|scopes| scopes.iter().map(|scope| scope.to_string()).collect()).unwrap_or_default();
    tokens
}

async fn send(http: reqwest::Client, clock: Arc<dyn Clock>, request: HttpRequest) -> Result<HttpResponse> {
    let secrets = secrets_of(request.body());
    let answer = exchange(&http, request, Patience::usual(clock.as_ref())).await?;
    if !answer.status.is_success() {
        return Err(refused(&answer, &secrets, clock.now()));
    }
    let mut response = HttpResponse::new(with_token_type(&answer.body));
    *response.headers_mut() = answer.headers;
    Ok(response)
}

/// One request, and one answer. It is asked again only where that can't do anything twice.
pub(super) async fn exchange(
    http: &reqwest::Client,
    request: HttpRequest,
    mut patience: Patience<'_>,
) -> Result<Answered> {
    let (parts, body) = request.into_parts();
    let body = Bytes::from(body);
    loop {
        let outcome = once(http, &parts, body.clone()).await;
        match patience.pause(&outcome) {
            Some(pause) => patience.clock.sleep(pause).await,
            None => return outcome.map_err(|failed| failed.error),
        }
    }
}

/// One try: a bounded answer in bounded time.
async fn once(http: &reqwest::Client, parts: &http::request::Parts, body: Bytes) -> Outcome {
    let exchange = async {
        let response = http
            .request(parts.method.clone(), parts.uri.to_string())
            .headers(parts.headers.clone())
            .body(body)
            .send()
            .await?;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = net::read_bounded(response, ANSWER_LIMIT).await?;
        Ok(Answered { status, headers, body })
    };
    let broken = |error: reqwest::Error| {
        let (kind, sent) = net::fate(&error);
        let text = format!("the identity provider could not be asked: {}", net::root_cause(&error));
        Unanswered { error: Error::new(kind, text), sent }
    };
    let Ok(outcome) = tokio::time::timeout(ANSWER_TIME, exchange).await else {
        let text = format!("the identity provider did not answer within {ANSWER_TIME:?}");
        let error = Error::new(ErrorKind::Timeout, text).with_phase(TimeoutPhase::Login);
        return Err(Unanswered { error, sent: Sent::Maybe });
    };
    outcome.map_err(broken)
}

/// The answer with its `token_type`: RFC 6749 requires one, the guide's list of fields has none, and there is only one that we could mean.
fn with_token_type(body: &[u8]) -> Vec<u8> {
    let mut fields = match serde_json::from_slice::<serde_json::Map<_, _>>(body) {
        Ok(fields) if !fields.contains_key("token_type") => fields,
        _ => return body.to_vec(),
    };
    fields.insert("token_type".into(), "Bearer".into());
    serde_json::Value::Object(fields).to_string().into_bytes()
}

/// The values of a form that no error may show, whatever a provider says.
fn secrets_of(form: &[u8]) -> Vec<Secret> {
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
            // A provider may show the value, or the form as it was sent.
            let encoded: String = url::form_urlencoded::byte_serialize(value.as_bytes()).collect();
            [Secret::new(value), Secret::new(encoded)]
        })
        .collect()
}

/// An error answer (RFC 6749 sections 4.1.2.1 and 5.2).
#[derive(Deserialize)]
pub(super) struct Refusal {
    pub(super) error: String,
    pub(super) error_description: Option<String>,
}

impl Refusal {
    /// What the provider says, in one line and without what nobody may see.
    pub(super) fn reason(&self, secrets: &[Secret]) -> String {
        let reason = match &self.error_description {
            Some(text) => format!("{} ({})", text.trim(), self.error),
            None => self.error.clone(),
        };
        text::one_line(&text::without(&reason, secrets.iter().map(Secret::expose)))
    }
}

/// What an answer that is no success means; `now` is for a `Retry-After` that is a date.
pub(super) fn refused(answer: &Answered, secrets: &[Secret], now: SystemTime) -> Error {
    let error = refusal(answer.status, &answer.body, secrets);
    match net::retry_after(&answer.headers, now) {
        Some(asked) if error.is_transient() => {
            error.with_retry_after(Some(asked)).with_note(format!("it asks for a pause of {asked:.0?}"))
        }
        _ => error,
    }
}

/// An error answer, or whatever came in its place.
fn refusal(status: http::StatusCode, body: &[u8], secrets: &[Secret]) -> Error {
    let passing = status.is_server_error() || matches!(status.as_u16(), 408 | 429);
    let finish = |error: Error| {
        let error = error.with_status(status);
        if passing { error.transient() } else { error }
    };
    let Ok(refusal) = serde_json::from_slice::<Refusal>(body) else {
        return finish(Error::auth(match status.as_u16() {
            404 => {
                "the identity provider knows no such path (404); check the base URL, the workspace and the token path"
                    .into()
            }
            _ => format!("the identity provider answered {status} without saying why"),
        }));
    };
    let reason = refusal.reason(secrets);
    let advice = match refusal.error.as_str() {
        "invalid_grant" => "; log in again or give other credentials",
        "invalid_client" | "unauthorized_client" => "; check the client id, its secret, and which grants it may use",
        "Realm does not exist" => "; check the workspace's name",
        _ => "",
    };
    let error = Error::auth(format!("the identity provider refused: {reason}{advice}")).with_api(Some(reason), None);
    let final_word = matches!(refusal.error.as_str(), "invalid_grant" | "invalid_client" | "unauthorized_client");
    finish(if final_word && !passing { error.login_needed() } else { error })
}

#[cfg(test)]
mod properties;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn standard_and_given_endpoints() -> Result<()> {
        let base = address::base_url("https://acme.example/documine/")?;
        let standard = Endpoints::new(&base, "acme", &EndpointPaths::default())?;
        assert_eq!(
            standard.token.as_str(),
            "https://acme.example/documine/auth/realms/acme/protocol/openid-connect/token"
        );
        let (token, auth) = (Some("https://login.example/token".into()), Some("/a".into()));
        let given = EndpointPaths { auth, token, ..EndpointPaths::default() };
        let given = Endpoints::new(&base, "acme", &given)?;
        assert_eq!(given.token.as_str(), "https://login.example/token");
        assert_eq!((given.revocation, given.end_session), (None, None), "nothing is known of that provider");
        assert_eq!(
            standard.revocation.as_ref().map(Url::as_str),
            Some("https://acme.example/documine/auth/realms/acme/protocol/openid-connect/revoke")
        );
        assert_eq!(given.authorization.as_str(), "https://acme.example/documine/a");
        Ok(())
    }

    #[test]
    fn refusals_say_what_to_do() {
        let error = refusal(
            http::StatusCode::BAD_REQUEST,
            br#"{"error":"invalid_grant","error_description":"Account disabled"}"#,
            &[],
        );
        assert!(error.needs_login());
        assert_eq!(
            error.to_string(),
            "the identity provider refused: Account disabled (invalid_grant); log in again or give other credentials"
        );
        let error = refusal(http::StatusCode::SERVICE_UNAVAILABLE, b"<html>", &[]);
        assert!(!error.needs_login() && error.is_transient());
    }
}
