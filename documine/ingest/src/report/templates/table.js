"use strict";
// Shows the rows of the element `data` page by page, with search, filters and sorting. Values reach the document as text only.
(() => {
  const ROWS_PER_PAGE = 100;
  const SEARCH_DELAY = 120;
  const byId = (id) => document.getElementById(id);
  const data = JSON.parse(byId("data").textContent);
  const number = new Intl.NumberFormat("en");
  const collator = new Intl.Collator("en", { numeric: true });

  const rows = [];
  for (const [source, href, file, list] of data.documents) {
    for (const [status, component, page, rule, ...texts] of list) {
      rows.push({ source, href, file, status, component, page, rule, texts, order: rows.length, words: null });
    }
  }
  const componentOf = (row) => (row.component ? data.components[row.component - 1] : "");
  const ruleOf = (row) => (row.rule ? data.rules[row.rule - 1] : "");
  const wordsOf = (row) =>
    (row.words ??= [row.source, row.file, data.statuses[row.status], componentOf(row), ruleOf(row), ...row.texts].join("\n").toLowerCase());

  // Values that are numbers are sorted as numbers, before all others.
  const sortable = (text) => (/^\s*-?\d{1,15}([.,]\d+)?\s*$/.test(text) ? Number(text.replace(",", ".")) : text);
  const columns = [
    { title: "Document", key: null },
    { title: byId("status").parentElement.firstChild.textContent.trim(), key: (row) => row.status },
    { title: "Component", key: componentOf },
    ...data.texts.map((title, index) => ({ title, key: (row) => sortable(row.texts[index] ?? "") })),
    { title: "Page", key: (row) => row.page },
    { title: "Rule", key: ruleOf },
  ];
  const compare = (a, b) => {
    if (typeof a === "number") return typeof b === "number" ? a - b : -1;
    return typeof b === "number" ? 1 : collator.compare(a, b);
  };

  let sorting = { column: columns[0], descending: false };
  let shown = rows;
  let page = 0;

  const element = (name, className, text) => {
    const made = document.createElement(name);
    if (className) made.className = className;
    if (text !== undefined) made.textContent = text;
    return made;
  };
  const link = (href, text) => {
    const made = element("a", "", text);
    made.href = href;
    made.rel = "noreferrer";
    return made;
  };

  const value = (text) => {
    const made = element("td", text ? "text" : "text empty", text);
    if (text && !text.trim()) made.append(element("small", "", "blank"));
    return made;
  };

  function cells(row, before) {
    // The rows of a document after its first show the end of its path only.
    const isFirst = row.source !== before?.source;
    const source = element("td", isFirst ? "" : "repeated");
    const name = isFirst ? row.source : row.source.replace(/^.*[/\\](?=.)/s, "");
    source.append(row.href ? link(row.href, name) : name);
    if (row.file && isFirst) source.append(element("small", "", `file ${row.file}`));
    const place = element("td", row.page ? "" : "empty");
    if (row.page) place.append(row.href && !row.href.includes("#") ? link(`${row.href}#page=${row.page}`, row.page) : String(row.page));
    return [
      source,
      element("td", `status status-${row.status}`, data.statuses[row.status]),
      element("td", row.component ? "name" : "empty", componentOf(row)),
      ...data.texts.map((_, index) => value(row.texts[index])),
      place,
      element("td", row.rule ? "rule" : "empty", ruleOf(row)),
    ];
  }

  function showPage() {
    const pages = Math.max(1, Math.ceil(shown.length / ROWS_PER_PAGE));
    page = Math.min(Math.max(page, 0), pages - 1);
    const body = document.createDocumentFragment();
    let before;
    for (const row of shown.slice(page * ROWS_PER_PAGE, (page + 1) * ROWS_PER_PAGE)) {
      const line = element("tr");
      line.append(...cells(row, before));
      [...line.children].forEach((cell, index) => (cell.dataset.label = columns[index].title));
      body.append(line);
      before = row;
    }
    byId("table").tBodies[0].replaceChildren(body);
    const all = shown.length === rows.length;
    byId("count").textContent = all ? `${number.format(rows.length)} rows` : `${number.format(shown.length)} of ${number.format(rows.length)} rows`;
    byId("position").textContent = `page ${number.format(page + 1)} of ${number.format(pages)}`;
    byId("pager").hidden = pages === 1;
    byId("first").disabled = byId("previous").disabled = page === 0;
    byId("last").disabled = byId("next").disabled = page === pages - 1;
  }

  function update() {
    const words = byId("search").value.toLowerCase().split(/\s+/).filter(Boolean);
    const component = Number(byId("component").value);
    const status = byId("status").value;
    shown = rows.filter(
      (row) =>
        (!component || row.component === component) &&
        (status === "" || row.status === Number(status)) &&
        words.every((word) => wordsOf(row).includes(word)),
    );
    const { column, descending } = sorting;
    if (column.key) {
      const keys = new Map(shown.map((row) => [row, column.key(row)]));
      shown.sort((a, b) => (descending ? -1 : 1) * compare(keys.get(a), keys.get(b)) || a.order - b.order);
    } else if (descending) shown.reverse();
    page = 0;
    showPage();
  }

  const head = element("tr");
  for (const column of columns) {
    const cell = element("th");
    cell.scope = "col";
    const button = element("button", "", column.title);
    button.type = "button";
    button.addEventListener("click", () => {
      sorting = { column, descending: sorting.column === column && !sorting.descending };
      for (const other of head.children) other.removeAttribute("aria-sort");
      cell.setAttribute("aria-sort", sorting.descending ? "descending" : "ascending");
      update();
    });
    cell.append(button);
    head.append(cell);
  }
  head.firstChild.setAttribute("aria-sort", "ascending");
  byId("table").tHead.append(head);

  const option = (select, value, text) => {
    const made = element("option", "", text);
    made.value = value;
    byId(select).append(made);
  };
  data.components.forEach((name, index) => option("component", index + 1, name));
  data.statuses.forEach((name, index) => option("status", index, name));

  let timer;
  byId("search").addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(update, SEARCH_DELAY);
  });
  byId("component").addEventListener("change", update);
  byId("status").addEventListener("change", update);
  byId("controls").addEventListener("submit", (event) => event.preventDefault());
  byId("controls").addEventListener("reset", () => setTimeout(update));
  const turn = (id, target) => byId(id).addEventListener("click", () => ((page = target()), showPage()));
  turn("first", () => 0);
  turn("previous", () => page - 1);
  turn("next", () => page + 1);
  turn("last", () => Infinity);

  // Links from the sections above set the filters.
  document.addEventListener("click", (event) => {
    const target = event.target.closest?.("[data-status], [data-component]");
    if (!target) return;
    byId("controls").reset();
    const { status, component } = target.dataset;
    if (status !== undefined) byId("status").value = data.statuses.indexOf(status);
    if (component !== undefined) byId("component").value = data.components.indexOf(component) + 1 || "";
    update();
  });

  window.addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((details) => (details.open = true)));
  byId("controls").hidden = byId("table").hidden = false;
  showPage();
})();
