//! The signing keys of the realm: RS256 for access tokens (published at `certs`), HS512 for refresh tokens (opaque to clients).
//!
//! RS256 is the default of such providers, and every verifier supports it. Deriving RSA keys from a seed takes too long, so the crate contains two
//! test keys. The second key is used after a change of keys. The keys protect nothing.

use jsonwebtoken::crypto::{CryptoProvider, aws_lc};
use jsonwebtoken::jwk::{AlgorithmParameters, Jwk};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde_json::{Value, json};

use super::ids::IdGenerator;

const KEYS: [&[u8]; 2] = [include_bytes!("keys/first.der"), include_bytes!("keys/second.der")];

/// The keys of one realm. The state of the realm counts the changes of keys (`generation`) and thereby selects the signing key.
pub(super) struct SigningKeys {
    pairs: Vec<KeyPair>,
    ids: IdGenerator,
}

struct KeyPair {
    kid: String,
    signing: EncodingKey,
    verifying: DecodingKey,
    jwk: Value,
}

impl SigningKeys {
    pub(super) fn new(ids: IdGenerator) -> Self {
        // Installed explicitly: with a second backend in the program, jsonwebtoken would panic at the first token. An earlier choice is kept.
        let _ = CryptoProvider::install_default(&aws_lc::DEFAULT_PROVIDER);
        Self { pairs: KEYS.iter().filter_map(|der| KeyPair::read(der, ids)).collect(), ids }
    }

    fn pair(&self, generation: u32) -> Option<&KeyPair> {
        let count = u32::try_from(self.pairs.len()).ok().filter(|count| *count > 0)?;
        self.pairs.get(usize::try_from(generation % count).ok()?)
    }

    /// Signs an access token or ID token.
    pub(super) fn sign(&self, generation: u32, claims: &Value) -> Option<String> {
        let pair = self.pair(generation)?;
        let mut header = Header::new(Algorithm::RS256);
        header.kid = Some(pair.kid.clone());
        jsonwebtoken::encode(&header, claims, &pair.signing).ok()
    }

    /// Returns the claims of a token signed with the current key, at any age.
    pub(super) fn verify(&self, generation: u32, token: &str) -> Option<Value> {
        let pair = self.pair(generation)?;
        jsonwebtoken::decode(token, &pair.verifying, &signature_only(Algorithm::RS256)).ok().map(|token| token.claims)
    }

    /// Signs a refresh token.
    pub(super) fn sign_refresh(&self, generation: u32, claims: &Value) -> Option<String> {
        let secret = self.refresh_secret(generation);
        jsonwebtoken::encode(&Header::new(Algorithm::HS512), claims, &EncodingKey::from_secret(&secret)).ok()
    }

    /// Returns the claims of a refresh token of this realm, at any age.
    pub(super) fn verify_refresh(&self, generation: u32, token: &str) -> Option<Value> {
        let key = DecodingKey::from_secret(&self.refresh_secret(generation));
        jsonwebtoken::decode(token, &key, &signature_only(Algorithm::HS512)).ok().map(|token| token.claims)
    }

    fn refresh_secret(&self, generation: u32) -> [u8; 32] {
        self.ids.bytes("refresh-secret", &generation.to_string())
    }

    /// Returns the JSON Web Key Set (RFC 7517) with the current key.
    pub(super) fn jwks(&self, generation: u32) -> Value {
        let keys: Vec<&Value> = self.pair(generation).map(|pair| &pair.jwk).into_iter().collect();
        json!({ "keys": keys })
    }
}

impl KeyPair {
    fn read(der: &[u8], ids: IdGenerator) -> Option<Self> {
        let signing = EncodingKey::from_rsa_der(der);
        let jwk = Jwk::from_encoding_key(&signing, Algorithm::RS256).ok()?;
        let AlgorithmParameters::RSA(public) = &jwk.algorithm else { return None };
        // The key id depends on the seed, so that a key cache distinguishes realms of different seeds.
        let kid = ids.long("kid", &public.n);
        Some(Self {
            verifying: DecodingKey::from_rsa_components(&public.n, &public.e).ok()?,
            jwk: json!({ "kid": kid, "kty": "RSA", "alg": "RS256", "use": "sig", "n": public.n, "e": public.e }),
            kid,
            signing,
        })
    }
}

/// Validates the signature only. The simulated clock decides about the age.
fn signature_only(algorithm: Algorithm) -> Validation {
    let mut validation = Validation::new(algorithm);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_aud = false;
    validation
}

#[cfg(test)]
#[allow(clippy::expect_used)]
mod tests {
    use super::*;

    #[test]
    fn both_signing_keys_are_valid_and_differ() {
        let keys = SigningKeys::new(IdGenerator::new(1));
        assert_eq!(keys.pairs.len(), 2);
        assert_ne!(keys.jwks(0), keys.jwks(1));
        assert_eq!(keys.jwks(0), keys.jwks(2));
    }

    #[test]
    fn signatures_are_deterministic_and_bound_to_their_key() {
        let keys = SigningKeys::new(IdGenerator::new(1));
        let claims = json!({ "sub": "a" });
        let token = keys.sign(0, &claims).expect("signs");
        assert_eq!(keys.sign(0, &claims).as_deref(), Some(token.as_str()));
        assert_eq!(keys.verify(0, &token), Some(claims.clone()));
        assert_eq!(keys.verify(1, &token), None);
        assert_eq!(keys.verify_refresh(0, &token), None);
        let refresh = keys.sign_refresh(0, &claims).expect("signs");
        assert_eq!(keys.verify_refresh(0, &refresh), Some(claims));
        assert_eq!(keys.verify(0, &refresh), None);
    }
}
