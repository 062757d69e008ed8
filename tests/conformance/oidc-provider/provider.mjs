// The provider of one realm: oidc-provider with Keycloak's paths and lifetimes, otherwise with the library's defaults.

import { generateKeyPairSync } from "node:crypto";

import { Provider } from "oidc-provider";

import { loginPages, loginUrl } from "./login.mjs";
import * as pages from "./pages.mjs";
import { byPassword, FIELDS } from "./password.mjs";
import { API, api, scopes, SUPPORTED } from "./scopes.mjs";

/** Creates a signing key. */
export function newKey() {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  return { ...privateKey.export({ format: "jwk" }), alg: "RS256", use: "sig" };
}

/** Creates the provider of `realm`: signs with `key`, stores tokens in `store`, counts token requests in `counts`. */
export function makeProvider(issuer, realm, store, key, counts) {
  const protocol = (name) => `/protocol/openid-connect/${name}`;
  const account = (id) => realm.users.find((user) => user.id === id && user.enabled);
  const provider = new Provider(issuer, {
    adapter: (kind) => store.adapter(kind),
    clients: realm.clients,
    jwks: { keys: [key] },
    cookies: { keys: ["a cookie of a test provider"] },
    // Lifetimes are a few seconds here.
    clockTolerance: 1,
    scopes: SUPPORTED,
    claims: { openid: ["sub"], profile: ["preferred_username"], email: ["email"] },
    // Called for each authorization request, also without this field: the place for defaults.
    extraParams: { usual_scopes: (ctx) => void (ctx.oidc.params.scope = scopes(ctx.oidc.params.scope)) },
    findAccount: (_ctx, id) => {
      const user = account(id);
      const claims = () => ({ sub: id, preferred_username: user.username, email: user.email });
      return user && { accountId: id, claims };
    },
    extraTokenClaims: (_ctx, token) => ({
      typ: "Bearer",
      azp: token.clientId,
      preferred_username: account(token.accountId)?.username,
    }),
    features: {
      devInteractions: { enabled: false },
      deviceFlow: { enabled: true, ...pages.device },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => API,
        getResourceServerInfo: () => ({ ...api, accessTokenTTL: realm.access }),
        // Otherwise access tokens of requests for `openid` would be opaque.
        useGrantedResource: () => true,
      },
      revocation: { enabled: true },
      rpInitiatedLogout: {
        enabled: true,
        logoutSource: async (ctx, form) => void (ctx.body = pages.logOut(form)),
        postLogoutSuccessSource: async (ctx) => void (ctx.body = pages.loggedOut()),
      },
    },
    interactions: { url: loginUrl },
    issueRefreshToken: (_ctx, client) => client.grantTypeAllowed("refresh_token"),
    expiresWithSession: () => false,
    renderError: pages.renderError,
    rotateRefreshToken: realm.rotates,
    routes: {
      authorization: protocol("auth"),
      code_verification: "/device",
      device_authorization: protocol("auth/device"),
      end_session: protocol("logout"),
      jwks: protocol("certs"),
      revocation: protocol("revoke"),
      token: protocol("token"),
      userinfo: protocol("userinfo"),
    },
    ttl: {
      AccessToken: realm.access,
      AuthorizationCode: realm.code,
      DeviceCode: realm.device,
      Grant: realm.longest,
      IdToken: realm.access,
      Interaction: 1800,
      RefreshToken: realm.idle,
      Session: realm.longest,
    },
  });
  provider.registerGrantType("password", byPassword(realm), FIELDS);
  provider.use(loginPages(provider, realm));
  // The interval may be omitted if it is five seconds (RFC 8628 section 3.2); ours may differ.
  provider.on("device_authorization.success", (_ctx, answer) => void (answer.interval = realm.interval));
  const count = (ctx) => {
    const { client_id: client = "none", grant_type: grant = "none" } = ctx.oidc.params ?? {};
    counts[client] ??= {};
    counts[client][grant] = (counts[client][grant] ?? 0) + 1;
  };
  provider.on("grant.success", count);
  provider.on("grant.error", count);
  provider.on("server_error", (_ctx, error) => console.error(error));
  return provider;
}
