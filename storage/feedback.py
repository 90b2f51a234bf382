"""What people did about verdicts: facts, from which vote, label and lesson follow elsewhere."""

from collections.abc import Mapping

from memalign.records import Label
from storage.fact_shelf import FactShelf
from storage.feedback_shelf import FeedbackShelf
from storage.records import FeedbackEvent, PendingFeedback, PersonFeedback, StoredVerdict, ThreadPost
from storage.worker import Worker


class Feedback:
    """Facts, for callers. Every method raises `StorageError`.

    The `note_…` methods return the id of the verdict that the message shows, or None when it shows none.
    While a post to that channel is on its way the message may yet turn out to be a card: the fact is then
    parked, and applied or dropped as soon as that is known. `at` is Slack's event time; later ones win,
    whatever the order they come in, and of equal ones the last that came. What a person did before their words
    were forgotten changes nothing.
    """

    def __init__(self, worker: Worker, shelf: FeedbackShelf, facts: FactShelf) -> None:
        self._worker = worker
        self._shelf = shelf
        self._facts = facts

    async def note(self, channel: str, ts: str, event: FeedbackEvent) -> str | None:
        """Store one thing a person did about the message at `ts`."""
        return await self._worker.write(self._shelf.note, channel, ts, event)

    async def note_reaction(
        self, channel: str, ts: str, person: str, name: str, live: bool, at: str
    ) -> str | None:
        """An emoji was added or taken away."""
        fact = FeedbackEvent(person=person, kind="reaction", name=name, value=live, at=at)
        return await self._worker.write(self._shelf.note, channel, ts, fact)

    async def note_button(self, channel: str, ts: str, person: str, vote: str | None, at: str) -> str | None:
        """A vote by the card's buttons; None takes it back."""
        fact = FeedbackEvent(person=person, kind="button", value=vote, at=at)
        return await self._worker.write(self._shelf.note, channel, ts, fact)

    async def note_correction(
        self, channel: str, ts: str, person: str, value: Label | None, at: str
    ) -> str | None:
        """The value that the person holds right; None takes it back."""
        fact = FeedbackEvent(person=person, kind="correction", value=value, at=at)
        return await self._worker.write(self._shelf.note, channel, ts, fact)

    async def note_reply(
        self, channel: str, card_ts: str, person: str, reply_ts: str, text: str | None, at: str
    ) -> str | None:
        """A reply in the card's thread was written or edited; None: deleted, for good."""
        fact = FeedbackEvent(person=person, kind="reply", name=reply_ts, value=text, at=at)
        return await self._worker.write(self._shelf.note, channel, card_ts, fact)

    async def of(self, verdict_id: str) -> Mapping[str, PersonFeedback]:
        """All facts about a verdict, by person."""
        return await self._worker.read(self._facts.of, verdict_id)

    async def of_person(self, person: str) -> list[StoredVerdict]:
        """The verdicts about which a person did anything."""
        return await self._worker.read(self._facts.of_person, person)

    async def forgotten_ms(self, person: str) -> int:
        """When the person's words were forgotten last, in milliseconds since 1970; 0: never."""
        return await self._worker.read(self._facts.forgotten_ms, person)

    async def unlearned(self, now_ms: int, quiet_ms: int) -> list[PendingFeedback]:
        """Verdicts whose facts changed, last at least `quiet_ms` ago, and not put off; oldest first."""
        if not await self._worker.read(self._shelf.queue.waits, now_ms):
            return await self._worker.read(self._shelf.ready, now_ms, quiet_ms)
        return await self._worker.write(self._release, now_ms, quiet_ms)

    async def waiting(self) -> int:
        """How many verdicts have facts that were not learned yet."""
        return await self._worker.read(self._shelf.queue.__len__)

    async def learned(self, verdict_id: str, revision: int) -> bool:
        """Note that the facts of that revision are learned; False when they have changed since."""
        return await self._worker.write(self._shelf.learned, verdict_id, revision)

    async def postpone(self, verdict_id: str, not_before_ms: int, reason: str) -> None:
        """Put learning off after an attempt in vain."""
        await self._worker.write(self._shelf.postpone, verdict_id, not_before_ms, reason)

    async def told(self, verdict_id: str) -> tuple[ThreadPost, ...]:
        """What the verdict's thread was told to have been learned."""
        return await self._worker.read(self._facts.told, verdict_id)

    def _release(self, now_ms: int, quiet_ms: int) -> list[PendingFeedback]:
        self._shelf.queue.release(now_ms)
        return self._shelf.ready(now_ms, quiet_ms)
