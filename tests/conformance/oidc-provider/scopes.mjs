// Scopes, and the resource of the access tokens. A resource makes access tokens JWTs, which the service can verify itself.

/** Keycloak adds these scopes to every request, so a request without a scope is valid there. */
const USUAL = ["profile", "email"];

export const SUPPORTED = ["openid", "offline_access", ...USUAL];

export const API = "urn:documine:api";

/** The description of the resource for the provider (RFC 8707). */
export const api = { scope: SUPPORTED.join(" "), audience: API, accessTokenFormat: "jwt" };

/** Returns the requested and the default scopes; unknown scopes are ignored. */
export function scopes(asked = "") {
  return [...new Set([...asked.split(" "), ...USUAL])].filter((scope) => SUPPORTED.includes(scope)).join(" ");
}
