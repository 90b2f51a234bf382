"use strict";

/* ---- Tables: `table` as it is, `data_table` with pages, sorting and a filter ---- */

const DEFAULT_PAGE_SIZE = 5;

function cellNode(cell) {
  if (cell.type === "rich_text") return cell.elements.map(richPart);
  return h("span", { class: "textual" }, cell.text ?? String(cell.value ?? ""));
}

/* A table that is wider than its message scrolls by itself; browsers let the keyboard do it too. */
const scrollable = (table) => h("div", { class: "scroll-x" }, table);

function tableOf(rows) {
  const [head = [], ...body] = rows;
  return scrollable(h("table", {},
    h("thead", {}, h("tr", {}, head.map((cell) => h("th", { scope: "col" }, cell)))),
    h("tbody", {}, body.map((row) => h("tr", {}, row.map((cell) => h("td", {}, cell)))))));
}

function tableBlock(block) {
  const table = tableOf(block.rows.map((row) => row.map(cellNode)));
  table.querySelectorAll("tr").forEach((row) => [...row.children].forEach((cell, column) => dressCell(cell, block.column_settings?.[column])));
  return h("div", { class: "block" }, table);
}

function dressCell(cell, settings) {
  if (settings?.align) cell.style.textAlign = settings.align;
  if (!settings?.is_wrapped) cell.classList.add("unwrapped");
}

/** Where each person is in each data table: page, filter and order outlast the drawing of its message anew. */
const tableViews = new Map();

function tableView(key) {
  if (!tableViews.has(key)) tableViews.set(key, { page: 0, filter: "", column: null, descending: false });
  return tableViews.get(key);
}

const cellWords = (cell) => (cell.type === "rich_text" ? richWords(cell) : String(cell.text ?? cell.value ?? ""));

function compareCells(one, other) {
  const numbers = [one, other].filter((cell) => cell.type === "raw_number").length;
  if (numbers === 2) return one.value - other.value;
  if (numbers === 1) return one.type === "raw_number" ? -1 : 1;
  return cellWords(one).localeCompare(cellWords(other), undefined, { numeric: true, sensitivity: "base" });
}

function rowsInView(rows, view) {
  const wanted = view.filter.trim().toLowerCase();
  const found = rows.filter((row) => row.some((cell) => cellWords(cell).toLowerCase().includes(wanted)));
  if (view.column === null) return found;
  const sign = view.descending ? -1 : 1;
  return found.sort((one, other) => sign * compareCells(one[view.column], other[view.column]));
}

/** One more press on a column's head: ascending, descending, then as it was sent. */
function turnOrder(view, column) {
  const again = view.column === column;
  view.column = again && view.descending ? null : column;
  view.descending = again && !view.descending;
  view.page = 0;
}

function dataTable(block, context) {
  const [head, ...rows] = block.rows;
  const size = block.page_size ?? DEFAULT_PAGE_SIZE;
  const view = tableView(`${context.key} ${block.block_id}`);
  const heads = head.map((cell, column) => sortableHead(cell, () => { turnOrder(view, column); draw(); }));
  const body = h("tbody");
  const count = h("span", { role: "status" });
  const step = (by, label) => button(label, () => { view.page += by; draw(); }, { class: "button", data: { key: `${block.block_id} ${label}` } });
  const previous = step(-1, "Previous"), next = step(1, "Next");
  const filter = h("input", {
    type: "search", class: "pick", placeholder: "Filter rows", "aria-label": `Filter ${block.caption}`, value: view.filter,
    data: { key: `${block.block_id} filter` }, oninput: () => { view.filter = filter.value; view.page = 0; draw(); },
  });

  function draw() {
    const found = rowsInView(rows, view);
    view.page = Math.max(0, Math.min(view.page, Math.ceil(found.length / size) - 1));
    const from = view.page * size;
    const shown = found.slice(from, from + size);
    body.replaceChildren(...shown.map((row) => dataRow(row, block.row_header_column_index ?? 0)));
    heads.forEach((th, column) => th.setAttribute("aria-sort", view.column === column ? (view.descending ? "descending" : "ascending") : "none"));
    count.textContent = found.length ? `${from + 1}–${from + shown.length} of ${found.length}` : "No row has that.";
    previous.disabled = view.page === 0;
    next.disabled = from + size >= found.length;
  }

  draw();
  const paged = rows.length > size;
  return h("div", { class: "block data-table" }, paged && filter,
    scrollable(h("table", {}, h("caption", {}, block.caption), h("thead", {}, h("tr", {}, heads)), body)),
    paged && h("div", { class: "row pages" }, previous, next, count));
}

function sortableHead(cell, sort) {
  const words = cellWords(cell);
  return h("th", { scope: "col", class: cell.type === "raw_number" ? "number" : "" }, button([words, h("span", { class: "order", "aria-hidden": "true" })], sort, { title: `Sort by ${words}` }));
}

function dataRow(row, headerColumn) {
  return h("tr", {}, row.map((cell, column) =>
    h(column === headerColumn ? "th" : "td", { scope: column === headerColumn ? "row" : null, class: cell.type === "raw_number" ? "number" : "" }, cellNode(cell))));
}
