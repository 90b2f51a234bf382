"""The tables of verdicts, of the cards that show them, and of what people did about them."""

from collections.abc import Mapping
from dataclasses import replace

from storage.codec import facts_body, facts_of, flat, stored_body, stored_of, told_of
from storage.documents import Documents
from storage.facts import apply, meaning, times
from storage.keys import below, digest, event_ms, just_after, key, stamp
from storage.records import Fact, PersonFacts, StoredVerdict, Told
from storage.rows import Body

Voted = tuple[StoredVerdict, Mapping[str, PersonFacts]]
_DAY_MS = 24 * 60 * 60 * 1000


def verdict_id_of(judge: str, trace_id: str) -> str:
    """The id of a judge's verdict on a trace; there is one, however often it is judged."""
    return f"v-{digest(key(judge, trace_id))[:20]}"


class VerdictShelf:
    """The tables of verdicts and their indexes; for use inside a transaction."""

    def __init__(self, documents: Documents) -> None:
        self._verdicts = documents.shelf("verdicts")
        self._by_trace = documents.shelf("verdicts_by_trace")
        self._by_judge = documents.shelf("verdicts_by_judge")
        self._shown = documents.shelf("shown")
        self._cards = documents.shelf("cards")
        self._days = documents.shelf("voted_days")
        self._facts = documents.shelf("facts")
        self._by_person = documents.shelf("facts_by_person")
        self._told = documents.shelf("told")

    def get(self, verdict_id: str) -> StoredVerdict | None:
        """The verdict, if it is known."""
        body = self._verdicts.find(verdict_id)
        return None if body is None else stored_of(body)

    def put(self, stored: StoredVerdict) -> None:
        """Store a verdict, or its new state."""
        self._verdicts.put(stored.verdict_id, stored_body(stored))

    def index(self, stored: StoredVerdict) -> None:
        """Make a new verdict findable by its trace and by its judge."""
        pointer = {"verdict_id": stored.verdict_id}
        self._by_trace.put(_trace_place(stored), pointer)
        self._by_judge.put(_judge_place(stored), pointer)

    def count_shown(self, channel: str, day: str) -> None:
        """One more card for the channel on that day."""
        self._shown.put(key(channel, day), {"count": self.shown_on(channel, day) + 1})

    def shown_on(self, channel: str, day: str) -> int:
        """How many cards the channel was given on that day."""
        count: int = (self._shown.find(key(channel, day)) or {"count": 0})["count"]
        return count

    def of_trace(self, trace_id: str) -> list[StoredVerdict]:
        """All judges' verdicts on the trace, by judge."""
        return self._all(self._by_trace.span(*below(trace_id)))

    def recent(self, judge: str, limit: int) -> list[StoredVerdict]:
        """The judge's last verdicts, newest first."""
        return self._all(self._by_judge.span(*below(judge), limit=limit, order="down"))

    def page(self, judge: str, after: StoredVerdict | None, limit: int) -> list[StoredVerdict]:
        """The judge's verdicts in order of judging, from the one that follows."""
        low, high = below(judge)
        return self._all(
            self._by_judge.span(low if after is None else just_after(_judge_place(after)), high, limit=limit)
        )

    def by_card(self, channel: str, ts: str) -> StoredVerdict | None:
        """The verdict that a message shows, if it is a card."""
        pointer = self._cards.find(key(channel, ts))
        return None if pointer is None else self.get(pointer["verdict_id"])

    def show(self, stored: StoredVerdict, ts: str) -> None:
        """Remember which message shows the verdict."""
        self._cards.put(key(stored.channel, ts), {"verdict_id": stored.verdict_id})
        self.put(replace(stored, message_ts=ts))

    def facts_of(self, verdict_id: str) -> dict[str, PersonFacts]:
        """What each person did about the verdict."""
        return {body["person"]: facts_of(body["facts"]) for _, body in self._facts.span(*below(verdict_id))}

    def has_facts(self, verdict_id: str) -> bool:
        """Whether anybody did anything about the verdict."""
        return bool(self._facts.span(*below(verdict_id), limit=1))

    def of_person(self, person: str) -> list[StoredVerdict]:
        """The verdicts about which the person did anything."""
        return self._all(self._by_person.span(*below(person)))

    def note(self, stored: StoredVerdict, fact: Fact) -> StoredVerdict | None:
        """Take a fact in; the verdict in its new revision when that changes what the facts come to."""
        place = key(stored.verdict_id, fact.person)
        body = self._facts.find(place)
        before = PersonFacts() if body is None else facts_of(body["facts"])
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

    def tell(self, verdict_id: str, told: Told) -> None:
        """Remember what the verdict's thread was told."""
        self._told.put(key(verdict_id, told.message_ts), flat(told))

    def told(self, verdict_id: str) -> tuple[Told, ...]:
        """What the verdict's thread was told, oldest message first."""
        return tuple(told_of(body) for _, body in self._told.span(*below(verdict_id)))

    def voted_between(self, judge: str, start_ms: int, end_ms: int) -> list[Voted]:
        """Verdicts with facts from `start_ms` up to, but without, `end_ms`, with all their facts."""
        low = key(judge, stamp(start_ms // _DAY_MS), "")
        high = key(judge, stamp(end_ms // _DAY_MS + 1), "")
        ids = dict.fromkeys(pointer["verdict_id"] for _, pointer in self._days.span(low, high))
        found = [(stored, self.facts_of(stored.verdict_id)) for each in ids if (stored := self.get(each))]
        return [
            (stored, facts)
            for stored, facts in found
            if any(start_ms <= event_ms(at) < end_ms for person in facts.values() for at in times(person))
        ]

    def erase(self, stored: StoredVerdict) -> None:
        """Remove the verdict, its card, and what people said of it."""
        verdict_id = stored.verdict_id
        for place, body in self._facts.span(*below(verdict_id)):
            self._days.discard(*(_day_place(stored, day) for day in body["days"]))
            self._by_person.discard(key(body["person"], verdict_id))
            self._facts.discard(place)
        self._told.discard(*(place for place, _ in self._told.span(*below(verdict_id))))
        if stored.message_ts is not None:
            self._cards.discard(key(stored.channel, stored.message_ts))
        self._by_trace.discard(_trace_place(stored))
        self._by_judge.discard(_judge_place(stored))
        self._verdicts.discard(verdict_id)

    def _all(self, pointers: list[tuple[str, Body]]) -> list[StoredVerdict]:
        found = (self.get(pointer["verdict_id"]) for _, pointer in pointers)
        return [stored for stored in found if stored is not None]

    def _revise(self, stored: StoredVerdict) -> StoredVerdict:
        revised = replace(stored, revision=stored.revision + 1)
        self.put(revised)
        return revised

    def _note_day(self, stored: StoredVerdict, fact: Fact, days: list[int]) -> list[int]:
        day = event_ms(fact.at) // _DAY_MS
        if day in days:
            return days
        self._days.put(_day_place(stored, day), {"verdict_id": stored.verdict_id})
        return [*days, day]


def _trace_place(stored: StoredVerdict) -> str:
    return key(stored.verdict.trace_id, stored.verdict.judge)


def _judge_place(stored: StoredVerdict) -> str:
    return key(stored.verdict.judge, stamp(stored.judged_ms), stored.verdict_id)


def _day_place(stored: StoredVerdict, day: int) -> str:
    return key(stored.verdict.judge, stamp(day), stored.verdict_id)
