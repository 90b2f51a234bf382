"""Places of a judge's name in documents: parts of ids, and fields. Pure; a table that holds one is listed here."""

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from storage.keys import key, parts_of

FieldPath = tuple[str, ...]
"""Names of fields that lead to a judge's name; `*` stands for each item of a list."""
IdChange = Callable[[str, str, str], str]
"""Makes of a document's id, an old and a new name the id with the new one."""


def _same_id(doc_id: str, _old: str, _new: str) -> str:
    return doc_id


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgePlaces:
    """The places of judges' names in the documents of one table."""

    fields: tuple[FieldPath, ...] = ()
    renamed_id: IdChange = _same_id

    def holds(self, doc_id: str, body: Mapping[str, Any], judge: str) -> bool:
        """Return whether a document is of that judge, or names it."""
        is_named = any(judge in _values(body, path) for path in self.fields)
        # no judge is called NUL
        return is_named or self.renamed_id(doc_id, judge, "\x00") != doc_id

    def renamed(self, body: Mapping[str, Any], old: str, new: str) -> dict[str, Any]:
        """Return a document with the new name in the fields that hold the old one."""
        document = deepcopy(dict(body))
        for path in self.fields:
            _replace(document, path, old, new)
        return document


def _id_part(place: int) -> IdChange:
    """Return the change of ids of which one part is the judge's name."""

    def renamed(doc_id: str, old: str, new: str) -> str:
        parts = parts_of(doc_id)
        if len(parts) <= place or parts[place] != old:
            return doc_id
        return key(*parts[:place], new, *parts[place + 1 :])

    return renamed


def _digest_slot(doc_id: str, old: str, new: str) -> str:
    """Return the id of a digest, which begins with the channel and the judge."""
    slot, *rest = parts_of(doc_id)
    channel, _, judge = slot.partition(":")
    return key(f"{channel}:{new}", *rest) if judge == old else doc_id


_JUDGE: tuple[FieldPath, ...] = (("judge",),)
JUDGE_PLACES: Mapping[str, JudgePlaces] = {
    "audit": JudgePlaces(fields=_JUDGE),
    "candidate_windows": JudgePlaces(fields=_JUDGE, renamed_id=_id_part(0)),
    "candidates": JudgePlaces(fields=_JUDGE, renamed_id=_id_part(1)),
    "digest_messages": JudgePlaces(fields=_JUDGE),
    "digests": JudgePlaces(renamed_id=_digest_slot),
    "episodes": JudgePlaces(renamed_id=_id_part(0)),
    "event_subscriptions": JudgePlaces(fields=(("judges", "*"),)),
    "feedback": JudgePlaces(fields=_JUDGE),
    "forget_requests": JudgePlaces(fields=(("notes", "*", "judge"),)),
    "guideline_requests": JudgePlaces(fields=_JUDGE),
    "guideline_uses": JudgePlaces(renamed_id=_id_part(0)),
    "guidelines": JudgePlaces(renamed_id=_id_part(0)),
    "jobs": JudgePlaces(fields=_JUDGE, renamed_id=_id_part(1)),
    "judge_pauses": JudgePlaces(renamed_id=_id_part(0)),
    "judge_settings": JudgePlaces(renamed_id=_id_part(0)),
    "judge_traffic": JudgePlaces(renamed_id=_id_part(0)),
    "label_jobs": JudgePlaces(fields=_JUDGE, renamed_id=_id_part(1)),
    "memories": JudgePlaces(renamed_id=_id_part(0)),
    "memory_undo": JudgePlaces(fields=_JUDGE, renamed_id=_id_part(0)),
    "memory_versions": JudgePlaces(fields=_JUDGE, renamed_id=_id_part(0)),
    "outbound_events": JudgePlaces(fields=(("change", "judge"),)),
    "outbox": JudgePlaces(fields=(("content", "judge"),)),
    "pending_feedback": JudgePlaces(fields=_JUDGE),
    "refused_jobs": JudgePlaces(fields=_JUDGE, renamed_id=_id_part(1)),
    "rolled_back_cases": JudgePlaces(fields=_JUDGE, renamed_id=_id_part(0)),
    "thread_status_settings": JudgePlaces(renamed_id=_id_part(0)),
    "thread_statuses": JudgePlaces(fields=_JUDGE),
    "verdicts": JudgePlaces(fields=(("verdict", "judge"),)),
    "window_chances": JudgePlaces(renamed_id=_id_part(0)),
}
"""By table; every other holds no judge's name."""


def _values(node: Any, path: Sequence[str]) -> Sequence[Any]:
    if not path:
        return (node,)
    return [value for child in _children(node, path[0]) for value in _values(child, path[1:])]


def _children(node: Any, name: str) -> Sequence[Any]:
    if name == "*":
        return node if isinstance(node, list) else ()
    return (node[name],) if isinstance(node, dict) and name in node else ()


def _replace(node: Any, path: Sequence[str], old: str, new: str) -> None:
    *way, last = path
    for parent in _values(node, way):
        if isinstance(parent, dict) and parent.get(last) == old:
            parent[last] = new
        elif isinstance(parent, list) and last == "*":
            parent[:] = [new if each == old else each for each in parent]
