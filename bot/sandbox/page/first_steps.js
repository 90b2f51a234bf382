"use strict";

/* ---- The three first steps of the demo: each ticks itself, and its button leads to where it is done ---- */

const stepsNode = (steps) => {
  const current = steps.findIndex((step) => !step.done);
  if (current < 0) return h("p", { class: "demo-steps done", role: "status", data: { testid: "steps-done" } },
    h("span", {}, "✓ You've taught the judge. Now let the recorded people answer, and watch its agreement."),
    button(steps.at(-1).button, () => goToStep(steps.at(-1)), { data: { key: "step-learned" } }));
  return h("ol", { class: "demo-steps", "aria-label": "First steps", data: { testid: "steps" } },
    steps.map((step, at) => stepNode(step, at, at === current)));
};

function stepNode(step, at, isCurrent) {
  const words = h("span", {}, `${step.done ? "✓" : `${at + 1}.`} ${step.label}`);
  const props = { class: [step.done && "done", isCurrent && "current"].filter(Boolean).join(" "), data: { testid: "step", done: String(step.done) } };
  if (isCurrent) props["aria-current"] = "step";
  return h("li", props, words,
    !step.done && step.channel && button(step.button, () => goToStep(step), { disabled: !isCurrent, data: { key: `step-${at}` } }));
}

async function goToStep(step) {
  if (step.go === "thread") return openThread(step.channel, step.ts);
  jumpTo(step.channel, step.ts);
  if (step.go === "guidelines") await act({ do: "command", channel: step.channel, command: "/memalign", text: "guidelines" });
}
