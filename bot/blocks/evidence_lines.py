"""Lines on the evidence of a verdict, in Slack's markup."""

from collections.abc import Mapping, Sequence
from typing import TypeVar

from bot.blocks.commands import state_note
from bot.blocks.left_out import left_out_line
from bot.blocks.mrkdwn import escape, escape_address, escape_name, format_label, format_verdict, join_names
from bot.evidence import CaseEvidence, GuidelineChange, GuidelineEvidence, VerdictEvidence
from bot.plain_text import pluralise

CHANGES: Mapping[GuidelineChange, str] = {
    "reworded": "_Reworded since: the judge was shown other words._",
    "replaced": "_This guideline has since replaced the one that was shown._",
}
NAMED_NONE = "\nIt named none of them as its reason."
MAX_RULE_LENGTH, MAX_RULE_LENGTH_IN_SHORT, MAX_QUESTION_LENGTH = 700, 350, 200

EvidenceT = TypeVar("EvidenceT", GuidelineEvidence, CaseEvidence)
EvidenceGroup = tuple[str, Sequence[EvidenceT]]
"""The words above some evidence, and the evidence."""


def headline(evidence: VerdictEvidence) -> str:
    """Return the verdict, its judge and the question."""
    line = f"{format_verdict(evidence.stored.verdict.value)} · {escape_name(evidence.title, 150)}"
    question = escape(evidence.question, MAX_QUESTION_LENGTH + 100)
    return f"{line}\n{question}" if question else line


def origin(evidence: VerdictEvidence) -> str:
    """Return when it was judged, by which model, and the size of the memory then."""
    verdict, memory = evidence.stored.verdict, evidence.stored.verdict.memory
    judged = f"Judged on {evidence.judged_at.day} {evidence.judged_at:%b %Y at %H:%M}"
    if not verdict.model:
        return f"{judged}."
    if not evidence.reads_guidelines:
        return f"{judged} without a language model, from {pluralise(memory.cases, 'labelled case')}."
    provider, _, name = verdict.model.partition(":/")
    size = f"{pluralise(memory.guidelines, 'guideline')} and {pluralise(memory.cases, 'case')}"
    return f"{judged} by {escape_name(name or provider, 150)}, with {size} in memory."


def missing(evidence: VerdictEvidence) -> Sequence[str]:
    """Return lines on what the judge was not shown; empty ones where there is nothing to tell."""
    verdict = evidence.stored.verdict
    return escape(verdict.note or "", 300), left_out_line(verdict.left_out)


def guideline_groups(evidence: VerdictEvidence, limit: int) -> list[EvidenceGroup[GuidelineEvidence]]:
    """Return the guidelines that led the judge and then the others, each with the words above them."""
    cited = sum(each.is_cited for each in evidence.guidelines)
    others = pluralise(len(evidence.guidelines) - cited, "more guideline")
    titles = ("*Guidelines that led it*", f"*{others} it was shown*", _guidelines_title(evidence))
    return _groups(evidence.guidelines[:limit], titles)


def case_groups(evidence: VerdictEvidence, limit: int) -> list[EvidenceGroup[CaseEvidence]]:
    """Return the cases that led the judge and then the others, each with the words above them."""
    shown = evidence.cases[:limit]
    if not evidence.reads_guidelines:
        return [(_cases_title(evidence), shown)]
    others = pluralise(_known_cases(evidence) - sum(each.is_cited for each in evidence.cases), "more case")
    titles = (
        "*Similar cases that led it*",
        f"*{others} it was shown*, most similar first",
        _cases_title(evidence),
    )
    return _groups(shown, titles)


def _groups(shown: Sequence[EvidenceT], titles: tuple[str, str, str]) -> list[EvidenceGroup[EvidenceT]]:
    """Return what led the judge and the others; as one group where nothing did. A title for each of the three."""
    cited = [each for each in shown if each.is_cited]
    others = [each for each in shown if not each.is_cited]
    if not cited:
        return [(titles[2], others)]
    return [(titles[0], cited), (titles[1], others)] if others else [(titles[0], cited)]


def _guidelines_title(evidence: VerdictEvidence) -> str:
    verdict = evidence.stored.verdict
    if not evidence.reads_guidelines:
        return "*Guidelines*\nThis judge reads none, since it uses no language model. Its cases decide."
    if not verdict.shown_guideline_ids:
        return "*Guidelines*\nIt was shown none."
    named_none = verdict.asked_for_evidence and not verdict.guideline_ids
    return "*Guidelines it was shown*" + (NAMED_NONE if named_none else "")


def _cases_title(evidence: VerdictEvidence) -> str:
    verdict = evidence.stored.verdict
    if not (verdict.retrieved_trace_ids or evidence.cases_gone):
        return "*Similar cases*\nThere was none that it could go by."
    if not evidence.reads_guidelines:
        return "*Cases that weighed most*"
    named_none = verdict.asked_for_evidence and not (verdict.cited_trace_ids or evidence.cited_cases_gone)
    return "*Similar cases it was shown*, most similar first" + (NAMED_NONE if named_none else "")


def _known_cases(evidence: VerdictEvidence) -> int:
    stored = evidence.stored
    return len(stored.verdict.retrieved_trace_ids) + stored.forgotten_cases - evidence.cases_gone


def rule_lines(each: GuidelineEvidence) -> str:
    """Return a guideline with what has become of it, and its authors."""
    lines = [short_rule(each, MAX_RULE_LENGTH)]
    if each.change:
        lines.append(CHANGES[each.change])
    return "\n".join([*lines, _authors(each)])


def _authors(each: GuidelineEvidence) -> str:
    rule, names = each.guideline, join_names(each.names)
    if rule.added_by and not rule.sources:
        return f"added by {names}"
    return f"from {names} · {pluralise(len(rule.source_trace_ids), 'case')}"


def short_rule(each: GuidelineEvidence, limit: int = MAX_RULE_LENGTH_IN_SHORT) -> str:
    """Return a guideline with its number and state."""
    rule = each.guideline
    text = "" if rule.waiting else escape(rule.text, limit)
    return f"*{each.number}.* {text}{state_note(rule)}"


def case_lines(each: CaseEvidence) -> str:
    """Return a case in two lines, with people's label and a link to its card."""
    link = f" · <{escape_address(each.link)}|Open the card>" if each.link else ""
    return f"{_question(each)}\n{_people(each)}{link}"


def short_case(each: CaseEvidence) -> str:
    """Return a case in one line."""
    question = _question(each)
    linked = f"<{escape_address(each.link)}|{question}>" if each.link else question
    return f"• {linked} · {_people(each)}"


def _question(each: CaseEvidence) -> str:
    return escape(each.question, MAX_QUESTION_LENGTH + 100).replace("\n", " ") or "A case without text"


def _people(each: CaseEvidence) -> str:
    return (
        "the votes on it were taken back" if each.label is None else f"people say {format_label(each.label)}"
    )


def more_guidelines(evidence: VerdictEvidence, shown: int) -> list[str]:
    """Return lines on guidelines that are not shown."""
    more, cited = len(evidence.guidelines) - shown, evidence.cited_guidelines_gone
    others = evidence.guidelines_gone - cited
    return [
        f"… and {pluralise(more, 'more guideline')} it was shown." if more else "",
        f"{pluralise(cited, 'guideline')} that led it {_is(cited)} gone." if cited else "",
        f"{pluralise(others, 'guideline')} it was shown {_is(others)} gone." if others else "",
    ]


def more_cases(evidence: VerdictEvidence, shown: int) -> list[str]:
    """Return lines on cases that are not shown."""
    more, cited = _known_cases(evidence) - shown, evidence.cited_cases_gone
    others = evidence.cases_gone - cited
    return [
        f"… and {pluralise(more, 'more case')}." if more else "",
        f"{pluralise(cited, 'case')} that led it {_has(cited)} since been forgotten." if cited else "",
        f"{pluralise(others, 'case')} {_has(others)} since been forgotten." if others else "",
    ]


def _is(number: int) -> str:
    return "is" if number == 1 else "are"


def _has(number: int) -> str:
    return "has" if number == 1 else "have"
