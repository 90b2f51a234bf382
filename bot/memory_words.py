"""Versions of a judge's memory in words: what came, what went, and who did it; plain text, without markup."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from bot.plain_text import guideline_state, pluralise
from memalign.records import Guideline, GuidelineChange, Json, MemoryDiff, MemoryVersion

Sign = Literal["+", "-", "~"]
MAX_CASES_NAMED = 5
"""Cases that a comparison names; it counts the others."""
MAX_CASE_TITLE = 80
WITHOUT_WORDS = "a guideline that waits to be learned again"
EDITS: Mapping[str, str] = {
    "add": "added by",
    "edit": "edited by",
    "retire": "retired by",
    "restore": "restored by",
    "pin": "pinned by",
    "unpin": "unpinned by",
    "approve": "approved by",
    "undo": "undone by",
}
"""The words for each decision on a guideline, before the names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GuidelineLine:
    """A guideline that came, went or changed."""

    sign: Sign
    text: str
    note: str = ""
    """The way it changed; empty where it came or went."""

    @property
    def is_quotable(self) -> bool:
        """True if the text is the guideline's own."""
        return self.text != WITHOUT_WORDS


def guideline_lines(difference: MemoryDiff) -> list[GuidelineLine]:
    """Return a line for each guideline that came, went or changed."""
    return [
        *(GuidelineLine(sign="+", text=_text(rule), note=guideline_state(rule)) for rule in difference.came),
        *(GuidelineLine(sign="-", text=_text(rule)) for rule in difference.went),
        *(_changed_line(change) for change in difference.changed),
    ]


def case_words(difference: MemoryDiff) -> str:
    """Return how many cases came, went and changed: `2 cases added, 1 case gone`; empty for none."""
    came, went, changed = map(len, (difference.cases_came, difference.cases_went, difference.cases_changed))
    told = [
        came and f"{pluralise(came, 'case')} added",
        went and f"{pluralise(went, 'case')} gone",
        changed and f"{pluralise(changed, 'case')} changed",
    ]
    return ", ".join(str(part) for part in told if part)


def case_titles(difference: MemoryDiff) -> Iterator[tuple[Sign, str, str]]:
    """Yield sign, trace id and first words of the cases that came, went or changed."""
    groups: Sequence[tuple[Sign, Sequence[Json]]] = (
        ("+", difference.cases_came),
        ("-", difference.cases_went),
        ("~", difference.cases_changed),
    )
    for sign, episodes in groups:
        for episode in episodes:
            yield sign, episode.trace_id, _cut(episode.text)


def version_words(version: MemoryVersion, names: Mapping[str, str]) -> str:
    """Return by whom a version was made, and by what: `learned from Ana`, `edited by Ben`."""
    who = _listed([names.get(person, person) for person in version.people])
    match version.kind:
        case "lesson":
            return f"learned from {who}" if who else "learned again from what remains"
        case "trial":
            return "tried on earlier cases"
        case "edit":
            return f"{EDITS.get(version.action, 'changed by')} {who or 'somebody'}"
        case "forget":
            return f"forgotten, as {who} asked" if who else "forgotten"
        case "rollback":
            number = version.rollback_to
            back = "went back to " + ("an earlier version" if number is None else f"version {number}")
            return f"{back}, by {who}" if who else back
        case "settings":
            return "settings changed"


def difference_words(version: MemoryVersion, difference: MemoryDiff) -> list[str]:
    """Return what came and went in short, a piece for each guideline, then the cases."""
    if version.note:
        return [version.note]
    pieces = [line_words(line) for line in guideline_lines(difference)]
    if cases := case_words(difference):
        pieces.append(cases)
    if version.kind == "forget":
        gone = {"case": version.cases_forgotten, "guideline": version.guidelines_forgotten}
        told = " and ".join(pluralise(number, noun) for noun, number in gone.items() if number)
        return [f"{told} affected", *pieces]
    return pieces or ["what it changed has since been forgotten"]


def line_words(line: GuidelineLine) -> str:
    """Return a line in words: `+ “Cite a source.”`."""
    text = f"“{line.text}”" if line.is_quotable else line.text
    return f"{line.sign} {text}{f' ({line.note})' if line.note else ''}"


def difference_document(difference: MemoryDiff) -> dict[str, Json]:
    """Return what came and went as JSON."""
    return {
        "came": [_guideline_document(rule) for rule in difference.came],
        "went": [_guideline_document(rule) for rule in difference.went],
        "changed": [
            {"before": _guideline_document(each.before), "after": _guideline_document(each.after)}
            for each in difference.changed
        ],
        "cases_came": [each.trace_id for each in difference.cases_came],
        "cases_went": [each.trace_id for each in difference.cases_went],
        "cases_changed": [each.trace_id for each in difference.cases_changed],
    }


def _guideline_document(rule: Guideline) -> dict[str, Json]:
    return {
        "id": rule.id,
        "text": rule.text,
        "state": rule.state,
        "source_trace_ids": list(rule.source_trace_ids),
    }


def _changed_line(change: GuidelineChange) -> GuidelineLine:
    before, after = change.before, change.after
    if before.text != after.text:
        note = "waits to be learned again" if after.waiting else f"was: “{_text(before)}”"
        return GuidelineLine(sign="~", text=_text(before) if after.waiting else _text(after), note=note)
    return GuidelineLine(sign="~", text=_text(after), note=_note(before, after))


def _note(before: Guideline, after: Guideline) -> str:
    if before.retired != after.retired:
        return "retired" if after.retired else "restored"
    if before.pinned != after.pinned:
        return "pinned" if after.pinned else "unpinned"
    if bool(before.approved_by) != bool(after.approved_by):
        return "approved" if after.approved_by else "no longer approved"
    if len(before.sources) != len(after.sources):
        return f"{pluralise(len(after.sources), 'reason')}, before {len(before.sources)}"
    if before.state != after.state:
        return guideline_state(after).rstrip(".") or "in use again"
    return "other reasons"


def _text(rule: Guideline) -> str:
    return " ".join(rule.text.split()) if rule.has_words else WITHOUT_WORDS


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= MAX_CASE_TITLE else f"{line[:MAX_CASE_TITLE].rsplit(' ', 1)[0]} …"


def _listed(names: Sequence[str]) -> str:
    shown = [*names[:3], *([pluralise(len(names) - 3, "other")] if len(names) > 3 else [])]
    return " and ".join(filter(None, [", ".join(shown[:-1]), shown[-1]])) if shown else ""
