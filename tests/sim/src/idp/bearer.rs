//! Who may use the API: judges the bearer token of an API request.

use std::fmt;
use std::str::FromStr;

use http::StatusCode;

/// Which tokens open the simulator's API.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum AuthMode {
    /// Those of the simulator's own identity provider.
    #[default]
    Own,
    /// Those signed by another identity provider, whose keys are published at this URL.
    Jwks(String),
    /// Any token, as long as there is one.
    Any,
    /// None is needed.
    None,
}

impl FromStr for AuthMode {
    type Err = String;

    /// Reads `own`, `jwks:URL`, `any` or `none`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "own" => Ok(Self::Own),
            "any" => Ok(Self::Any),
            "none" => Ok(Self::None),
            _ => {
                let url = text
                    .strip_prefix("jwks:")
                    .ok_or_else(|| format!("`{text}` is none of own, jwks:URL, any, none"))?;
                match url::Url::parse(url) {
                    Ok(parsed) if matches!(parsed.scheme(), "http" | "https") => Ok(Self::Jwks(url.to_owned())),
                    Ok(_) => Err(format!("`{url}` is no http or https URL")),
                    Err(error) => Err(format!("`{url}` is no URL: {error}")),
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

/// Who sent an API request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Principal {
    /// The user's id; empty where the mode asks for no real token.
    pub subject: String,
    /// The user's name, if the token tells it.
    pub username: Option<String>,
    /// The client the token was given to.
    pub client_id: Option<String>,
    /// The session the token belongs to.
    pub session: Option<String>,
}

/// Why a bearer token does not open the API.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BearerError {
    /// There is none.
    Missing,
    /// Its time is over.
    Expired,
    /// It was revoked, or its session has ended.
    Revoked,
    /// The user's account was disabled.
    UserDisabled,
    /// It is no access token that can be trusted.
    Invalid(String),
    /// The keys of the other identity provider can't be had.
    KeysUnavailable(String),
}

impl BearerError {
    /// The status of the answer: 401, or 503 if the token could not be judged.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::KeysUnavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::UNAUTHORIZED,
        }
    }

    /// The `WWW-Authenticate` header of the answer (RFC 6750 3).
    pub fn www_authenticate(&self, realm: &str) -> String {
        match self {
            Self::Missing => format!("Bearer realm=\"{realm}\""),
            // What a foreign library or server said may hold quotes, so only our own words go into the header.
            Self::Invalid(_) | Self::KeysUnavailable(_) => format!("Bearer realm=\"{realm}\", error=\"invalid_token\""),
            _ => format!("Bearer realm=\"{realm}\", error=\"invalid_token\", error_description=\"{self}\""),
        }
    }
}

impl fmt::Display for BearerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("No access token was sent"),
            Self::Expired => f.write_str("The access token has expired"),
            Self::Revoked => f.write_str("The access token was revoked"),
            Self::UserDisabled => f.write_str("The user account is disabled"),
            Self::Invalid(why) => write!(f, "The access token is not valid: {why}"),
            Self::KeysUnavailable(why) => write!(f, "The keys of the identity provider can't be fetched: {why}"),
        }
    }
}

impl std::error::Error for BearerError {}

#[cfg(test)]
#[allow(clippy::expect_used)]
mod tests {
    use super::*;

    #[test]
    fn modes_read_what_they_print() {
        for text in ["own", "any", "none", "jwks:http://127.0.0.1:8080/certs"] {
            assert_eq!(text.parse::<AuthMode>().expect("a mode").to_string(), text);
        }
        for text in ["", "OWN", "jwks:", "jwks:file:///etc/passwd", "jwks:certs"] {
            assert!(text.parse::<AuthMode>().is_err(), "{text}");
        }
    }
}
