//! Client authentication at the identity provider: RFC 6749 section 2.3.1.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use url::form_urlencoded::byte_serialize;

use super::secret::Secret;

/// The method by which a confidential client sends its secret to the identity provider (RFC 6749 section 2.3.1). A public client sends its id in
/// the form with either method.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum ClientAuthMethod {
    /// `client_secret_post`: in the form, beside the client id. The default, and the guide's.
    #[default]
    SecretPost,
    /// `client_secret_basic`: in the `Authorization` header, with id and secret form-encoded before base64.
    SecretBasic,
}

impl ClientAuthMethod {
    /// Returns the only method that `token_endpoint_auth_methods_supported` lists (RFC 8414 section 2). `None`: both, or neither.
    pub(super) fn only_of(supported: &[String]) -> Option<Self> {
        let has = |name: &str| supported.iter().any(|method| method.eq_ignore_ascii_case(name));
        match (has("client_secret_post"), has("client_secret_basic")) {
            (true, false) => Some(Self::SecretPost),
            (false, true) => Some(Self::SecretBasic),
            _ => None,
        }
    }
}

/// The program's identity at the identity provider (RFC 6749 section 2).
#[derive(Debug, Clone)]
pub(crate) struct ClientIdentity {
    pub(crate) id: String,
    pub(crate) secret: Option<Secret>,
}

impl ClientIdentity {
    pub(crate) fn new(id: impl Into<String>) -> Self {
        Self { id: id.into(), secret: None }
    }

    /// Returns the client's secret in every form in which a provider may repeat it.
    pub(super) fn secrets(&self) -> Vec<Secret> {
        let Some(secret) = &self.secret else { return Vec::new() };
        let (id, encoded) = (form_encoded(&self.id), form_encoded(secret.expose()));
        let basic = STANDARD.encode([id.as_str(), encoded.as_str()].join(":"));
        vec![secret.clone(), encoded.into(), basic.into()]
    }
}

fn form_encoded(text: &str) -> String {
    byte_serialize(text.as_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_the_only_method_that_a_provider_supports() {
        let only =
            |names: &[&str]| ClientAuthMethod::only_of(&names.iter().map(ToString::to_string).collect::<Vec<_>>());
        let basic = Some(ClientAuthMethod::SecretBasic);
        assert_eq!(only(&["client_secret_basic"]), basic);
        assert_eq!(only(&["private_key_jwt", "CLIENT_SECRET_BASIC", "none"]), basic);
        assert_eq!(only(&["client_secret_post"]), Some(ClientAuthMethod::SecretPost));
        assert_eq!(only(&["client_secret_basic", "client_secret_post"]), None);
        assert_eq!((only(&["private_key_jwt"]), only(&[])), (None, None));
    }
}
