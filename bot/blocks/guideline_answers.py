"""Answers to people's decisions on guidelines, each with its undo."""

import json
from collections.abc import Mapping, Sequence

from bot.blocks.guideline_buttons import UNDO_GUIDELINE
from bot.blocks.mrkdwn import escape, join_names
from bot.blocks.primitives import Block, SlackMessage, actions, button, section, text_message
from bot.guideline_decision import DecisionOutcome
from bot.guideline_page import GuidelineQuery
from bot.plain_text import guideline_state
from memalign.records import Guideline
from storage.guideline_requests import GuidelineRequestAction

MAX_RULE_LENGTH = 600
TEACH_USAGE = (
    "Which rule? Type `/memalign teach` and a sentence on what makes an answer good or bad, "
    "such as “The answer should name its source.”"
)
SENTENCES: Mapping[GuidelineRequestAction, str] = {
    "add": "Added: {rule}",
    "edit": "Now it says: {rule}",
    "retire": "I no longer use this, in whatever words people say it again: {rule}",
    "restore": "Restored: {rule}",
    "pin": "Pinned: {rule} It comes first, and is never left out for room.",
    "unpin": "Unpinned: {rule}",
    "approve": "Approved: {rule}",
    "undo": "Undone: {rule}",
    "rollback": (
        "Back at version {version}. Votes and reasons that this leaves out count again once their authors change them."
    ),
}
"""The answer to each decision; `{rule}` is the guideline in quotes."""
USED = "I use it when I judge."
KEPT = "This judge has no language model to read it, so only cases teach it for now."
TOLD_WITH_STATE = {"add", "edit", "restore", "approve", "undo"}
"""Decisions after which the answer says if the guideline is used."""


def outcome_message(outcome: DecisionOutcome, query: GuidelineQuery | None = None) -> SlackMessage:
    """Return what came of a decision, with a button that undoes it; `query` is the list it was made in."""
    sentence = outcome_sentence(outcome)
    return SlackMessage(text=sentence, blocks=outcome_blocks(outcome, query))


def outcome_blocks(outcome: DecisionOutcome, query: GuidelineQuery | None = None) -> tuple[Block, ...]:
    """Return the same as blocks, to stand above a list or in a modal."""
    text = section(outcome_sentence(outcome))
    if not outcome.undo_mark or outcome.rule is None:
        return (text,)
    undo = button("Undo", UNDO_GUIDELINE, _undo_value(outcome.judge, outcome.rule, outcome.undo_mark, query))
    return text, actions("guideline-undo", undo)


def outcome_sentence(outcome: DecisionOutcome) -> str:
    """Return what came of a decision, escaped."""
    if outcome.refusal:
        return escape(outcome.refusal)
    if outcome.action == "rollback":
        return SENTENCES["rollback"].format(version=outcome.version)
    if outcome.rule is None:
        return "Undone: the rule you added is gone."
    sentence = SENTENCES[outcome.action].format(rule=_quoted(outcome.rule))
    if outcome.action not in TOLD_WITH_STATE:
        return sentence
    in_use = USED if outcome.reads_guidelines else KEPT
    return f"{sentence} {guideline_state(outcome.rule) or in_use}"


def may_not_manage(judge: str, named: Sequence[str]) -> str:
    """Return the sentence, not escaped, for somebody who may not change a judge's guidelines.

    Args:
        judge: the judge's name.
        named: the names of those who may, where the settings name somebody.
    """
    if named:
        return f"Only {_listed(named)} may change the guidelines of {judge}; please ask."
    return f"Only members of this workspace who are in the channel of {judge} may change its guidelines."


def teach_usage() -> SlackMessage:
    """Return the answer to somebody who teaches no rule."""
    return text_message(TEACH_USAGE)


def teach_which_judge(judges: Sequence[str]) -> SlackMessage:
    """Return the question which of several judges is to be taught."""
    return text_message(
        f"Which judge? Put its name before the rule, as in `/memalign teach &lt;judge&gt; &lt;rule&gt;`: "
        f"{join_names(judges)}."
    )


def _quoted(rule: Guideline) -> str:
    """Return a guideline in quotes as the end of a sentence."""
    if not rule.has_words:
        return "a rule without words."
    text = escape(rule.text, MAX_RULE_LENGTH)
    return f"“{text}”" if text.endswith((".", "!", "?", "…")) else f"“{text}”."


def _listed(names: Sequence[str]) -> str:
    shown = list(names[:5]) + ([f"{len(names) - 5} others"] if len(names) > 5 else [])
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def _undo_value(judge: str, rule: Guideline, mark: str, query: GuidelineQuery | None) -> str:
    page = [query.words, query.offset] if query else None
    return json.dumps({"judge": judge, "guideline": rule.id, "mark": mark, "page": page}, ensure_ascii=False)
