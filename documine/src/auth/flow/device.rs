//! The device authorization grant: RFC 8628. A person opens a page on any device, and confirms there what this program shows.

use std::time::Duration;

use oauth2::PkceCodeChallenge;
use url::Url;

use super::super::endpoint::{ClientIdentity, Reply, TokenEndpoint};
use super::super::members::Members;
use super::super::token::{Secret, TokenSet};
use super::denied;
use crate::clock::Clock;
use crate::error::{Error, ErrorKind, Result, TimeoutPhase};

/// RFC 8628 section 3.2: the interval where the provider names none that makes sense.
const DEFAULT_INTERVAL: Duration = Duration::from_secs(5);
/// A shorter interval would be no pause at all.
const SHORTEST_INTERVAL: Duration = Duration::from_secs(1);
/// The life of a code where the provider names none that makes sense: the longest that is common. The provider ends it earlier by its own word.
const DEFAULT_LIFETIME: Duration = Duration::from_secs(30 * 60);
/// The time limit of a login where the caller sets none.
pub(in crate::auth) const DEFAULT_TIME_LIMIT: Duration = Duration::from_secs(60 * 60);
/// RFC 8628 section 3.5: how much `slow_down` adds, for this poll and all that follow.
const SLOWER: Duration = Duration::from_secs(5);
/// The longest pause between two polls of a provider that can't be reached, and the longest that a pause may outlast the code.
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
    /// The time that the program waits for the person: the life of the code, at most the time limit of the login.
    pub expires_in: Duration,
}

/// What is asked for, and for whom.
pub(in crate::auth) struct DeviceLogin<'a> {
    pub(in crate::auth) endpoint: &'a TokenEndpoint,
    /// The device authorization endpoint; it may need another connection than the token endpoint.
    pub(in crate::auth) start: (&'a Url, &'a reqwest::Client),
    pub(in crate::auth) client: &'a ClientIdentity,
    pub(in crate::auth) scopes: &'a [String],
    /// The longest time from the first request to the tokens.
    pub(in crate::auth) limit: Duration,
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
        let end = answer.lifetime.min(self.limit);
        let code = answer.shown(end);
        show(&code);
        let form = [
            ("grant_type", DEVICE_CODE),
            ("device_code", answer.device_code.expose()),
            ("code_verifier", verifier.secret()),
        ];
        let elapsed = || self.clock.monotonic().saturating_sub(started);
        let mut interval = code.interval;
        let mut pause = interval;
        loop {
            // One poll may come after the end, because the provider's clock may differ; a longer pause would be waited for nothing.
            let longest = end.saturating_sub(elapsed()).max(LONGEST_PAUSE);
            self.clock.sleep(pause.min(longest).min(self.limit.saturating_sub(elapsed()))).await;
            let over = elapsed() >= end;
            let (own, asked) = match self.endpoint.poll(self.client, &form).await {
                Ok(Reply::Success(body)) => return self.endpoint.read(&body),
                Ok(Reply::Refused { code, retry_after, .. }) if code == "authorization_pending" => {
                    (interval, retry_after)
                }
                Ok(Reply::Refused { code, retry_after, .. }) if code == "slow_down" => {
                    interval += SLOWER;
                    (interval, retry_after)
                }
                Ok(Reply::Refused { code, error, .. }) => return Err(refused(&code, error)),
                // The person is still at it: a provider that can't be reached for a while ends nothing, but it is asked less often (section 3.5).
                Err(error) if error.is_transient() && !over => {
                    ((pause * 2).min(LONGEST_PAUSE.max(interval)), error.retry_after())
                }
                Err(error) => return Err(error),
            };
            if over {
                return Err(if end < answer.lifetime { timed_out(self.limit) } else { expired() });
            }
            pause = own.max(asked.unwrap_or_default().min(end.saturating_sub(elapsed())));
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

fn timed_out(limit: Duration) -> Error {
    let text = format!(
        "timed out after {limit:?} waiting for the person to confirm; begin again, or set a longer `time_limit`"
    );
    Error::new(ErrorKind::Timeout, text).with_phase(TimeoutPhase::Login)
}

/// The answer of the device authorization endpoint.
struct Answer {
    /// Whoever has it gets the tokens.
    device_code: Secret,
    user_code: String,
    verification_uri: String,
    verification_uri_complete: Option<String>,
    lifetime: Duration,
    interval: Duration,
}

impl Answer {
    fn read(body: &[u8]) -> Result<Self> {
        // Google's names beside the standard's.
        const PAGE: [&str; 2] = ["verification_uri", "verification_url"];
        const PAGE_WITH_CODE: [&str; 2] = ["verification_uri_complete", "verification_url_complete"];
        // The body holds a secret, so not a byte of it is shown.
        let unclear = || Error::auth("the identity provider's answer holds no device code; check the device path");
        let members = Members::read(body).ok_or_else(unclear)?.holder_of("device_code");
        let complete = members.text(&PAGE_WITH_CODE);
        let page = members.text(&PAGE).or_else(|| complete.clone()).ok_or_else(unclear)?;
        // It is shown to a person, who may click on it.
        for link in complete.iter().chain([&page]) {
            if !Url::parse(link).is_ok_and(|url| matches!(url.scheme(), "https" | "http")) {
                return Err(Error::auth("the identity provider names a page that is no web address"));
            }
        }
        let lifetime = members.span(&["expires_in"]).unwrap_or(DEFAULT_LIFETIME);
        // With an interval beyond the life of the code no poll could succeed.
        let interval = members.span(&["interval"]).filter(|interval| *interval <= lifetime);
        Ok(Self {
            device_code: members.secret("device_code").ok_or_else(unclear)?,
            user_code: members.text(&["user_code"]).ok_or_else(unclear)?,
            verification_uri: page,
            verification_uri_complete: complete,
            lifetime,
            interval: interval.unwrap_or(DEFAULT_INTERVAL).max(SHORTEST_INTERVAL),
        })
    }

    fn shown(&self, end: Duration) -> DeviceCode {
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
