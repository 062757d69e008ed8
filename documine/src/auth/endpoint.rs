//! The identity provider's endpoints, and the bare HTTP that talks to them: no redirects, no token, bounded answers, own time limit.

mod retry;

use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::header;
use serde_json::Value;
use url::Url;

use super::client_auth::ClientAuthMethod;
use super::members::{Members, text_of};
use super::token::{Secret, TokenSet};
use crate::clock::Clock;
use crate::error::{Error, ErrorKind, Result, Sent, TimeoutPhase};
use crate::{address, http_util, text};
use retry::{Outcome, RawResponse, Unanswered};

pub(super) use super::client_auth::ClientIdentity;
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
    /// True if the provider announces `iss` in its authorization responses (RFC 9207 section 3).
    pub(crate) announces_issuer: bool,
    /// The method by which clients send their secret, where it is set or the provider leaves no choice.
    pub(crate) client_auth: Option<ClientAuthMethod>,
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
    /// The method by which clients send their secret, where it is known.
    pub(crate) client_auth: Option<ClientAuthMethod>,
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
            client_auth: paths.client_auth,
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

/// What an endpoint of the provider said.
pub(super) enum Reply {
    Success(Bytes),
    /// An error that is not transient, or a device login that is still pending.
    Refused {
        /// The code of RFC 6749 section 5.2 or RFC 8628 section 3.5, in lower case; empty where there is none.
        code: String,
        error: Error,
        /// The pause that the provider asks for.
        retry_after: Option<Duration>,
        /// True if the provider rejects the client's authentication.
        rejects_client: bool,
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
    /// The method by which clients send their secret, once it is known: set by hand, announced, or found out.
    client_auth: OnceLock<ClientAuthMethod>,
    clock: Arc<dyn Clock>,
}

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
            client_auth: endpoints.client_auth.map(OnceLock::from).unwrap_or_default(),
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

    /// Asks for tokens.
    pub(super) async fn grant(
        &self,
        client: &ClientIdentity,
        form: &[(&str, &str)],
        scopes: &[String],
    ) -> Result<TokenSet> {
        let scope = scopes.join(" ");
        let mut form = form.to_vec();
        // An empty scope is refused by some.
        if !scope.is_empty() {
            form.push(("scope", &scope));
        }
        match self.post(&self.http, &self.url, client, &form).await? {
            Reply::Success(body) => self.read(&body),
            Reply::Refused { error, .. } => Err(error),
        }
    }

    /// Asks the token endpoint in one try, for who asks again and again anyway: a device login is refused until it is confirmed.
    pub(super) async fn poll(&self, client: &ClientIdentity, form: &[(&str, &str)]) -> Result<Reply> {
        self.reply(&self.http, &self.url, client, form, |clock| Patience::none(clock)).await
    }

    /// The same at any endpoint of the provider. Trouble that passes is an error, a refusal is none.
    pub(super) async fn post(
        &self,
        http: &reqwest::Client,
        url: &Url,
        client: &ClientIdentity,
        form: &[(&str, &str)],
    ) -> Result<Reply> {
        self.reply(http, url, client, form, |clock| Patience::usual(clock)).await
    }

    /// Sends the form with the client's credentials. Where nobody said how a secret is sent, a provider that does not accept it in the form gets it
    /// once more in the header; what works is remembered.
    async fn reply(
        &self,
        http: &reqwest::Client,
        url: &Url,
        client: &ClientIdentity,
        form: &[(&str, &str)],
        patience: for<'a> fn(&'a dyn Clock) -> Patience<'a>,
    ) -> Result<Reply> {
        let ask = async |method| {
            let request = client.request(url, form, method)?;
            let secrets = [secrets_of(request.body()), client.secrets()].concat();
            let answer = exchange(http, request, patience(self.clock.as_ref())).await?;
            judge(answer, &secrets, self.clock.now())
        };
        let known = self.client_auth.get().copied();
        let first = ask(known.unwrap_or_default()).await?;
        if known.is_some() || client.secret.is_none() {
            return Ok(first);
        }
        let (reply, works) = match &first {
            Reply::Refused { rejects_client: true, .. } => match ask(ClientAuthMethod::SecretBasic).await? {
                // Neither: the client itself is wrong, and asking twice each time would help nobody.
                Reply::Refused { rejects_client: true, .. } => (first, Some(ClientAuthMethod::SecretPost)),
                second => (second, Some(ClientAuthMethod::SecretBasic)),
            },
            // Only the token endpoint surely checks the secret: many device and revocation endpoints look at the client's id alone.
            Reply::Success(_) if *url == self.url => (first, Some(ClientAuthMethod::SecretPost)),
            Reply::Success(_) | Reply::Refused { .. } => (first, None),
        };
        if let Some(works) = works {
            // Another request may have found out the same.
            let _ = self.client_auth.set(works);
        }
        Ok(reply)
    }

    /// Reads the tokens of a success.
    pub(super) fn read(&self, body: &[u8]) -> Result<TokenSet> {
        TokenSet::read(body, self.clock.now())
    }
}

/// One request, and one answer. It is asked again only where that can't do anything twice.
pub(super) async fn exchange(
    http: &reqwest::Client,
    request: http::Request<Vec<u8>>,
    mut patience: Patience<'_>,
) -> Result<RawResponse> {
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
        let body = http_util::read_bounded(response, ANSWER_LIMIT).await?;
        Ok(RawResponse { status, headers, body })
    };
    let broken = |error: reqwest::Error| {
        let (kind, sent) = http_util::classify_reqwest_error(&error);
        let text = format!("the identity provider could not be asked: {}", http_util::root_cause(&error));
        Unanswered { error: Error::new(kind, text), sent }
    };
    let Ok(outcome) = tokio::time::timeout(ANSWER_TIME, exchange).await else {
        let text = format!("the identity provider did not answer within {ANSWER_TIME:?}");
        let error = Error::new(ErrorKind::Timeout, text).with_phase(TimeoutPhase::Login);
        return Err(Unanswered { error, sent: Sent::Maybe });
    };
    outcome.map_err(broken)
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

/// Error codes of a device login (RFC 8628 section 3.5): they say how it stands, whatever status is beside them.
const DEVICE_CODES: [&str; 4] = ["authorization_pending", "slow_down", "access_denied", "expired_token"];
/// Error codes that settle a request (RFC 6749 section 5.2, RFC 7009 section 2.2.1), unless the provider is in trouble by its status.
const FINAL_CODES: [&str; 7] = [
    "invalid_request",
    "invalid_client",
    "invalid_grant",
    "unauthorized_client",
    "unsupported_grant_type",
    "invalid_scope",
    "invalid_token",
];
/// Error codes of a provider that is in trouble itself (RFC 6749 section 4.1.2.1).
const TRANSIENT_CODES: [&str; 2] = ["server_error", "temporarily_unavailable"];

/// An error answer (RFC 6749 sections 4.1.2.1 and 5.2).
#[derive(Default)]
pub(super) struct Refusal {
    /// The code, as the provider spells it.
    pub(super) error: Option<String>,
    pub(super) error_description: Option<String>,
}

impl Refusal {
    /// Reads the error in a body: JSON of RFC 6749, a form, or what frameworks write in its place (`{"error": {"code": …, "message": …}}`,
    /// RFC 9457).
    fn read(body: &[u8]) -> Self {
        const TEXTS: [&str; 7] =
            ["error_description", "error_message", "error_summary", "message", "detail", "description", "title"];
        let Some(members) = Members::read(body) else { return Self::default() };
        let (mut error, mut error_description) = (None, None);
        match members.value(&["error"]) {
            Some(Value::Object(inner)) => {
                let inner = Members::from(inner.clone());
                error = ["code", "type", "status", "error"]
                    .iter()
                    .find_map(|name| inner.value(&[name])?.as_str())
                    .map(str::to_owned);
                error_description = inner.text(&TEXTS);
            }
            Some(Value::Array(items)) => error = items.first().and_then(text_of),
            Some(value) => error = text_of(value).filter(|code| code != "0"),
            None => {}
        }
        // Some have a code in members of their own, which beside tokens may mean that all is well.
        let own = || members.text(&["error_code"]).filter(|code| code != "0");
        let known = || ["code", "message"].iter().filter_map(|name| members.text(&[name])).find(|text| is_known(text));
        if error.is_none() && members.value(&["access_token", "device_code"]).is_none() {
            error = own().or_else(known).or_else(|| members.is_true("error").then(|| "error".into()));
        }
        let first = |name: &&str| match members.value(&[name])? {
            Value::Array(items) => items.first().and_then(text_of),
            value => text_of(value),
        };
        let error_description = error_description.or_else(|| TEXTS.iter().find_map(first));
        Self { error_description: error_description.filter(|text| Some(text) != error.as_ref()), error }
    }

    /// The code in the standard's spelling; empty where there is none.
    pub(super) fn code(&self) -> String {
        let code = self.error.as_deref().unwrap_or_default().trim().to_ascii_lowercase();
        // Synonyms of Microsoft and GitHub.
        let standard = match code.as_str() {
            "authorization_declined" => "access_denied",
            "code_expired" => "expired_token",
            "incorrect_client_credentials" => "invalid_client",
            "bad_verification_code" | "incorrect_device_code" => "invalid_grant",
            _ => return code,
        };
        standard.to_owned()
    }

    /// What the provider says, in one line and without what nobody may see.
    pub(super) fn reason(&self, secrets: &[Secret]) -> String {
        let reason = match (&self.error, &self.error_description) {
            (Some(code), Some(text)) => format!("{} ({code})", text.trim()),
            (code, text) => code.clone().or_else(|| text.clone()).unwrap_or_default(),
        };
        text::one_line(&text::mask_secrets(&reason, secrets.iter().map(Secret::expose)))
    }
}

fn is_known(code: &str) -> bool {
    let code = Refusal { error: Some(code.to_owned()), error_description: None }.code();
    [&DEVICE_CODES[..], &FINAL_CODES, &TRANSIENT_CODES].concat().contains(&code.as_str())
}

/// Returns whether the same request may succeed later. The code decides; where it says nothing, or where a server in trouble may say anything
/// (`invalid_grant` with 503, because its database is down), the status does.
fn is_transient(status: http::StatusCode, code: &str) -> bool {
    let in_trouble = matches!(status.as_u16(), 408 | 429 | 502 | 503 | 504);
    if DEVICE_CODES.contains(&code) || (FINAL_CODES.contains(&code) && !in_trouble) {
        return false;
    }
    in_trouble || status.is_server_error() || TRANSIENT_CODES.contains(&code)
}

/// Tells success and refusal apart: by the error in the body where there is one, else by the status.
fn judge(answer: RawResponse, secrets: &[Secret], now: SystemTime) -> Result<Reply> {
    let refusal = Refusal::read(&answer.body);
    if answer.status.is_success() && refusal.error.is_none() {
        return Ok(Reply::Success(answer.body));
    }
    let (code, error) = (refusal.code(), refused(&answer, secrets, now));
    if is_transient(answer.status, &code) {
        return Err(error);
    }
    let wants_basic = || {
        let challenge = answer.headers.get(header::WWW_AUTHENTICATE).and_then(|value| value.to_str().ok());
        let scheme = challenge.and_then(|challenge| challenge.split_whitespace().next()).unwrap_or_default();
        answer.status == http::StatusCode::UNAUTHORIZED && scheme.eq_ignore_ascii_case("basic") && !is_known(&code)
    };
    let rejects_client = code == "invalid_client" || wants_basic();
    Ok(Reply::Refused { retry_after: http_util::retry_after(&answer.headers, now), code, error, rejects_client })
}

/// What an answer that is no success means; `now` is for a `Retry-After` that is a date.
pub(super) fn refused(answer: &RawResponse, secrets: &[Secret], now: SystemTime) -> Error {
    let error = refusal(answer.status, &answer.body, secrets);
    match http_util::retry_after(&answer.headers, now) {
        Some(asked) if error.is_transient() => {
            error.with_retry_after(Some(asked)).with_note(format!("it asks for a pause of {asked:.0?}"))
        }
        _ => error,
    }
}

/// An error answer, or whatever came in its place.
fn refusal(status: http::StatusCode, body: &[u8], secrets: &[Secret]) -> Error {
    let refusal = Refusal::read(body);
    let code = refusal.code();
    let is_transient = is_transient(status, &code);
    let finish = |error: Error| {
        let error = error.with_status(status);
        if is_transient { error.transient() } else { error }
    };
    let reason = refusal.reason(secrets);
    if refusal.error.is_none() {
        return finish(Error::auth(match status.as_u16() {
            404 => {
                "the identity provider knows no such path (404); check the base URL, the workspace and the token path"
                    .into()
            }
            _ if reason.is_empty() => format!("the identity provider answered {status} without saying why"),
            _ => format!("the identity provider answered {status}: {reason}"),
        }));
    }
    let advice = match code.as_str() {
        "invalid_grant" => "; log in again or give other credentials",
        "invalid_client" | "unauthorized_client" => "; check the client id, its secret, and which grants it may use",
        "realm does not exist" => "; check the workspace's name",
        _ => "",
    };
    let error =
        Error::auth(format!("the identity provider refused: {reason}{advice}")).with_api_message(Some(reason), None);
    let needs_login = matches!(code.as_str(), "invalid_grant" | "invalid_client" | "unauthorized_client");
    finish(if needs_login && !is_transient { error.login_needed() } else { error })
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
