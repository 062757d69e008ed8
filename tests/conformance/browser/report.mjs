// Uses a run report in a real browser: search, filters, sorting, pages, links.
//
//     node report.mjs '{"file": "/path/report.html", "browser": "/usr/bin/chromium"}'
//
// Prints one line of JSON: the number of rows, the failed checks (`failures`), and the slowest reaction in milliseconds (`slowest`). The expected
// counts come from the data of the page, by other code than the page's own.

import { pathToFileURL } from "node:url";

import { chromium } from "playwright-core";

const LIMIT = 30_000;

const task = JSON.parse(process.argv[2]);
const browser = await chromium.launch({ executablePath: task.browser, timeout: LIMIT });
try {
  console.log(JSON.stringify(await run()));
} catch (error) {
  console.error(`report.mjs: ${error.message}`);
  process.exitCode = 1;
} finally {
  await browser.close();
}

async function run() {
  const context = await browser.newContext();
  context.setDefaultTimeout(LIMIT);
  const page = await context.newPage();
  const failures = [];
  page.on("console", (message) => message.type() === "error" && failures.push(`console: ${message.text()}`));
  page.on("pageerror", (error) => failures.push(String(error)));
  page.on("request", (request) => request.isNavigationRequest() || failures.push(`request: ${request.url()}`));

  let slowest = 0;
  /** Waits until the page states this number of rows. */
  const expectRows = async (what, action, expected, all) => {
    const number = (count) => count.toLocaleString("en");
    const text = expected === all ? `${number(all)} rows` : `${number(expected)} of ${number(all)} rows`;
    const start = performance.now();
    await action();
    try {
      await page.waitForFunction((text) => document.getElementById("count").textContent === text, text, { timeout: LIMIT / 3 });
    } catch {
      failures.push(`${what}: expected ${text}, found ${await page.textContent("#count")}`);
    }
    slowest = Math.max(slowest, performance.now() - start);
  };
  const check = (what, holds) => holds || failures.push(what);
  const column = (index) => page.locator(`#table tbody td:nth-child(${index})`).allTextContents();

  const start = performance.now();
  await page.goto(pathToFileURL(task.file).href);
  await page.waitForSelector("#table tbody tr");
  const loaded = performance.now() - start;

  const rows = await page.evaluate(() => {
    const data = JSON.parse(document.getElementById("data").textContent);
    return data.documents.flatMap(([source, , file, list]) =>
      list.map(([status, component, , rule, ...texts]) => ({
        status: data.statuses[status],
        component: data.components[component - 1] ?? "",
        text: [source, file, data.statuses[status], data.components[component - 1], data.rules[rule - 1], ...texts].join("\n").toLowerCase(),
      })),
    );
  });
  const count = (test) => rows.filter(test).length;
  const all = rows.length;

  await expectRows("opening", () => {}, all, all);
  check("a page of the table has 100 rows", (await page.locator("#table tbody tr").count()) === 100);

  await expectRows("search", () => page.fill("#search", "Mouse 2026-03"), count(({ text }) => text.includes("mouse") && text.includes("2026-03")), all);
  check("the rows contain the words", (await column(4)).every((text) => text.toLowerCase().includes("mouse")));
  await expectRows("search without a result", () => page.fill("#search", "nothing has these words"), 0, all);
  await expectRows("clear", () => page.click("#clear"), all, all);

  await expectRows("filter by component", () => page.selectOption("#component", { label: "Species" }), count(({ component }) => component === "Species"), all);
  check("the rows have the component", new Set(await column(3)).size === 1);
  await page.click("#clear");
  await expectRows("filter by outcome", () => page.selectOption("#status", { label: "failed" }), count(({ status }) => status === "failed"), all);
  check("the rows have the outcome", (await column(2)).every((text) => text === "failed"));

  await expectRows("link of a component", () => page.click('a[data-component="Number_of_Animals"]'), count(({ component }) => component === "Number_of_Animals"), all);
  for (const [order, direction] of [["ascending", 1], ["descending", -1]]) {
    await page.click("thead button:has-text('Value')");
    const values = (await column(4)).map(Number);
    check(`values are ${order}`, values.every((value, index) => index === 0 || (value - values[index - 1]) * direction >= 0));
    check(`the column states ${order}`, (await page.getAttribute("#table th:nth-child(4)", "aria-sort")) === order);
  }
  await page.click("#next");
  check("the second page is shown", (await page.textContent("#position")).startsWith("page 2 of"));
  // By keyboard: from the search field to the results.
  await page.click("#clear");
  await page.focus("#search");
  await expectRows("search by keyboard", () => page.keyboard.type("study 00042"), count(({ text }) => text.includes("study") && text.includes("00042")), all);
  check("links open the page of the file", (await page.getAttribute("#table tbody a[href*='#page=']", "href")).startsWith("file:///data/inbox/"));

  await page.setViewportSize({ width: 390, height: 800 });
  check("a phone scrolls in one direction", await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
  check("no value ran as code", (await page.title()) === "Toxicity studies");
  return { rows: all, failures, loaded: Math.round(loaded), slowest: Math.round(slowest) };
}
