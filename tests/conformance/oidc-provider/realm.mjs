// Reads the used parts of a Keycloak realm file (import format).
//
// Both providers read the same file, so realms, clients and users are the same.

import { readFileSync } from "node:fs";

const DEVICE = "urn:ietf:params:oauth:grant-type:device_code";

/** Reads a complete realm from the first file and the differences of another realm from each further file. */
export function readRealms([first, ...others]) {
  const read = (path) => JSON.parse(readFileSync(path, "utf8"));
  return [read(first), ...others.map((path) => ({ ...read(first), ...read(path) }))].map(realm);
}

function realm(file) {
  const seconds = (name, usual) => file[name] ?? usual;
  return {
    name: file.realm,
    access: seconds("accessTokenLifespan", 300),
    code: seconds("accessCodeLifespan", 60),
    idle: seconds("ssoSessionIdleTimeout", 1800),
    longest: seconds("ssoSessionMaxLifespan", 36000),
    device: seconds("oauth2DeviceCodeLifespan", 600),
    interval: seconds("oauth2DevicePollingInterval", 5),
    rotates: file.revokeRefreshToken === true,
    clients: (file.clients ?? []).filter((client) => client.enabled !== false).map(client),
    /** Clients that require consent at each login. */
    consents: new Set((file.clients ?? []).filter((client) => client.consentRequired).map((client) => client.clientId)),
    users: (file.users ?? []).map(user),
  };
}

function client(file) {
  const grants = [];
  if (file.standardFlowEnabled !== false) grants.push("authorization_code");
  if (file.directAccessGrantsEnabled) grants.push("password");
  if (file.attributes?.["oauth2.device.authorization.grant.enabled"] === "true") grants.push(DEVICE);
  const byCode = grants.includes("authorization_code");
  return {
    client_id: file.clientId,
    client_name: file.name || file.clientId,
    client_secret: file.publicClient ? undefined : file.secret,
    token_endpoint_auth_method: file.publicClient ? "none" : "client_secret_post",
    // RFC 8252 section 7.3: a loopback redirect URI of a native client is valid with any port.
    application_type: "native",
    grant_types: [...grants, "refresh_token"],
    response_types: byCode ? ["code"] : [],
    redirect_uris: byCode ? file.redirectUris : [],
  };
}

function user(file) {
  return {
    id: file.id ?? `user-${file.username}`,
    username: file.username,
    email: file.email,
    password: file.credentials?.find((credential) => credential.type === "password")?.value,
    enabled: file.enabled !== false,
    // Keycloak rejects users with required actions or an incomplete profile.
    complete: Boolean(file.email) && !file.requiredActions?.length,
  };
}

/** Returns the user with this name or e-mail address, case-insensitive, if the password is correct. */
export function rightUser(realm, name, password) {
  const same = (own) => own?.toLowerCase() === String(name ?? "").trim().toLowerCase();
  return realm.users.find((user) => (same(user.username) || same(user.email)) && user.password && user.password === password);
}

/** Returns the reason why the user cannot log in with a correct password. */
export function hindrance(user) {
  if (!user.enabled) return "Account disabled";
  return user.complete ? undefined : "Account is not fully set up";
}
