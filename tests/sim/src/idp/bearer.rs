//! Bearer tokens of API requests: accepted kinds, the caller, and errors.

use std::fmt;
use std::str::FromStr;

use http::StatusCode;

/// The tokens that the simulator's API accepts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum AuthMode {
    /// Tokens of the simulator's own identity provider.
    #[default]
    Own,
    /// Tokens signed by another identity provider, whose keys are published at this URL.
    Jwks(String),
    /// Any token.
    Any,
    /// No token is required.
    None,
}

impl FromStr for AuthMode {
    type Err = String;

    /// Parses `own`, `jwks:URL`, `any` or `none`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "own" => Ok(Self::Own),
            "any" => Ok(Self::Any),
            "none" => Ok(Self::None),
            _ => {
                let url = text
                    .strip_prefix("jwks:")
                    .ok_or_else(|| format!("unknown mode `{text}`; use own, jwks:URL, any or none"))?;
                match url::Url::parse(url) {
                    Ok(parsed) if matches!(parsed.scheme(), "http" | "https") => Ok(Self::Jwks(url.to_owned())),
                    Ok(_) => Err(format!("`{url}` is not an http or https URL")),
                    Err(error) => Err(format!("`{url}` is not a URL: {error}")),
                }
            }
        }
    }
}

impl fmt::Display for AuthMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Own => f.write_str("own"),
            Self::Jwks(url) => write!(f, "jwks:{url}"),
            Self::Any => f.write_str("any"),
            Self::None => f.write_str("none"),
        }
    }
}

/// The caller of an API request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Principal {
    /// The user's id. Empty if the mode requires no token of a user.
    pub subject: String,
    /// The user's name, if the token contains it.
    pub username: Option<String>,
    /// The client to which the token was issued.
    pub client_id: Option<String>,
    /// The session of the token.
    pub session: Option<String>,
}

/// The reason why a bearer token is rejected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BearerError {
    /// The request has no token.
    #[error("No access token was sent")]
    Missing,
    /// The token has expired.
    #[error("The access token has expired")]
    Expired,
    /// The token was revoked, or its session has ended.
    #[error("The access token was revoked")]
    Revoked,
    /// The user's account is disabled.
    #[error("The user account is disabled")]
    UserDisabled,
    /// The token is not a valid access token.
    #[error("The access token is not valid: {0}")]
    Invalid(String),
    /// The keys of the other identity provider are not available.
    #[error("The keys of the identity provider cannot be fetched: {0}")]
    KeysUnavailable(String),
}

impl BearerError {
    /// Returns the status of the response: 401, or 503 if the token could not be checked.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::KeysUnavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::UNAUTHORIZED,
        }
    }

    /// Returns the `WWW-Authenticate` header of the response (RFC 6750, section 3).
    pub fn www_authenticate(&self, realm: &str) -> String {
        match self {
            Self::Missing => format!("Bearer realm=\"{realm}\""),
            // Messages of libraries and servers may contain quotes, so the header holds only our own texts.
            Self::Invalid(_) | Self::KeysUnavailable(_) => format!("Bearer realm=\"{realm}\", error=\"invalid_token\""),
            _ => format!("Bearer realm=\"{realm}\", error=\"invalid_token\", error_description=\"{self}\""),
        }
    }
}

#[cfg(test)]
#[allow(clippy::expect_used)]
mod tests {
    use super::*;

    #[test]
    fn modes_round_trip_through_text() {
        for text in ["own", "any", "none", "jwks:http://127.0.0.1:8080/certs"] {
            assert_eq!(text.parse::<AuthMode>().expect("a mode").to_string(), text);
        }
        for text in ["", "OWN", "jwks:", "jwks:file:///etc/passwd", "jwks:certs"] {
            assert!(text.parse::<AuthMode>().is_err(), "{text}");
        }
    }
}
