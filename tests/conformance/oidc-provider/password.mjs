// The password grant (RFC 6749 section 4.3), which the library omits on purpose.

import { errors } from "oidc-provider";

import { hindrance, rightUser } from "./realm.mjs";
import { API, api, scopes } from "./scopes.mjs";

export const FIELDS = ["username", "password", "scope"];

/** Returns the handler for one realm. */
export const byPassword = (realm) => async (ctx) => {
  const { client, params, provider } = ctx.oidc;
  const user = rightUser(realm, params.username, params.password);
  const why = user ? hindrance(user) : "Invalid user credentials";
  // InvalidGrant of the library has no description.
  if (why) throw new errors.CustomOIDCProviderError("invalid_grant", why);

  const grant = new provider.Grant({ accountId: user.id, clientId: client.clientId });
  const scope = scopes(params.scope);
  grant.addOIDCScope(scope);
  grant.addResourceScope(API, scope);
  const common = { accountId: user.id, client, grantId: await grant.save(), gty: "password" };

  const access = new provider.AccessToken({ ...common, scope: grant.getResourceScope(API) });
  access.resourceServer = new provider.ResourceServer(API, api);
  const refresh = new provider.RefreshToken({ ...common, scope, resource: API, rotations: 0 });
  ctx.oidc.entity("AccessToken", access);
  ctx.oidc.entity("RefreshToken", refresh);
  ctx.body = {
    access_token: await access.save(),
    expires_in: access.expiration,
    refresh_token: await refresh.save(),
    scope: access.scope,
    token_type: access.tokenType,
  };
};
