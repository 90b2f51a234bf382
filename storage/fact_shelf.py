"""The tables of what people did about verdicts, and what they were told."""

from collections.abc import Collection, Mapping
from dataclasses import replace

from storage.codec import facts_body, facts_of, flat, told_of
from storage.documents import Documents
from storage.facts import apply, meaning, times
from storage.keys import below, digest, event_ms, key, stamp
from storage.records import FeedbackEvent, PersonFeedback, StoredVerdict, ThreadPost
from storage.verdict_shelf import VerdictShelf

Voted = tuple[StoredVerdict, Mapping[str, PersonFeedback]]
_DAY_MS = 24 * 60 * 60 * 1000


class FactShelf:
    """Facts by verdict, by person and by day; for use inside a transaction."""

    def __init__(self, documents: Documents, verdicts: VerdictShelf) -> None:
        self._verdicts = verdicts
        self._facts = documents.shelf("facts")
        self._by_person = documents.shelf("facts_by_person")
        self._days = documents.shelf("voted_days")
        self._told = documents.shelf("told")
        self._forgotten = documents.shelf("forgotten_people")

    def of(self, verdict_id: str) -> dict[str, PersonFeedback]:
        """What each person did about the verdict."""
        return {body["person"]: facts_of(body["facts"]) for _, body in self._facts.span(*below(verdict_id))}

    def has_any(self, verdict_id: str) -> bool:
        """Whether anybody did anything about the verdict."""
        return bool(self._facts.span(*below(verdict_id), limit=1))

    def of_person(self, person: str) -> list[StoredVerdict]:
        """The verdicts about which the person did anything."""
        return self._verdicts.found(self._by_person.span(*below(person)))

    def note(self, stored: StoredVerdict, fact: FeedbackEvent) -> StoredVerdict | None:
        """Take a fact in; the verdict in its new revision when that changes what the facts come to."""
        if event_ms(fact.at) <= self.forgotten_ms(fact.person):
            return None
        place = key(stored.verdict_id, fact.person)
        body = self._facts.find(place)
        before = PersonFeedback() if body is None else facts_of(body["facts"])
        after = apply(before, fact)
        if after == before:
            return None
        days = self._note_day(stored, fact, [] if body is None else body["days"])
        self._facts.put(place, {"person": fact.person, "facts": facts_body(after), "days": days})
        self._by_person.put(key(fact.person, stored.verdict_id), {"verdict_id": stored.verdict_id})
        if meaning(after) == meaning(before):
            return None
        return self._revise(stored)

    def take_back(self, stored: StoredVerdict, person: str) -> StoredVerdict | None:
        """Remove all that the person did about the verdict, which is a new revision if there was anything."""
        place = key(stored.verdict_id, person)
        if not self._facts.has(place):
            return None
        self._facts.discard(place)
        self._by_person.discard(key(person, stored.verdict_id))
        return self._revise(stored)

    def forget_person(self, person: str, now_ms: int) -> None:
        """Take in nothing any more that the person did up to now; of the person a hash is kept."""
        self._forgotten.put(digest(person), {"at_ms": max(now_ms, self.forgotten_ms(person))})

    def forgotten_ms(self, person: str) -> int:
        """When the person's words were forgotten last; 0: never."""
        at_ms: int = (self._forgotten.find(digest(person)) or {"at_ms": 0})["at_ms"]
        return at_ms

    def tell(self, verdict_id: str, told: ThreadPost) -> None:
        """Remember what the verdict's thread was told."""
        self._told.put(key(verdict_id, told.message_ts), flat(told))

    def told(self, verdict_id: str) -> tuple[ThreadPost, ...]:
        """What the verdict's thread was told, oldest message first."""
        return tuple(told_of(body) for _, body in self._told.span(*below(verdict_id)))

    def untell(self, verdict_id: str, guideline_ids: Collection[str] | None = None) -> tuple[ThreadPost, ...]:
        """Take back what the verdict's thread was told, of these guidelines or of all; what that was."""
        told = tuple(
            said
            for said in self.told(verdict_id)
            if guideline_ids is None or not set(guideline_ids).isdisjoint(said.guideline_ids)
        )
        self._told.discard(*(key(verdict_id, said.message_ts) for said in told))
        return told

    def voted_between(self, judge: str, start_ms: int, end_ms: int) -> list[Voted]:
        """Verdicts with facts from `start_ms` up to, but without, `end_ms`, with all their facts."""
        low = key(judge, stamp(start_ms // _DAY_MS), "")
        high = key(judge, stamp(end_ms // _DAY_MS + 1), "")
        ids = dict.fromkeys(pointer["verdict_id"] for _, pointer in self._days.span(low, high))
        found = [(stored, self.of(stored.verdict_id)) for each in ids if (stored := self._verdicts.get(each))]
        return [
            (stored, facts)
            for stored, facts in found
            if any(start_ms <= event_ms(at) < end_ms for person in facts.values() for at in times(person))
        ]

    def erase(self, stored: StoredVerdict) -> None:
        """Remove all that was done about the verdict, and what its thread was told."""
        verdict_id = stored.verdict_id
        for place, body in self._facts.span(*below(verdict_id)):
            self._days.discard(*(_day_place(stored, day) for day in body["days"]))
            self._by_person.discard(key(body["person"], verdict_id))
            self._facts.discard(place)
        self._told.discard(*(place for place, _ in self._told.span(*below(verdict_id))))

    def _revise(self, stored: StoredVerdict) -> StoredVerdict:
        revised = replace(stored, revision=stored.revision + 1)
        self._verdicts.put(revised)
        return revised

    def _note_day(self, stored: StoredVerdict, fact: FeedbackEvent, days: list[int]) -> list[int]:
        day = event_ms(fact.at) // _DAY_MS
        if day in days:
            return days
        self._days.put(_day_place(stored, day), {"verdict_id": stored.verdict_id})
        return [*days, day]


def _day_place(stored: StoredVerdict, day: int) -> str:
    return key(stored.verdict.judge, stamp(day), stored.verdict_id)
