"""Views of the evidence of a verdict: the guidelines and cases that led its judge, and all others it was shown."""

from collections.abc import Callable, Iterator, Sequence

from bot.blocks.evidence_lines import (
    EvidenceGroup,
    EvidenceT,
    case_groups,
    case_lines,
    guideline_groups,
    headline,
    missing,
    more_cases,
    more_guidelines,
    origin,
    rule_lines,
    short_case,
    short_rule,
)
from bot.blocks.guideline_buttons import guideline_value, is_retired
from bot.blocks.primitives import (
    Block,
    SlackMessage,
    actions,
    button,
    context,
    fit_modal,
    modal,
    plain_message,
    section,
)
from bot.blocks.selection import selection_line
from bot.evidence import GuidelineEvidence, VerdictEvidence
from bot.plain_text import did_you_mean

WHY, WRONG_CASE, WRONG_GUIDELINE = "why", "wrong_case", "wrong_guideline"
WHY_VIEW, WHY_TITLE = "why_view", "Why this verdict?"
THIS_IS_WRONG = "This one is wrong"

MAX_GUIDELINES, MAX_CASES = 60, 25
"""In the modal, so that it keeps within Slack's 100 blocks."""
MAX_GUIDELINES_IN_SHORT, MAX_CASES_IN_SHORT = 5, 3


def why_button(verdict_id: str) -> Block:
    """Return the button that opens the modal."""
    return button("Why?", WHY, verdict_id)


def why_view(evidence: VerdictEvidence) -> Block:
    """Return the modal with all evidence of a verdict, what led the judge first, with a button for what is wrong."""
    judge = evidence.stored.verdict.judge
    rules, cases = guideline_groups(evidence, MAX_GUIDELINES), case_groups(evidence, MAX_CASES)
    blocks = [
        section(headline(evidence)),
        context(origin(evidence)),
        *_remarks([selection_line(evidence.stored.selection), *missing(evidence)]),
        *_grouped(rules, lambda each: _with_button(rule_lines(each), WRONG_GUIDELINE, _subject(judge, each))),
        *_remarks(more_guidelines(evidence, _count(rules))),
        *_grouped(cases, lambda each: _with_button(case_lines(each), WRONG_CASE, each.verdict_id)),
        *_remarks(more_cases(evidence, _count(cases))),
    ]
    return modal(WHY_VIEW, WHY_TITLE, fit_modal(blocks))


def why_message(evidence: VerdictEvidence) -> SlackMessage:
    """Return the evidence that counts most, what led the judge before all else, with a button that shows all."""
    (rules_title, rules), *_ = guideline_groups(evidence, MAX_GUIDELINES_IN_SHORT)
    (cases_title, cases), *_ = case_groups(evidence, MAX_CASES_IN_SHORT)
    verdict_id = evidence.stored.verdict_id
    blocks = (
        section(headline(evidence)),
        context(origin(evidence)),
        *_remarks([selection_line(evidence.stored.selection), *missing(evidence)]),
        section("\n".join([rules_title, *map(short_rule, rules)])),
        *_remarks(more_guidelines(evidence, len(rules))),
        section("\n".join([cases_title, *map(short_case, cases)])),
        *_remarks(more_cases(evidence, len(cases))),
        actions(f"why-{verdict_id}", button("Show all", WHY, verdict_id)),
    )
    return SlackMessage(text=headline(evidence), blocks=blocks)


def why_of_which_trace() -> SlackMessage:
    """Return the answer to somebody who named no trace."""
    return plain_message("Which trace? Type `/memalign why` and its id, or a link to its card.")


def no_verdict_of_yours(reference: str, guess: str | None) -> SlackMessage:
    """Return the answer about a trace that is unknown, forgotten, not judged yet, or not for this person.

    Args:
        reference: what they typed.
        guess: the trace that may be meant, if one is like it.
    """
    return plain_message(
        f"I have no verdict to explain on a trace “{reference[:300]}” in your channels.{did_you_mean(guess)} "
        "Copy its id from the card, or give me a link to the card."
    )


def nothing_to_explain() -> Block:
    """Return the modal for a click on a verdict that is gone, or that the person may not see."""
    sentence = (
        "I can't explain this verdict: it was forgotten, or I can't see that you're in its judge's channel."
    )
    return modal(WHY_VIEW, WHY_TITLE, [section(sentence)])


def may_not_correct() -> Block:
    """Return the modal for somebody from whom the judge does not learn."""
    return modal(
        WHY_VIEW,
        WHY_TITLE,
        [section("I can't take that from you: only members of this workspace can teach me.")],
    )


def _grouped(
    groups: Sequence[EvidenceGroup[EvidenceT]], block_of: Callable[[EvidenceT], Block]
) -> Iterator[Block]:
    for title, group in groups:
        yield section(title)
        yield from map(block_of, group)


def _count(groups: Sequence[EvidenceGroup[EvidenceT]]) -> int:
    return sum(len(group) for _, group in groups)


def _remarks(lines: Sequence[str]) -> Iterator[Block]:
    yield from (context(line) for line in lines if line)


def _with_button(text: str, action_id: str, value: str | None) -> Block:
    block = section(text)
    return {**block, "accessory": button(THIS_IS_WRONG, action_id, value)} if value else block


def _subject(judge: str, each: GuidelineEvidence) -> str | None:
    """Return the value of a guideline's button; None for one that is out of use for good already."""
    return None if is_retired(each.guideline) else guideline_value(judge, each.guideline.id)
