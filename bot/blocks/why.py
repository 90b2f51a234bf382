"""Views of the evidence of a verdict: the guidelines and cases its judge was shown."""

from collections.abc import Iterator, Mapping, Sequence

from bot.blocks.commands import state_note
from bot.blocks.guideline_buttons import guideline_value, is_retired
from bot.blocks.left_out import left_out_line
from bot.blocks.mrkdwn import escape, escape_address, escape_name, format_label, format_verdict, join_names
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
from bot.evidence import CaseEvidence, GuidelineChange, GuidelineEvidence, VerdictEvidence
from bot.plain_text import pluralise

WHY, WRONG_CASE, WRONG_GUIDELINE = "why", "wrong_case", "wrong_guideline"
WHY_VIEW, WHY_TITLE = "why_view", "Why this verdict?"
THIS_IS_WRONG = "This one is wrong"

CHANGES: Mapping[GuidelineChange, str] = {
    "reworded": "_Reworded since: the judge was shown other words._",
    "replaced": "_This guideline has since replaced the one that was shown._",
}
MAX_GUIDELINES, MAX_CASES = 60, 25
"""In the modal, so that it keeps within Slack's 100 blocks."""
MAX_GUIDELINES_IN_SHORT, MAX_CASES_IN_SHORT = 5, 3
MAX_RULE_LENGTH, MAX_RULE_LENGTH_IN_SHORT, MAX_QUESTION_LENGTH = 700, 350, 200


def why_button(verdict_id: str) -> Block:
    """Return the button that opens the modal."""
    return button("Why?", WHY, verdict_id)


def why_view(evidence: VerdictEvidence) -> Block:
    """Return the modal with all evidence of a verdict, each piece with a button for what is wrong."""
    judge = evidence.stored.verdict.judge
    rules, cases = evidence.guidelines[:MAX_GUIDELINES], evidence.cases[:MAX_CASES]
    blocks = [
        section(_headline(evidence)),
        context(_origin(evidence)),
        *_missing(evidence),
        section(_guidelines_title(evidence)),
        *(_with_button(_rule_lines(each), WRONG_GUIDELINE, _subject(judge, each)) for each in rules),
        *_remarks(_more_guidelines(evidence, len(rules))),
        section(_cases_title(evidence)),
        *(_with_button(_case_lines(each), WRONG_CASE, each.verdict_id) for each in cases),
        *_remarks(_more_cases(evidence, len(cases))),
    ]
    return modal(WHY_VIEW, WHY_TITLE, fit_modal(blocks))


def why_message(evidence: VerdictEvidence) -> SlackMessage:
    """Return the evidence that counts most, with a button that shows all."""
    rules, cases = evidence.guidelines[:MAX_GUIDELINES_IN_SHORT], evidence.cases[:MAX_CASES_IN_SHORT]
    verdict_id = evidence.stored.verdict_id
    blocks = (
        section(_headline(evidence)),
        context(_origin(evidence)),
        *_missing(evidence),
        section("\n".join([_guidelines_title(evidence), *map(_short_rule, rules)])),
        *_remarks(_more_guidelines(evidence, len(rules))),
        section("\n".join([_cases_title(evidence), *map(_short_case, cases)])),
        *_remarks(_more_cases(evidence, len(cases))),
        actions(f"why-{verdict_id}", button("Show all", WHY, verdict_id)),
    )
    return SlackMessage(text=_headline(evidence), blocks=blocks)


def why_of_which_trace() -> SlackMessage:
    """Return the answer to somebody who named no trace."""
    return plain_message("Which trace? Type `/memalign why` and its id, or a link to its card.")


def no_verdict_of_yours(reference: str) -> SlackMessage:
    """Return the answer about a trace that is unknown, forgotten, not judged yet, or not for this person."""
    return plain_message(
        f"I have no verdict to explain on a trace “{reference[:300]}” in your channels. "
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


def _headline(evidence: VerdictEvidence) -> str:
    line = f"{format_verdict(evidence.stored.verdict.value)} · {escape_name(evidence.title, 150)}"
    question = escape(evidence.question, MAX_QUESTION_LENGTH + 100)
    return f"{line}\n{question}" if question else line


def _origin(evidence: VerdictEvidence) -> str:
    verdict, memory = evidence.stored.verdict, evidence.stored.verdict.memory
    judged = f"Judged on {evidence.judged_at.day} {evidence.judged_at:%b %Y at %H:%M}"
    if not verdict.model:
        return f"{judged}."
    if not evidence.reads_guidelines:
        return f"{judged} without a language model, from {pluralise(memory.cases, 'labelled case')}."
    provider, _, name = verdict.model.partition(":/")
    size = f"{pluralise(memory.guidelines, 'guideline')} and {pluralise(memory.cases, 'case')}"
    return f"{judged} by {escape_name(name or provider, 150)}, with {size} in memory."


def _missing(evidence: VerdictEvidence) -> Iterator[Block]:
    """Yield lines on what the judge was not shown."""
    verdict = evidence.stored.verdict
    lines = (escape(verdict.note or "", 300), left_out_line(verdict.left_out))
    yield from _remarks(lines)


def _remarks(lines: Sequence[str]) -> Iterator[Block]:
    yield from (context(line) for line in lines if line)


def _guidelines_title(evidence: VerdictEvidence) -> str:
    if not evidence.reads_guidelines:
        return "*Guidelines*\nThis judge reads none, since it uses no language model. Its cases decide."
    if evidence.stored.verdict.guideline_ids:
        return "*Guidelines it was shown*"
    return "*Guidelines*\nIt was shown none."


def _cases_title(evidence: VerdictEvidence) -> str:
    if not evidence.stored.verdict.retrieved_trace_ids:
        return "*Similar cases*\nThere was none that it could go by."
    if evidence.reads_guidelines:
        return "*Similar cases it was shown*, most similar first"
    return "*Cases that weighed most*"


def _with_button(text: str, action_id: str, value: str | None) -> Block:
    block = section(text)
    return {**block, "accessory": button(THIS_IS_WRONG, action_id, value)} if value else block


def _subject(judge: str, each: GuidelineEvidence) -> str | None:
    """Return the value of a guideline's button; None for one that is out of use for good already."""
    return None if is_retired(each.guideline) else guideline_value(judge, each.guideline.id)


def _rule_lines(each: GuidelineEvidence) -> str:
    lines = [_short_rule(each, MAX_RULE_LENGTH)]
    if each.change:
        lines.append(CHANGES[each.change])
    return "\n".join([*lines, _authors(each)])


def _authors(each: GuidelineEvidence) -> str:
    rule, names = each.guideline, join_names(each.names)
    if rule.added_by and not rule.sources:
        return f"added by {names}"
    return f"from {names} · {pluralise(len(rule.source_trace_ids), 'case')}"


def _short_rule(each: GuidelineEvidence, limit: int = MAX_RULE_LENGTH_IN_SHORT) -> str:
    rule = each.guideline
    text = "" if rule.waiting else escape(rule.text, limit)
    return f"*{each.number}.* {text}{state_note(rule)}"


def _case_lines(each: CaseEvidence) -> str:
    link = f" · <{escape_address(each.link)}|Open the card>" if each.link else ""
    return f"{_question(each)}\n{_people(each)}{link}"


def _short_case(each: CaseEvidence) -> str:
    question = _question(each)
    linked = f"<{escape_address(each.link)}|{question}>" if each.link else question
    return f"• {linked} · {_people(each)}"


def _question(each: CaseEvidence) -> str:
    return escape(each.question, MAX_QUESTION_LENGTH + 100).replace("\n", " ") or "A case without text"


def _people(each: CaseEvidence) -> str:
    return (
        "the votes on it were taken back" if each.label is None else f"people say {format_label(each.label)}"
    )


def _more_guidelines(evidence: VerdictEvidence, shown: int) -> list[str]:
    gone, more = evidence.guidelines_gone, len(evidence.guidelines) - shown
    return [
        f"… and {pluralise(more, 'more guideline')}." if more else "",
        f"{pluralise(gone, 'guideline')} it was shown {'is' if gone == 1 else 'are'} gone." if gone else "",
    ]


def _more_cases(evidence: VerdictEvidence, shown: int) -> list[str]:
    gone = evidence.cases_gone
    more = len(evidence.stored.verdict.retrieved_trace_ids) - gone - shown
    return [
        f"… and {pluralise(more, 'more case')}." if more else "",
        f"{pluralise(gone, 'case')} {'was' if gone == 1 else 'were'} forgotten since." if gone else "",
    ]
