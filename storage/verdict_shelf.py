"""The tables of verdicts and of the cards that show them."""

from dataclasses import replace

from storage.codec import stored_body, stored_of
from storage.documents import Documents
from storage.keys import below, digest, just_after, key, stamp
from storage.records import StoredVerdict
from storage.rows import Body


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
        return self.found(self._by_trace.span(*below(trace_id)))

    def recent(self, judge: str, limit: int) -> list[StoredVerdict]:
        """The judge's last verdicts, newest first."""
        return self.found(self._by_judge.span(*below(judge), limit=limit, order="down"))

    def page(self, after: str | None, limit: int) -> list[StoredVerdict]:
        """Verdicts by id, from the one that follows."""
        low = "" if after is None else just_after(after)
        return [stored_of(body) for _, body in self._verdicts.span(low, limit=limit)]

    def by_card(self, channel: str, ts: str) -> StoredVerdict | None:
        """The verdict that a message shows, if it is a card."""
        pointer = self._cards.find(key(channel, ts))
        return None if pointer is None else self.get(pointer["verdict_id"])

    def show(self, stored: StoredVerdict, ts: str) -> None:
        """Remember which message shows the verdict."""
        self._cards.put(key(stored.channel, ts), {"verdict_id": stored.verdict_id})
        self.put(replace(stored, message_ts=ts))

    def erase(self, stored: StoredVerdict) -> None:
        """Remove the verdict and its card."""
        if stored.message_ts is not None:
            self._cards.discard(key(stored.channel, stored.message_ts))
        self._by_trace.discard(_trace_place(stored))
        self._by_judge.discard(_judge_place(stored))
        self._verdicts.discard(stored.verdict_id)

    def found(self, pointers: list[tuple[str, Body]]) -> list[StoredVerdict]:
        """The verdicts that entries of an index point to."""
        verdicts = (self.get(pointer["verdict_id"]) for _, pointer in pointers)
        return [stored for stored in verdicts if stored is not None]


def _trace_place(stored: StoredVerdict) -> str:
    return key(stored.verdict.trace_id, stored.verdict.judge)


def _judge_place(stored: StoredVerdict) -> str:
    return key(stored.verdict.judge, stamp(stored.judged_ms), stored.verdict_id)
