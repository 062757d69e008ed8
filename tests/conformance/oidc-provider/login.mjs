// The login of users, which the library leaves to the application. `…/login/UID` shows the form and receives it.

import * as pages from "./pages.mjs";
import { hindrance, rightUser } from "./realm.mjs";
import { API, scopes } from "./scopes.mjs";

const PATH = /^\/login\/[^/]+$/;
/** Larger than any of our forms. */
const LARGEST = 16 * 1024;

/** The path to which the provider sends the browser. */
export const loginUrl = (ctx, interaction) => `${ctx.oidc.provider.issuer}/login/${interaction.uid}`;

/** Handles one step of the login of a realm. */
export const loginPages = (provider, realm) => async (ctx, next) => {
  if (!PATH.test(ctx.path)) return next();
  const { prompt, params, session } = await provider.interactionDetails(ctx.req, ctx.res);
  const here = provider.issuer + ctx.path;
  ctx.type = "html";
  ctx.set("cache-control", "no-store");
  if (ctx.method !== "POST") {
    ctx.body = prompt.name === "login" ? pages.login(here) : pages.consent(here, params.client_id);
    return;
  }

  const form = await read(ctx.req);
  let accountId = session?.accountId;
  if (prompt.name === "login") {
    const user = rightUser(realm, form.get("username"), form.get("password"));
    const why = user ? hindrance(user) : "Invalid username or password.";
    if (why) {
      ctx.body = pages.login(here, why);
      return;
    }
    accountId = user.id;
    // Otherwise the login implies consent, without a second page.
    if (realm.consents.has(params.client_id)) return sendBack(ctx, provider, { login: { accountId } });
  } else if (!form.has("accept")) {
    return sendBack(ctx, provider, { error: "access_denied", error_description: "User denied consent" });
  }

  const grant = new provider.Grant({ accountId, clientId: params.client_id });
  grant.addOIDCScope(scopes(params.scope));
  grant.addResourceScope(API, scopes(params.scope));
  return sendBack(ctx, provider, { login: { accountId }, consent: { grantId: await grant.save() } });
};

async function sendBack(ctx, provider, result) {
  const to = await provider.interactionResult(ctx.req, ctx.res, result, { mergeWithLastSubmission: false });
  ctx.redirect(to);
  ctx.status = 303;
}

async function read(request) {
  let body = "";
  for await (const part of request) {
    body += part;
    if (body.length > LARGEST) throw new Error("the form is too large");
  }
  return new URLSearchParams(body);
}
