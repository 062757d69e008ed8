// Completes a login page in a real browser.
//
//     node person.mjs '{"kind": "login", "url": …, "username": …, "password": …, "browser": "/usr/bin/chromium"}'
//
// `kind` is `login` for the page of an authorization request, whose response goes to a program that listens on 127.0.0.1, or `device` for the
// verification page of a device login. With `"refuse": true` the user denies the request. Prints one line of JSON: heading and text of the last page,
// other origins that the pages requested (`elsewhere`), and, for `login`, the responses of the listening program to other tabs before and after
// the login (`strangers`, `after`).

import { chromium } from "playwright-core";

/** Time limit of the whole login, in milliseconds. */
const LIMIT = 60_000;
const TICK = 50;
/** A login has only a few pages. */
const MOST_PAGES = 12;

const task = JSON.parse(process.argv[2]);
// Login pages need no other origin, and requests of the browser itself do not count.
const args = ["--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost"];
const browser = await chromium.launch({ executablePath: task.browser, args, timeout: LIMIT });
try {
  console.log(JSON.stringify(await run()));
} catch (error) {
  // Query strings contain secrets and are not printed.
  console.error(`person.mjs: ${error.message.split("\n")[0].replace(/\?\S*/g, "?…")}`);
  process.exitCode = 1;
} finally {
  await browser.close();
}

async function run() {
  const context = await browser.newContext();
  context.setDefaultTimeout(LIMIT);
  const elsewhere = new Set();
  context.on("request", (request) => {
    const url = new URL(request.url());
    if (url.protocol !== "data:" && url.hostname !== "127.0.0.1") elsewhere.add(url.origin);
  });
  const page = await context.newPage();
  const callback = task.kind === "login" ? new URL(task.url).searchParams.get("redirect_uri") : undefined;
  const strangers = callback && (await disturb(context, callback));
  await page.goto(task.url);
  await finish(page);
  const after = callback && (await status(context, callback));
  const text = await page.innerText("body");
  const heading = await page.evaluate(() => document.querySelector("#kc-page-title, h1")?.textContent.trim());
  return { heading, text: text.replace(/\s+/g, " ").trim(), strangers, after, elsewhere: [...elsewhere] };
}

/** Sends the other requests of a browser during a login: for an icon, with an empty path, with a guessed code. */
async function disturb(context, callback) {
  const others = ["/favicon.ico", "/", `${new URL(callback).pathname}?code=guessed&state=guessed`];
  const statuses = [];
  for (const path of others) statuses.push(await status(context, new URL(path, callback).href));
  // A second tab with the same page, which is left open.
  await (await context.newPage()).goto(task.url);
  return statuses;
}

/** The status of a request in a new tab, or `refused` if the connection is refused. */
async function status(context, address) {
  const tab = await context.newPage();
  try {
    return (await tab.goto(address)).status();
  } catch (error) {
    if (String(error).includes("ERR_CONNECTION_REFUSED")) return "refused";
    throw error;
  } finally {
    await tab.close();
  }
}

/** Completes pages until one has no form. */
async function finish(page) {
  const end = Date.now() + LIMIT;
  for (let pages = 0; pages < MOST_PAGES; ) {
    if (Date.now() > end) throw new Error(`no end within ${LIMIT} ms, at ${where(page)}`);
    const kind = await pageKind(page);
    if (kind === "end") return;
    if (kind === "wait") await page.waitForTimeout(TICK);
    else {
      pages += 1;
      await submit(page, kind);
    }
  }
  throw new Error(`no end after ${MOST_PAGES} pages, at ${where(page)}`);
}

/** The kind of the page. `wait` for a page that was submitted already or that continues by itself. */
async function pageKind(page) {
  try {
    return await page.evaluate(() => {
      if (document.readyState !== "complete" || window.submitted) return "wait";
      const shown = (selector) => document.querySelector(selector)?.checkVisibility();
      if (shown("#username")) return "login";
      if (shown("[name=accept]")) return "consent";
      return document.forms.length ? "wait" : "end";
    });
  } catch (error) {
    // The page navigated while it was read.
    if (String(error).includes("context was destroyed")) return "wait";
    throw error;
  }
}

async function submit(page, kind) {
  await page.evaluate(() => (window.submitted = true));
  if (kind === "login") {
    await page.fill("#username", task.username);
    await page.fill("#password", task.password);
    await page.click("#kc-login");
  } else {
    await page.click(task.refuse ? "[name=cancel], [name=abort]" : "[name=accept]");
  }
}

/** The address without its query. */
function where(page) {
  const url = new URL(page.url());
  return url.origin + url.pathname;
}
