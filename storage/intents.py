"""What was asked to be forgotten, kept until nothing of it is left, and what Slack still shows of it.

Both outlive a crash: whoever opens the store next finds what is to be finished.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from storage.codec import audit_of, flat
from storage.documents import Documents
from storage.journal import AuditShelf
from storage.keys import key
from storage.queue import postponed
from storage.records import AuditLine, ThreadPost
from storage.rows import Body
from storage.worker import Worker

Forgettable = Literal["trace", "person"]
RedactionKind = Literal["forgotten", "expired", "taken_back", "remove"]
"""What takes the message's place: a word on why it is gone, or nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """Somebody asked that a trace, or a person's words, be forgotten; it is not finished."""

    kind: Forgettable
    target: str
    """The trace's id or the person's."""
    notes: tuple[AuditLine, ...] = ()
    """For the audit, written when it is done; empty once they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Redaction:
    """A message in Slack that shows what is forgotten."""

    channel: str
    ts: str
    kind: RedactionKind
    attempts: int = 0
    not_before_ms: int = 0
    reason: str | None = None
    """Why it still stands; None when nothing went wrong."""


class IntentShelf:
    """The tables of intents and covers; for use inside a transaction."""

    def __init__(self, documents: Documents, audit: AuditShelf) -> None:
        self._intents = documents.shelf("intents")
        self._covers = documents.shelf("covers")
        self._audit = audit

    def intend(self, intent: Intent) -> None:
        """Keep the intent, unless the same one is kept already."""
        place = key(intent.kind, intent.target)
        if not self._intents.has(place):
            self._intents.put(place, {**flat(intent), "notes": [flat(note) for note in intent.notes]})

    def sign(self, kind: Forgettable, target: str) -> None:
        """Write the intent's audit lines, once."""
        place = key(kind, target)
        body = self._intents.find(place)
        if body is not None:
            for note in body["notes"]:
                self._audit.note(audit_of(note))
            self._intents.put(place, {**body, "notes": []})

    def finish(self, kind: Forgettable, target: str) -> None:
        """Nothing is left to do: the intent goes, its audit lines stay."""
        self.sign(kind, target)
        self._intents.discard(key(kind, target))

    def unfinished(self) -> list[Intent]:
        """All intents."""
        return [_intent_of(body) for _, body in self._intents.span("")]

    def cover(self, channel: str, ts: str, kind: RedactionKind) -> None:
        """Note that a message shows what is gone."""
        self._covers.put(key(channel, ts), flat(Redaction(channel=channel, ts=ts, kind=kind)))

    def cover_all(self, channel: str, told: Iterable[ThreadPost], kind: RedactionKind) -> None:
        """Note the same of what a thread was told."""
        for said in told:
            self.cover(channel, said.message_ts, kind)

    def redactions(self) -> list[Redaction]:
        """All messages that are still to be covered."""
        return [Redaction(**body) for _, body in self._covers.span("")]

    def redacted(self, cover: Redaction) -> None:
        """The message shows nothing any more."""
        self._covers.discard(key(cover.channel, cover.ts))

    def postpone(self, cover: Redaction, not_before_ms: int, reason: str) -> None:
        """Note an attempt in vain."""
        place = key(cover.channel, cover.ts)
        body = self._covers.find(place)
        if body is not None:
            self._covers.put(place, postponed(body, not_before_ms, reason))


def _intent_of(body: Body) -> Intent:
    return Intent(**{**body, "notes": tuple(audit_of(note) for note in body["notes"])})


class Intents:
    """Intents and covers, for callers. Every method raises `StorageError`."""

    def __init__(self, worker: Worker, shelf: IntentShelf) -> None:
        self._worker = worker
        self._shelf = shelf

    async def intend(self, intent: Intent) -> None:
        """Keep an intent until it is finished; erasing the trace finishes a trace's."""
        await self._worker.write(self._shelf.intend, intent)

    async def unfinished(self) -> list[Intent]:
        """What an earlier run, or this one, has not finished."""
        return await self._worker.read(self._shelf.unfinished)

    async def cover(self, channel: str, ts: str, kind: RedactionKind) -> None:
        """Note that a message in Slack shows what is gone."""
        await self._worker.write(self._shelf.cover, channel, ts, kind)

    async def redactions(self) -> list[Redaction]:
        """Messages in Slack that still show what is gone."""
        return await self._worker.read(self._shelf.redactions)

    async def redacted(self, cover: Redaction) -> None:
        """Note that the message shows nothing any more."""
        await self._worker.write(self._shelf.redacted, cover)

    async def postpone(self, cover: Redaction, not_before_ms: int, reason: str) -> None:
        """Try the message again later."""
        await self._worker.write(self._shelf.postpone, cover, not_before_ms, reason)
