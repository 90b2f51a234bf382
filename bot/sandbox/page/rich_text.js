"use strict";

/* ---- Rich text: every run of text is shown as it is; nothing in it is parsed, and nothing becomes markup ---- */

const RICH_STYLE_TAGS = { bold: "strong", italic: "em", strike: "s", underline: "u", code: "code", highlight: "mark", client_highlight: "mark" };
const BULLETS = ["disc", "circle", "square"];
const NUMERALS = ["decimal", "lower-alpha", "lower-roman"];

const richText = (block) => h("div", { class: "block rich-text" }, block.elements.map(richPart));

function richPart(part) {
  switch (part.type) {
    case "rich_text_section": return h("div", { class: "textual" }, part.elements.map(richInline));
    case "rich_text_quote": return h("blockquote", {}, part.elements.map(richInline));
    case "rich_text_preformatted": return bordered(h("pre", {}, part.elements.map(richInline)), part);
    case "rich_text_list": return bordered(richList(part), part);
    default: return unsupported(part.type);
  }
}

const bordered = (node, part) => (part.border ? h("blockquote", {}, node) : node);

function richList(part) {
  const ordered = part.style === "ordered";
  const list = h(ordered ? "ol" : "ul", {}, part.elements.map((item) => h("li", { class: "textual" }, item.elements.map(richInline))));
  const indent = part.indent ?? 0;
  const marks = ordered ? NUMERALS : BULLETS;
  if (ordered && part.offset) list.start = part.offset + 1;
  list.style.listStyleType = marks[indent % marks.length];
  list.style.marginInlineStart = `${indent * 22}px`;
  return list;
}

function richInline(element) {
  return richStyled(richContent(element), element.style);
}

function richContent(element) {
  switch (element.type) {
    case "text": return document.createTextNode(element.text);
    case "link": return safeLink(element.url, element.text ?? element.url) ?? (element.text ?? element.url);
    case "emoji": return richEmoji(element);
    case "user": return mention(element.user_id);
    case "usergroup": return h("span", { class: "mention" }, `@${element.usergroup_id}`);
    case "team": return h("span", { class: "mention" }, element.team_id);
    case "channel": return channelMention(element.channel_id);
    case "broadcast": return h("span", { class: "mention loud" }, `@${element.range}`);
    case "date": return richDate(element);
    case "color": return colorSwatch(element.value);
    default: return unsupported(element.type);
  }
}

function richStyled(content, style = {}) {
  return Object.entries(RICH_STYLE_TAGS).reduce((inner, [name, tag]) => (style[name] ? h(tag, {}, inner) : inner), content);
}

function richEmoji({ name, skin_tone: tone, unicode }) {
  const known = emojiNode([null, name, tone > 1 ? tone : undefined]);
  if (known || !unicode) return known ?? `:${name}:`;
  const points = unicode.split("-").map((point) => Number.parseInt(point, 16));
  if (points.some((point) => !(point >= 0 && point <= 0x10ffff))) return `:${name}:`;
  return h("span", { class: "emoji", title: `:${name}:` }, String.fromCodePoint(...points));
}

function richDate({ timestamp, format, fallback, url }) {
  const words = dateText(timestamp, format, fallback ?? "");
  return (url && safeLink(url, words)) || words;
}

function colorSwatch(value) {
  const swatch = h("span", { class: "swatch", "aria-hidden": "true" });
  swatch.style.background = /^#[0-9a-f]{6}$/i.test(value) ? value : "none";
  return h("span", {}, swatch, value);
}

/* -- typing it: the editor shows the words; styles that were there stay as long as the words are not changed -- */

const richWords = (block) => richLines(block?.elements ?? []).join("\n");
const richLines = (parts) => parts.flatMap((part) => (part.type === "rich_text_list" ? richLines(part.elements) : part.elements.map(inlineWords).join("")));
const inlineWords = (inline) => (inline.type === "emoji" ? `:${inline.name}:` : String(inline.text || inline.url || inline.fallback || ""));

function richTextInput(element, block, context) {
  const initial = richWords(element.initial_value);
  const node = h("textarea", { rows: element.min_lines ?? 4, placeholder: element.placeholder?.text ?? "", data: marks(element, block) });
  node.value = beginning(context, element, block, initial);
  field(context, element, block, node, () => node.value || null);
  return node;
}
