// The administration of the provider: JSON over HTTP, on a separate port.
//
//     GET  /counts?realm=NAME                          token requests by client and grant: {"laptop": {"password": 1}, …}
//     POST /user          {realm, username, enabled}   enables or disables a user
//     POST /end-sessions  {realm, username}            ends all sessions of the user
//     POST /change-keys   {realm}                      signs with a new key and no longer publishes the old one

import { createServer } from "node:http";

/** Creates the administration server; `realms` contains the realms of `server.mjs` by name. */
export function controlServer(realms) {
  const user = (realm, name) => found(realm.settings.users.find((user) => user.username === name), `user ${name}`);
  const works = {
    "GET /counts": (realm) => realm.counts,
    "POST /user": (realm, { username, enabled }) => void (user(realm, username).enabled = enabled === true),
    "POST /end-sessions": (realm, { username }) => realm.store.endSessions(user(realm, username).id),
    "POST /change-keys": (realm) => realm.changeKeys(),
  };
  return createServer(async (request, response) => {
    const say = (status, body) => {
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    };
    try {
      const url = new URL(request.url, "http://127.0.0.1");
      const work = found(works[`${request.method} ${url.pathname}`], `${request.method} ${url.pathname}`);
      const fields = { ...Object.fromEntries(url.searchParams), ...(await body(request)) };
      const realm = found(realms.get(fields.realm), `realm ${fields.realm}`);
      say(200, work(realm, fields) ?? {});
    } catch (error) {
      say(400, { error: error.message });
    }
  });
}

function found(value, what) {
  if (value === undefined) throw new Error(`there is no ${what}`);
  return value;
}

async function body(request) {
  let text = "";
  for await (const part of request) text += part;
  return text ? JSON.parse(text) : {};
}
