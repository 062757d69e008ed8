//! The device authorization grant: RFC 8628. A person opens a page on any device, and confirms there what this program shows.

use std::time::Duration;

use oauth2::PkceCodeChallenge;
use serde::Deserialize;
use url::Url;

use super::super::endpoint::{ClientIdentity, Reply, TokenEndpoint};
use super::super::token::{Secret, TokenSet};
use super::denied;
use crate::clock::Clock;
use crate::error::{Error, Result};

/// RFC 8628 section 3.2: the interval where the provider names none.
const USUAL_INTERVAL: u64 = 5;
/// RFC 8628 section 3.5: how much `slow_down` adds, for this poll and all that follow.
const SLOWER: Duration = Duration::from_secs(5);
/// The longest pause between two polls of a provider that can't be reached.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

const DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";
const OPERATION: &str = "login by device code";

/// What a person needs to confirm a login on another device (RFC 8628 section 3.2).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeviceCode {
    /// The code to type, as it is to be shown: `WDJB-MJHT`.
    pub user_code: String,
    /// Where to type it.
    pub verification_uri: String,
    /// The same page with the code in its address, for a link or a QR code. Not every provider has one.
    pub verification_uri_complete: Option<String>,
    /// How long the program pauses between two questions.
    pub interval: Duration,
    /// How long the code is good for.
    pub expires_in: Duration,
}

/// What is asked for, and for whom.
pub(in crate::auth) struct DeviceLogin<'a> {
    pub(in crate::auth) endpoint: &'a TokenEndpoint,
    /// The device authorization endpoint; it may need another connection than the token endpoint.
    pub(in crate::auth) start: (&'a Url, &'a reqwest::Client),
    pub(in crate::auth) client: &'a ClientIdentity,
    pub(in crate::auth) scopes: &'a [String],
    pub(in crate::auth) clock: &'a dyn Clock,
}

impl DeviceLogin<'_> {
    /// Shows the code, and asks until the person has confirmed it.
    pub(in crate::auth) async fn run(&self, show: impl FnOnce(&DeviceCode)) -> Result<TokenSet> {
        self.steps(show).await.map_err(|error| error.with_operation(OPERATION))
    }

    async fn steps(&self, show: impl FnOnce(&DeviceCode)) -> Result<TokenSet> {
        // Sent always: some clients must (RFC 7636 at the device grant is Keycloak's own), and no provider minds.
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let started = self.clock.monotonic();
        let scope = self.scopes.join(" ");
        let mut form =
            vec![("code_challenge", challenge.as_str()), ("code_challenge_method", challenge.method().as_str())];
        // An empty scope is refused by some.
        if !scope.is_empty() {
            form.push(("scope", &scope));
        }
        let (url, http) = self.start;
        let answer = match self.endpoint.post(http, url, self.client, &form).await? {
            Reply::Success(body) => Answer::read(&body)?,
            Reply::Refused { error, .. } => return Err(error),
        };
        let code = answer.shown();
        show(&code);
        let form = [
            ("grant_type", DEVICE_CODE),
            ("device_code", answer.device_code.expose()),
            ("code_verifier", verifier.secret()),
        ];
        let mut interval = code.interval;
        let mut pause = interval;
        loop {
            self.clock.sleep(pause).await;
            let over = self.clock.monotonic().saturating_sub(started) >= code.expires_in;
            pause = match self.endpoint.poll(self.client, &form).await {
                Ok(Reply::Success(body)) => return self.endpoint.read(&body),
                Ok(Reply::Refused { code, .. }) if code == "authorization_pending" => interval,
                Ok(Reply::Refused { code, .. }) if code == "slow_down" => {
                    interval += SLOWER;
                    interval
                }
                Ok(Reply::Refused { code, error }) => return Err(refused(&code, error)),
                // The person is still at it: a provider that can't be reached for a while ends nothing, but it is asked less often (section 3.5).
                Err(error) if error.is_transient() && !over => (pause * 2).min(LONGEST_PAUSE.max(interval)),
                Err(error) => return Err(error),
            };
            if over {
                return Err(expired());
            }
        }
    }
}

fn refused(code: &str, error: Error) -> Error {
    match code {
        "access_denied" => denied(),
        "expired_token" => expired(),
        _ => error,
    }
}

fn expired() -> Error {
    Error::auth("the code has expired before anybody confirmed it; begin again").login_needed()
}

/// The answer of the device authorization endpoint.
#[derive(Deserialize)]
struct Answer {
    /// Whoever has it gets the tokens.
    device_code: Secret,
    user_code: String,
    verification_uri: String,
    verification_uri_complete: Option<String>,
    expires_in: u64,
    interval: Option<u64>,
}

impl Answer {
    fn read(body: &[u8]) -> Result<Self> {
        // The body holds a secret, so not a byte of it is shown.
        let answer: Self = serde_json::from_slice(body)
            .map_err(|_| Error::auth("the identity provider's answer holds no device code; check the device path"))?;
        // It is shown to a person, who may click on it.
        let links = [Some(&answer.verification_uri), answer.verification_uri_complete.as_ref()];
        for link in links.into_iter().flatten() {
            if !Url::parse(link).is_ok_and(|url| matches!(url.scheme(), "https" | "http")) {
                return Err(Error::auth("the identity provider names a page that is no web address"));
            }
        }
        Ok(answer)
    }

    fn shown(&self) -> DeviceCode {
        let plain = |text: &str| crate::text::one_line(text);
        DeviceCode {
            user_code: plain(&self.user_code),
            verification_uri: plain(&self.verification_uri),
            verification_uri_complete: self.verification_uri_complete.as_deref().map(plain),
            // Zero would be no pause at all.
            interval: Duration::from_secs(self.interval.unwrap_or(USUAL_INTERVAL).max(1)),
            expires_in: Duration::from_secs(self.expires_in),
        }
    }
}
