"""Audit lines of the guidelines that a change of a memory brings and takes. Pure."""

from collections.abc import Collection, Iterable, Iterator, Mapping

from memalign.ports import MemoryChange
from memalign.records import Guideline
from storage.keys import digest, key
from storage.records import AuditAction, AuditLine

LESSON_HASH_LENGTH = 12
"""Hexadecimal digits. Set by hand: within the rules of one judge's week, two alike by chance do not happen."""


def guideline_lines(
    judge: str, change: MemoryChange, before: Mapping[str, Guideline], known: Collection[str]
) -> Iterator[AuditLine]:
    """Yield lines on guidelines learned, on those out of use for good, and on those in use again.

    A guideline whose people turned against it is retired by them; one that others absorb, or that is parted from them
    again, neither comes nor goes.

    Args:
        judge: the judge's name.
        change: the change of its memory, which no person decided on.
        before: by id, the guidelines that the change puts or drops, as they were.
        known: ids of those that there were, be they damaged.
    """
    put = {rule.id: rule for rule in change.put_guidelines}
    merged = {each.guideline.id for rule in put.values() for each in rule.merged}
    parted = {each.guideline.id for rule in before.values() for each in rule.merged}
    learned = [rule for rule in put.values() if rule.id not in known and rule.id not in parted]
    # one that goes and comes back by the same change was there before and is there after
    dropped = change.drop_guidelines - merged - put.keys()
    retired = [rule for rule in before.values() if _is_taught(rule) and rule.id in dropped]
    retired += [rule for rule in put.values() if rule.overruled and _is_taught(before.get(rule.id))]
    restored = [rule for rule in put.values() if _is_taught(rule) and _is_overruled(before.get(rule.id))]
    yield from _lines(judge, change.at_ms, "guideline_learned", learned)
    yield from _lines(judge, change.at_ms, "guideline_retired", retired)
    yield from _lines(judge, change.at_ms, "guideline_restored", restored)


def _is_taught(rule: Guideline | None) -> bool:
    """Return whether a guideline is there that nobody has retired or turned against."""
    return rule is not None and rule.state not in ("overruled", "retired")


def _is_overruled(rule: Guideline | None) -> bool:
    return rule is not None and rule.state == "overruled"


def _lines(judge: str, at_ms: int, what: AuditAction, rules: Iterable[Guideline]) -> Iterator[AuditLine]:
    by_id = {rule.id: rule for rule in rules}
    if ids := tuple(sorted(by_id)):
        lessons = tuple(_lesson_hashes(by_id[each]) for each in ids)
        yield AuditLine(at_ms=at_ms, what=what, judge=judge, ids=ids, lessons=lessons)


def _lesson_hashes(rule: Guideline) -> tuple[str, ...]:
    """Return hashes of the opinions that a guideline rests on, from which neither trace nor person can be read."""
    opinions = {key(each.trace_id, each.person) for each in rule.sources}
    return tuple(sorted(digest(each)[:LESSON_HASH_LENGTH] for each in opinions))
