"""Counts of the verdicts that judges gave with each guideline in front of them."""

from collections.abc import Mapping
from dataclasses import dataclass

from memalign.records import Json, Verdict
from storage.document_forms import fields_form
from storage.documents import Document
from storage.keys import below, key, parts_of
from storage.repository import Repository, Store, reads


@dataclass(frozen=True, slots=True, kw_only=True)
class GuidelineUse:
    """The use of one guideline."""

    verdicts: int = 0
    """Verdicts in the store whose judge was shown it."""
    led: int = 0
    """Those of them whose judge named it as what led it."""
    last_ms: int = 0
    """Time of the last of them, in milliseconds since 1970."""


class GuidelineUses(Repository):
    """Uses of guidelines, counted as verdicts come and go. A method to be awaited raises `StorageError`."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self._uses = store.documents.declare("guideline_uses", form=fields_form(verdicts=int, last_ms=int))

    def add(self, verdict: Verdict, judged_ms: int) -> None:
        """Count a new verdict."""
        for guideline_id in verdict.shown_guideline_ids:
            place = key(verdict.judge, guideline_id)
            body = self._uses.get(doc_id=place) or {"verdicts": 0, "last_ms": 0}
            led = _led(body) + (guideline_id in verdict.guideline_ids)
            use = {"verdicts": body["verdicts"] + 1, "led": led, "last_ms": max(body["last_ms"], judged_ms)}
            self._uses.upsert(Document(use, place))

    def subtract(self, verdict: Verdict) -> None:
        """Count a verdict no more; the time of the last use stays while there is another."""
        for guideline_id in verdict.shown_guideline_ids:
            place = key(verdict.judge, guideline_id)
            body = self._uses.get(doc_id=place)
            if body is not None and body["verdicts"] > 1:
                led = max(_led(body) - (guideline_id in verdict.guideline_ids), 0)
                self._uses.upsert(Document({**body, "verdicts": body["verdicts"] - 1, "led": led}, place))
            elif body is not None:
                self._uses.remove(doc_ids=[place])

    @reads
    def of_judge(self, judge: str) -> Mapping[str, GuidelineUse]:
        """Return the use of each of a judge's guidelines by id; those never used are missing."""
        return {
            parts_of(body.doc_id)[1]: GuidelineUse(
                verdicts=body["verdicts"], led=_led(body), last_ms=body["last_ms"]
            )
            for body in self._uses.range(*below(judge))
        }


def _led(body: Mapping[str, Json]) -> int:
    """Return how many verdicts it led; a store of an earlier version does not tell of any."""
    led: int = body.get("led", 0)
    return led
