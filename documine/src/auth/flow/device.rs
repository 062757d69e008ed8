//! The device authorization grant: RFC 8628. The program shows a code, and the person confirms it on any device.

use std::time::Duration;

use oauth2::PkceCodeChallenge;
use url::Url;

use super::access_denied;
use crate::auth::client_auth::ClientIdentity;
use crate::auth::lenient::LenientObject;
use crate::auth::oauth_request::OauthRequest;
use crate::auth::secret::Secret;
use crate::auth::token::TokenSet;
use crate::auth::token_endpoint::{EndpointConnection, EndpointResponse, TokenEndpoint};
use crate::clock::Clock;
use crate::error::{Error, ErrorKind, Result, TimeoutPhase};

/// The polling interval if the provider names no plausible one (RFC 8628 section 3.2).
const DEFAULT_INTERVAL: Duration = Duration::from_secs(5);
/// The shortest polling interval.
const MIN_INTERVAL: Duration = Duration::from_secs(1);
/// The lifetime of a code if the provider names no plausible one: the longest common one. The provider reports an earlier expiry itself.
const DEFAULT_LIFETIME: Duration = Duration::from_secs(30 * 60);
/// The default time limit of a login.
pub(in crate::auth) const DEFAULT_TIME_LIMIT: Duration = Duration::from_secs(60 * 60);
/// The increase of the interval by `slow_down`, for this poll and all later ones (RFC 8628 section 3.5).
const SLOW_DOWN_STEP: Duration = Duration::from_secs(5);
/// The longest delay between two polls of an unreachable provider, and the longest delay that may exceed the lifetime of the code.
const MAX_DELAY: Duration = Duration::from_secs(60);

const OPERATION: &str = "login by device code";

/// The code and the page that a person needs to confirm a login on another device (RFC 8628 section 3.2).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeviceCode {
    /// The code to type, as it should be shown: `WDJB-MJHT`.
    pub user_code: String,
    /// The page to type the code into.
    pub verification_uri: String,
    /// The same page with the code in its URL, for a link or a QR code. Not every provider has one.
    pub verification_uri_complete: Option<String>,
    /// The polling interval.
    pub interval: Duration,
    /// The time that the program waits for the person: the lifetime of the code, at most the time limit of the login.
    pub expires_in: Duration,
}

/// The parameters of a device login.
pub(in crate::auth) struct DeviceLogin<'a> {
    pub(in crate::auth) endpoint: &'a TokenEndpoint,
    /// The device authorization endpoint, which may need another HTTP client than the token endpoint.
    pub(in crate::auth) device: &'a EndpointConnection,
    pub(in crate::auth) client: &'a ClientIdentity,
    pub(in crate::auth) scopes: &'a [String],
    /// The longest time from the first request to the tokens.
    pub(in crate::auth) limit: Duration,
    pub(in crate::auth) clock: &'a dyn Clock,
}

impl DeviceLogin<'_> {
    /// Requests a code, shows it, and polls until the person has confirmed it.
    pub(in crate::auth) async fn run(&self, show: impl FnOnce(&DeviceCode)) -> Result<TokenSet> {
        self.authorize(show).await.map_err(|error| error.with_operation(OPERATION))
    }

    async fn authorize(&self, show: impl FnOnce(&DeviceCode)) -> Result<TokenSet> {
        // Some clients have to use PKCE here (Keycloak's extension of RFC 7636), and other providers ignore the fields.
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let started = self.clock.monotonic();
        let request = OauthRequest::DeviceAuthorization { challenge: &challenge, scopes: self.scopes };
        let authorization = match self.endpoint.post(self.device, self.client, &request).await? {
            EndpointResponse::Success(body) => DeviceAuthorization::parse(&body)?,
            EndpointResponse::Rejected { error, .. } => return Err(error),
        };
        let end = authorization.lifetime.min(self.limit);
        let code = authorization.displayed_code(end);
        show(&code);
        let request = OauthRequest::DeviceToken { device_code: &authorization.device_code, verifier: &verifier };
        let elapsed = || self.clock.monotonic().saturating_sub(started);
        let mut interval = code.interval;
        let mut delay = interval;
        loop {
            // One poll may come after the end, because the provider's clock may differ. A longer delay would be useless.
            let longest = end.saturating_sub(elapsed()).max(MAX_DELAY);
            self.clock.sleep(delay.min(longest).min(self.limit.saturating_sub(elapsed()))).await;
            let is_over = elapsed() >= end;
            let (own, requested) = match self.endpoint.poll(self.client, &request).await {
                Ok(EndpointResponse::Success(body)) => return self.endpoint.parse_tokens(&body),
                Ok(EndpointResponse::Rejected { code, retry_after, .. }) if code == "authorization_pending" => {
                    (interval, retry_after)
                }
                Ok(EndpointResponse::Rejected { code, retry_after, .. }) if code == "slow_down" => {
                    interval += SLOW_DOWN_STEP;
                    (interval, retry_after)
                }
                Ok(EndpointResponse::Rejected { code, error, .. }) => {
                    return Err(match code.as_str() {
                        "access_denied" => access_denied(),
                        "expired_token" => expired(),
                        _ => error,
                    });
                }
                // The person may still confirm, so a transient failure only makes the polls rarer (section 3.5).
                Err(error) if error.is_transient() && !is_over => {
                    ((delay * 2).min(MAX_DELAY.max(interval)), error.retry_after())
                }
                Err(error) => return Err(error),
            };
            if is_over {
                return Err(if end < authorization.lifetime { timed_out(self.limit) } else { expired() });
            }
            delay = own.max(requested.unwrap_or_default().min(end.saturating_sub(elapsed())));
        }
    }
}

fn expired() -> Error {
    Error::auth("the device code expired before it was confirmed; start the login again").login_needed()
}

fn timed_out(limit: Duration) -> Error {
    let text = format!(
        "timed out after {limit:?} waiting for the person to confirm; start the login again, or set a longer `time_limit`"
    );
    Error::new(ErrorKind::Timeout, text).with_phase(TimeoutPhase::Login)
}

/// The response of the device authorization endpoint.
struct DeviceAuthorization {
    /// The code that is exchanged for the tokens.
    device_code: Secret,
    user_code: String,
    verification_uri: String,
    verification_uri_complete: Option<String>,
    lifetime: Duration,
    interval: Duration,
}

impl DeviceAuthorization {
    fn parse(body: &[u8]) -> Result<Self> {
        // Google's names beside the standard's.
        const PAGE: [&str; 2] = ["verification_uri", "verification_url"];
        const PAGE_WITH_CODE: [&str; 2] = ["verification_uri_complete", "verification_url_complete"];
        // The body holds a secret, so no byte of it is shown.
        let missing = || Error::auth("the identity provider's response holds no device code; check the device path");
        let response = LenientObject::parse(body).ok_or_else(missing)?.object_with("device_code");
        let complete = response.text(&PAGE_WITH_CODE);
        let page = response.text(&PAGE).or_else(|| complete.clone()).ok_or_else(missing)?;
        // A person may open the page by a click, so other schemes are rejected.
        for link in complete.iter().chain([&page]) {
            if !Url::parse(link).is_ok_and(|url| matches!(url.scheme(), "https" | "http")) {
                return Err(Error::auth("the identity provider's verification page is not an http or https URL"));
            }
        }
        let lifetime = response.duration(&["expires_in"]).unwrap_or(DEFAULT_LIFETIME);
        // With an interval longer than the lifetime of the code, no poll could succeed.
        let interval = response.duration(&["interval"]).filter(|interval| *interval <= lifetime);
        Ok(Self {
            device_code: response.secret("device_code").ok_or_else(missing)?,
            user_code: response.text(&["user_code"]).ok_or_else(missing)?,
            verification_uri: page,
            verification_uri_complete: complete,
            lifetime,
            interval: interval.unwrap_or(DEFAULT_INTERVAL).max(MIN_INTERVAL),
        })
    }

    fn displayed_code(&self, end: Duration) -> DeviceCode {
        let plain = |text: &str| crate::text::one_line(text);
        DeviceCode {
            user_code: plain(&self.user_code),
            verification_uri: plain(&self.verification_uri),
            verification_uri_complete: self.verification_uri_complete.as_deref().map(plain),
            interval: self.interval,
            expires_in: end,
        }
    }
}
