// An identity provider with Keycloak's paths, made with the certified library oidc-provider.
//
//     node server.mjs REALM [DIFFERENCE…]
//
// The arguments are Keycloak realm files; `realm.mjs` lists the parts that are read. Listens on 127.0.0.1, prints one line of JSON when ready, and stops when
// its standard input ends.

import { createServer } from "node:http";

import { controlServer } from "./control.mjs";
import { makeProvider, newKey } from "./provider.mjs";
import { readRealms } from "./realm.mjs";
import { Store } from "./store.mjs";

const MOUNT = /^\/auth\/realms\/([^/?]+)(\/.*)$/;

// Standard output is for the ready line.
console.info = console.error;

const realms = new Map();
const server = createServer((request, response) => {
  const [, name, rest] = MOUNT.exec(request.url) ?? [];
  const realm = realms.get(decoded(name));
  if (!realm) return void response.writeHead(404, { "content-type": "text/html" }).end("<p>Resource not found</p>");
  // The library expects its own path and finds the full path here.
  request.originalUrl = request.url;
  request.url = rest;
  realm.handle(request, response);
});
const control = controlServer(realms);

const base = await listen(server);
for (const settings of readRealms(process.argv.slice(2))) {
  realms.set(settings.name, serve(`${base}/auth/realms/${settings.name}`, settings));
}
console.log(JSON.stringify({ base_url: base, control_url: await listen(control), realms: [...realms.keys()] }));

process.stdin.resume();
process.stdin.on("end", () => process.exit(0));

/** One realm: its settings, its tokens, its counts of requests. */
function serve(issuer, settings) {
  const realm = { settings, store: new Store(settings.interval), counts: {} };
  // Issued tokens stay in the store, where a restarted provider finds them.
  realm.changeKeys = () => {
    realm.handle = makeProvider(issuer, settings, realm.store, newKey(), realm.counts).callback();
  };
  realm.changeKeys();
  return realm;
}

function listen(server) {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => resolve(`http://127.0.0.1:${server.address().port}`));
  });
}

function decoded(name = "") {
  try {
    return decodeURIComponent(name);
  } catch {
    return "";
  }
}
