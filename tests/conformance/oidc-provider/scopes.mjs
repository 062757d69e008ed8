// Scopes, and the one resource that access tokens are for. A resource is what makes them JWTs, which the service can check by itself.

/** Keycloak adds these to whatever a client asks for, and so a request without any is good there. */
const USUAL = ["profile", "email"];

export const SUPPORTED = ["openid", "offline_access", ...USUAL];

export const API = "urn:documine:api";

/** What the provider has to know of that resource (RFC 8707). */
export const api = { scope: SUPPORTED.join(" "), audience: API, accessTokenFormat: "jwt" };

/** What was asked for, and the usual ones; what is unknown is passed over. */
export function scopes(asked = "") {
  return [...new Set([...asked.split(" "), ...USUAL])].filter((scope) => SUPPORTED.includes(scope)).join(" ");
}
