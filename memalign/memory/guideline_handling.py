"""Decisions of people on guidelines: added by hand, edited, retired, restored, pinned, approved, undone. Pure.

Each decision keeps the form before it, so that the last one can be undone.
"""

import hashlib
import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from memalign.errors import InputError
from memalign.memory.text_features import normal, sentence_key
from memalign.records import WAITING_TEXT, Guideline, Handling
from memalign.rule_refusal import refusal_of
from memalign.serialization import to_document

MAX_GUIDELINE_CHARACTERS = 1_000
"""Of a guideline in a person's words; about ten sentences. Set by hand."""
REFUSALS = {
    "verdict": "That fixes the verdict, whatever the answer; say what makes an answer good or bad.",
    "instruction": "That tells the model what to do; say what makes an answer good or bad.",
}


def guideline_id(judge: str, text: str) -> str:
    """Name a guideline.

    Args:
        judge: The judge's name.
        text: The guideline's first words.

    Returns:
        A hash of both, by which the same words are known again when they themselves are gone.
    """
    digest = hashlib.sha256(f"{judge}\n{normal(text)}".encode("utf-8", "surrogatepass"))
    return f"g-{digest.hexdigest()[:16]}"


def form_mark(rule: Guideline) -> str:
    """Name the form of a guideline that people decide on.

    Args:
        rule: The guideline.

    Returns:
        A hash of the form, another one after each decision: 16 hexadecimal digits.
    """
    form = json.dumps(to_document(rule.form), sort_keys=True)
    return hashlib.sha256(form.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def wordings_of(judge: str, ids: Sequence[str], guidelines: Iterable[Guideline]) -> tuple[str, ...]:
    """Name the texts of guidelines that a judge is shown.

    Args:
        judge: The judge's name.
        ids: The ids of those it is shown.
        guidelines: All among which they are.

    Returns:
        For each id the name of its guideline's text; empty if each is in its first words.
    """
    texts = {rule.id: guideline_id(judge, rule.text) for rule in guidelines}
    wordings = tuple(texts.get(each, each) for each in ids)
    return () if wordings == tuple(ids) else wordings


def checked_text(text: str) -> str:
    """Check the words of a person for a guideline.

    Args:
        text: The words.

    Returns:
        The words on one line.

    Raises:
        InputError: If there are none, or too many, or if they are no rule on answers.
    """
    line = " ".join(text.split())
    if not normal(line):
        raise InputError("A guideline needs words; say what makes an answer good or bad.")
    if len(line) > MAX_GUIDELINE_CHARACTERS:
        raise InputError(
            f"A guideline has at most {MAX_GUIDELINE_CHARACTERS:,} characters, and this one has {len(line):,}; "
            "shorten it, or make two of it."
        )
    if refusal := refusal_of(line):
        raise InputError(REFUSALS[refusal])
    return line


def added(judge: str, text: str, decision: Handling, known: Collection[Guideline]) -> Guideline:
    """Make a guideline of a person's own words.

    Args:
        judge: The judge's name.
        text: The words.
        decision: Who adds it, and when.
        known: The judge's guidelines.

    Returns:
        The guideline, without sources: it rests on that person.

    Raises:
        InputError: If the text is no rule on answers, or known already.
    """
    line = checked_text(text)
    _refuse_known(line, known)
    own_id = guideline_id(judge, line)
    if any(rule.id == own_id for rule in known):
        # these were the first words of a guideline that has others now
        own_id = guideline_id(judge, f"{line}\n{decision.person}\n{decision.time_ms}")
    return Guideline(
        id=own_id,
        text=line,
        sources=(),
        learned_ms=decision.time_ms,
        added_by=replace(decision, text=line),
    )


def edited(rule: Guideline, text: str, decision: Handling, known: Collection[Guideline]) -> Guideline:
    """Put a guideline into a person's words.

    Args:
        rule: The guideline.
        text: The words.
        decision: Who edits it, and when.
        known: The judge's guidelines.

    Returns:
        The guideline. It keeps its sources, waits for nothing any more, and its record starts anew.

    Raises:
        InputError: If the text is no rule on answers, or known already, or if the guideline is retired.
    """
    _refuse_retired(rule)
    line = checked_text(text)
    if line == rule.text:
        raise InputError("The guideline says that already; nothing was changed.")
    _refuse_known(line, [each for each in known if each.id != rule.id])
    return replace(
        rule,
        text=line,
        waiting=False,
        edited_by=decision,
        record_since_ms=decision.time_ms,
        previous=rule.form,
    )


def retired(rule: Guideline, decision: Handling) -> Guideline:
    """Take a guideline out of use, until it is restored.

    Args:
        rule: The guideline.
        decision: Who retires it, and when.

    Returns:
        The guideline.

    Raises:
        InputError: If it is retired already.
    """
    if rule.retired:
        raise InputError("This guideline is retired already.")
    return replace(rule, retired_by=decision, previous=rule.form)


def restored(rule: Guideline, decision: Handling) -> Guideline:
    """Take a retired guideline back into use.

    Args:
        rule: The guideline.
        decision: Who restores it, and when. It rests on that person where nobody's feedback supports it any more.

    Returns:
        The guideline; one whose words are gone waits to be distilled again.

    Raises:
        InputError: If it is not retired, or if there are neither words nor sources to distil them from.
    """
    if not rule.retired:
        raise InputError("This guideline is not retired.")
    has_words = rule.text != WAITING_TEXT
    if not rule.people and not has_words:
        raise InputError("The words of this guideline are forgotten; add it again in your own.")
    added_by = rule.added_by if rule.people else replace(decision, text=rule.text)
    return replace(
        rule,
        retired_by=None,
        waiting=not has_words,
        added_by=added_by,
        record_since_ms=_record_since_ms(rule, decision),
        previous=rule.form,
    )


def pinned(rule: Guideline, decision: Handling) -> Guideline:
    """Pin a guideline: it comes first, and is never left out for room.

    Args:
        rule: The guideline.
        decision: Who pins it, and when.

    Returns:
        The guideline.

    Raises:
        InputError: If it is pinned already, or retired.
    """
    _refuse_retired(rule)
    if rule.pinned:
        raise InputError("This guideline is pinned already.")
    return replace(
        rule,
        pinned_by=decision,
        record_since_ms=_record_since_ms(rule, decision),
        previous=rule.form,
    )


def unpinned(rule: Guideline) -> Guideline:
    """Unpin a guideline.

    Args:
        rule: The guideline.

    Returns:
        The guideline.

    Raises:
        InputError: If it is not pinned.
    """
    if not rule.pinned:
        raise InputError("This guideline is not pinned.")
    return replace(rule, pinned_by=None, previous=rule.form)


def approved(rule: Guideline, decision: Handling) -> Guideline:
    """Approve a guideline.

    Args:
        rule: The guideline.
        decision: Who approves it, and when.

    Returns:
        The guideline; the same where somebody has approved it before, and it is not in doubt.

    Raises:
        InputError: If it is retired.
    """
    _refuse_retired(rule)
    if rule.approved_by and not rule.doubtful:
        return rule
    return replace(
        rule,
        approved_by=decision.person,
        record_since_ms=_record_since_ms(rule, decision),
        previous=rule.form,
    )


def undone(rule: Guideline, mark: str = "") -> Guideline | None:
    """Undo the last decision on a guideline.

    Args:
        rule: The guideline.
        mark: The mark of the form that is to be undone, see `form_mark`; empty: whatever form it has.

    Returns:
        The guideline in the form before it; None where that decision was to add it.

    Raises:
        InputError: If there is nothing to undo, or if the guideline has another form than the one to be undone.
    """
    if mark and mark != form_mark(rule):
        raise InputError("This guideline was changed since then, so I left it as it is.")
    form = rule.previous
    if form is not None:
        return replace(
            rule,
            text=form.text,
            waiting=form.waiting,
            edited_by=form.edited_by,
            retired_by=form.retired_by,
            pinned_by=form.pinned_by,
            approved_by=form.approved_by,
            record_since_ms=form.record_since_ms,
            previous=None,
        )
    is_untouched = not (rule.edited_by or rule.retired or rule.pinned)
    if rule.added_by is not None and not rule.sources and is_untouched:
        return None
    raise InputError("There is nothing to undo on this guideline.")


def _record_since_ms(rule: Guideline, decision: Handling) -> int:
    """Return when the record of a guideline starts that is wanted: anew where it is in doubt."""
    return decision.time_ms if rule.doubtful else rule.record_since_ms


def _refuse_known(text: str, known: Collection[Guideline]) -> None:
    same = next((rule for rule in known if sentence_key(rule.text) == sentence_key(text)), None)
    if same is not None and same.retired:
        raise InputError("A retired guideline says that; restore it to use it again.")
    if same is not None:
        raise InputError("The judge has a guideline that says exactly that.")


def _refuse_retired(rule: Guideline) -> None:
    if rule.retired:
        raise InputError("This guideline is retired; restore it first.")
