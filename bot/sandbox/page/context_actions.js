"use strict";

/* ---- Context actions: feedback buttons and icon buttons ---- */

/** Which feedback each person's page shows as given, by message, block and action; as in Slack, only the client knows. */
const givenFeedback = new Map();

const contextActions = (block, context) =>
  h("div", { class: "block row context-actions", role: "group", "aria-label": "Message feedback" }, block.elements.map((element) => elementNode(element, block, context)));

function feedbackButtons(element, block, context) {
  const key = [context.key, block.block_id, element.action_id].join(" ");
  const sides = [[element.positive_button, "👍"], [element.negative_button, "👎"]];
  const show = () => nodes.forEach((node, at) => node.setAttribute("aria-pressed", String(givenFeedback.get(key) === sides[at][0].value)));
  const nodes = sides.map(([side, icon]) => feedbackButton(side, icon, marks(element, block), async () => {
    if (givenFeedback.get(key) === side.value) givenFeedback.delete(key); // taking it back tells the app nothing
    else if ((await context.act(element, block, side.value)).ok) givenFeedback.set(key, side.value);
    show();
  }));
  show();
  return h("span", { class: "row feedback" }, nodes);
}

function feedbackButton(side, icon, data, press) {
  const words = plainObject(side.text);
  const label = side.text.text.includes(icon) ? words : [h("span", { class: "emoji", "aria-hidden": "true" }, icon), " ", words];
  return pressable(label, { class: "button quiet", "aria-label": side.accessibility_label, data: { ...data, value: side.value } }, press);
}

function iconElement(element, block, context) {
  const visible = element.visible_to_user_ids;
  if (visible && !visible.includes(state.me)) return h("span", { hidden: true });
  const props = { class: "button quiet icon-button", "aria-label": element.accessibility_label ?? element.text.text, title: element.text.text, data: marks(element, block) };
  return pressable(drawnIcon(element.icon) ?? plainObject(element.text), props, () => use(element, block, context));
}

/** Slack's icons, as far as there are any; drawn, since not every machine has a font with them. */
const ICONS = { trash: "M3 5h14M8 5V3h4v2M5 5l1 12h8l1-12M8.5 8v6M11.5 8v6" };

const drawnIcon = (name) => ICONS[name] && svg("svg", { viewBox: "0 0 20 20", width: 17, height: 17, class: "icon-drawing", "aria-hidden": "true" }, svg("path", { d: ICONS[name] }));
