"use strict";

/* ---- Charts: the `data_visualization` block as inline SVG, with the same data in words and as a table ---- */

const SVG = "http://www.w3.org/2000/svg";
const CHART_HEIGHT = 230;
const CHART_FONT_SIZE = 11.5; // pixels, as in blocks.css
const LINE_HEIGHT = 15;
const MAX_TILTED_LETTERS = 12;
const TILT = 38; // degrees
const TILT_RADIANS = (TILT * Math.PI) / 180;
const CHART_NAMES = { line: "Line chart", bar: "Bar chart", area: "Area chart", pie: "Pie chart" };
const MARKERS = ["M-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0", "M-4-4h8v8h-8z", "M0-5L5 4H-5z", "M0-5L5 0L0 5L-5 0z", "M-5-5h10L0 5z", "M-2-5h4v3h3v4h-3v3h-4v-3h-3v-4h3z"];

const quantity = (value) => new Intl.NumberFormat([], { maximumFractionDigits: 2 }).format(value);
const shortened = (words, letters) => (words.length > letters ? `${words.slice(0, letters - 1)}…` : words);

/** The width of the widest of some labels, in the font of the page. */
function widest(labels) {
  const canvas = (widest.canvas ??= document.createElement("canvas").getContext("2d"));
  canvas.font = `${CHART_FONT_SIZE}px ${getComputedStyle(document.body).fontFamily}`;
  return Math.max(...labels.map((label) => canvas.measureText(label).width));
}

function svg(tag, props = {}, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(props)) if (value !== null) node.setAttribute(name, value);
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return node;
}

function chartBlock(block) {
  const { title, chart } = block;
  const plot = h("div", { class: "plot", role: "img", "aria-label": chartWords(title, chart) });
  let width = 0;
  new ResizeObserver(() => {
    if (!plot.clientWidth || plot.clientWidth === width) return;
    width = plot.clientWidth;
    plot.replaceChildren(chart.type === "pie" ? pieChart(chart, width) : axisChart(chart, width));
  }).observe(plot);
  return h("figure", { class: "block chart", data: { chart: chart.type } },
    h("figcaption", {}, title), plot, legendNode(chart),
    h("details", {}, h("summary", {}, "Show the data"), tableOf(chartRows(chart))));
}

/* -- the same in words -- */

const pointsOf = (series, categories) => {
  const values = new Map(series.data.map((point) => [point.label, point.value]));
  return categories.map((label) => values.get(label));
};

function chartWords(title, chart) {
  const points = (list) => list.map(({ label, value }) => `${label} ${quantity(value)}`).join(", ");
  const parts = chart.type === "pie" ? [points(chart.segments)] : chart.series.map((series) => `${series.name}: ${points(series.data)}`);
  return `${CHART_NAMES[chart.type]}, ${title}. ${parts.join(". ")}.`;
}

function chartRows(chart) {
  if (chart.type === "pie") return [["Segment", "Value"], ...chart.segments.map(({ label, value }) => [label, quantity(value)])];
  const { categories, x_label: head } = chart.axis_config;
  const columns = chart.series.map((series) => pointsOf(series, categories));
  return [[head ?? "Category", ...chart.series.map((series) => series.name)], ...categories.map((category, at) => [category, ...columns.map((column) => quantity(column[at]))])];
}

function legendNode(chart) {
  const total = (chart.segments ?? []).reduce((sum, segment) => sum + segment.value, 0);
  const entries = chart.type === "pie"
    ? chart.segments.map(({ label, value }) => `${label}: ${quantity(value)} (${Math.round((100 * value) / total)} %)`)
    : chart.series.map((series) => series.name);
  if (entries.length < 2 && chart.type !== "pie") return null;
  const swatch = (index) => svg("svg", { viewBox: "-7 -7 14 14", width: 14, height: 14, "aria-hidden": "true" }, marker(chart.type, index));
  return h("ul", { class: "legend" }, entries.map((words, index) => h("li", {}, swatch(index), words)));
}

const marker = (kind, index, x = 0, y = 0) => svg("path", { d: kind === "line" || kind === "area" ? MARKERS[index] : "M-6-6h12v12h-12z", class: `fill-${index + 1}`, transform: `translate(${x} ${y})` });
const titled = (node, words) => { node.append(svg("title", {}, words)); return node; };

/* -- pies -- */

function pieChart(chart, width) {
  const radius = CHART_HEIGHT / 2 - 10;
  const total = chart.segments.reduce((sum, segment) => sum + segment.value, 0);
  let turn = 0;
  const slices = chart.segments.map(({ label, value }, index) => {
    const from = turn;
    turn += value / total;
    return titled(slice(radius, from, turn, index), `${label}: ${quantity(value)}`);
  });
  return svg("svg", { width, height: CHART_HEIGHT, viewBox: `${-width / 2} ${-CHART_HEIGHT / 2} ${width} ${CHART_HEIGHT}`, "aria-hidden": "true" }, slices);
}

function slice(radius, from, to, index) {
  if (to - from > 0.9999) return svg("circle", { r: radius, class: `slice fill-${index + 1}` });
  const at = (turn) => `${radius * Math.sin(2 * Math.PI * turn)} ${-radius * Math.cos(2 * Math.PI * turn)}`;
  return svg("path", { d: `M0 0L${at(from)}A${radius} ${radius} 0 ${to - from > 0.5 ? 1 : 0} 1 ${at(to)}Z`, class: `slice fill-${index + 1}` });
}

/* -- lines, bars and areas -- */

/** Round steps of 1, 2 or 5 times a power of ten that cover all values and zero. */
function ticksOf(values) {
  const low = Math.min(0, ...values);
  const high = Math.max(0, ...values) || (low < 0 ? 0 : 1);
  const rough = (high - low) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((times) => times * power).find((size) => size >= rough * 0.999);
  const ticks = [];
  for (let at = Math.floor(low / step); at <= Math.ceil(high / step - 1e-9); at += 1) ticks.push(Number((at * step).toPrecision(12)));
  return ticks;
}

/** Where things stand in a chart of this width: the frame of the plot, and functions from categories and values to pixels. */
function layoutOf(chart, width) {
  const { categories, x_label: xLabel, y_label: yLabel } = chart.axis_config;
  const rows = chart.series.map((series) => pointsOf(series, categories));
  const ticks = ticksOf(rows.flat());
  let left = 12 + widest(ticks.map(quantity));
  const tilted = widest(categories) + 8 > (width - left) / categories.length;
  const letters = widest(tilted ? categories.map((label) => shortened(label, MAX_TILTED_LETTERS)) : categories);
  if (tilted) left = Math.max(left, (letters + LINE_HEIGHT) * Math.cos(TILT_RADIANS) - (width - left) / categories.length / 2 + 4);
  const right = width - 8;
  const top = yLabel ? LINE_HEIGHT + 10 : 10;
  const bottom = CHART_HEIGHT - (tilted ? letters * Math.sin(TILT_RADIANS) + LINE_HEIGHT + 4 : LINE_HEIGHT + 6) - (xLabel ? LINE_HEIGHT + 2 : 0);
  const band = (right - left) / categories.length;
  const [low, high] = [ticks[0], ticks.at(-1)];
  return { categories, rows, ticks, xLabel, yLabel, left, right, top, bottom, band, tilted,
    x: (at) => left + band * (at + 0.5), y: (value) => bottom - ((value - low) / (high - low)) * (bottom - top) };
}

function axisChart(chart, width) {
  const layout = layoutOf(chart, width);
  const draw = { line: lineMarks, area: areaMarks, bar: barMarks }[chart.type];
  return svg("svg", { width, height: CHART_HEIGHT, viewBox: `0 0 ${width} ${CHART_HEIGHT}`, "aria-hidden": "true" },
    gridOf(layout), categoryLabels(layout), axisLabels(layout),
    chart.series.map((series, index) => draw(layout, series, index, chart.series.length)));
}

function gridOf({ ticks, left, right, y }) {
  return ticks.map((tick) => [
    svg("line", { x1: left, x2: right, y1: y(tick), y2: y(tick), class: tick === 0 ? "base" : "grid" }),
    svg("text", { x: left - 6, y: y(tick) + 4, "text-anchor": "end" }, quantity(tick)),
  ]);
}

function categoryLabels({ categories, x, bottom, band, tilted }) {
  const every = tilted ? Math.ceil(LINE_HEIGHT / (band * Math.sin(TILT_RADIANS))) : 1;
  return categories.map((label, at) => {
    if (at % every) return null;
    if (!tilted) return svg("text", { x: x(at), y: bottom + LINE_HEIGHT, "text-anchor": "middle" }, label);
    const place = `translate(${x(at) + 4} ${bottom + 12}) rotate(${-TILT})`;
    return titled(svg("text", { transform: place, "text-anchor": "end" }, shortened(label, MAX_TILTED_LETTERS)), label);
  });
}

function axisLabels({ xLabel, yLabel, left, right }) {
  return [
    xLabel && svg("text", { x: (left + right) / 2, y: CHART_HEIGHT - 4, "text-anchor": "middle", class: "axis" }, xLabel),
    yLabel && svg("text", { x: 2, y: 12, class: "axis" }, yLabel),
  ].filter(Boolean);
}

const pointWords = (series, label, value) => `${series.name}, ${label}: ${quantity(value)}`;
const pathOf = ({ rows, x, y }, index) => rows[index].map((value, at) => `${at ? "L" : "M"}${x(at)} ${y(value)}`).join("");

function lineMarks(layout, series, index) {
  const { categories, rows, x, y } = layout;
  return [
    svg("path", { d: pathOf(layout, index), class: `curve stroke-${index + 1}` }),
    rows[index].map((value, at) => titled(marker("line", index, x(at), y(value)), pointWords(series, categories[at], value))),
  ];
}

function areaMarks(layout, series, index) {
  const { rows, x, y } = layout;
  const outline = `${pathOf(layout, index)}L${x(rows[index].length - 1)} ${y(0)}L${x(0)} ${y(0)}Z`;
  return [svg("path", { d: outline, class: `area fill-${index + 1}` }), lineMarks(layout, series, index)];
}

function barMarks({ categories, rows, band, x, y }, series, index, count) {
  const width = (band * 0.76) / count;
  return rows[index].map((value, at) => {
    const [top, bottom] = [y(Math.max(0, value)), y(Math.min(0, value))];
    const left = x(at) - band * 0.38 + index * width;
    return titled(svg("rect", { x: left, y: top, width: Math.max(1, width - 1), height: Math.max(1, bottom - top), class: `fill-${index + 1}` }), pointWords(series, categories[at], value));
  });
}
