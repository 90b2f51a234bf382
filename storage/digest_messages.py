"""The weekly digests in Slack, and the traces and people that each tells of: what is forgotten leaves them."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Literal

from memalign.records import Json
from memalign.serialization import from_document, to_document
from storage.document_forms import form_of
from storage.documents import Document
from storage.keys import exactly, key
from storage.records import DigestMessage
from storage.repository import Repository, Store, reads, writes
from storage.traces import Traces


class DigestMessages(Repository):
    """Digests by post. A method to be awaited raises `StorageError`."""

    def __init__(self, store: Store, traces: Traces) -> None:
        super().__init__(store)
        self._traces = traces
        self._messages = store.documents.declare(
            "digest_messages",
            form=form_of(DigestMessage),
            indexes={"trace": _by_trace, "person": _by_person, "message": _by_message},
        )

    @writes
    def note_shown(self, message: DigestMessage) -> bool:
        """Note what a digest tells of, before it is sent or edited.

        Returns:
            False and nothing changed where a trace was forgotten since it was read: it is to be made anew.
        """
        if any(self._traces.has_forgotten(each) for each in message.trace_ids):
            return False
        known = self._find(message.post_id)
        ts = message.ts if known is None else known.ts
        self._put(replace(message, ts=ts, is_stale=False))
        return True

    # --- for use inside a transaction

    def find_by_message(self, channel: str, ts: str) -> DigestMessage | None:
        """Return the digest that a message shows; None for any other message."""
        bodies = self._messages.range(*exactly(key(channel, ts)), index="message", limit=1)
        return from_document(DigestMessage, bodies[0]) if bodies else None

    by_message = reads(find_by_message)

    def is_stale(self, channel: str, ts: str) -> bool:
        """Return whether a message tells of what was forgotten since it was made."""
        message = self.find_by_message(channel, ts)
        return message is not None and message.is_stale

    def arrived(self, post_id: str, ts: str) -> bool:
        """Note the message that a post became; True if it tells of what was forgotten on its way."""
        message = self._find(post_id)
        if message is not None:
            self._put(replace(message, ts=ts))
        return message is not None and message.is_stale

    def take_out_trace(self, trace_id: str) -> list[DigestMessage]:
        """Take a trace out of all digests; returns those that Slack shows."""
        return self._stale(
            replace(message, trace_ids=_without(message.trace_ids, trace_id), is_stale=True)
            for message in self._of("trace", trace_id)
        )

    def take_out_person(self, person: str) -> list[DigestMessage]:
        """Take a person out of all digests; returns those that Slack shows."""
        return self._stale(
            replace(message, people=_without(message.people, person), is_stale=True)
            for message in self._of("person", person)
        )

    def _of(self, index: Literal["trace", "person"], name: str) -> list[DigestMessage]:
        bodies = self._messages.range(*exactly(key(name)), index=index)
        return [from_document(DigestMessage, body) for body in bodies]

    def _stale(self, messages: Iterable[DigestMessage]) -> list[DigestMessage]:
        changed = list(messages)
        for message in changed:
            self._put(message)
        return [message for message in changed if message.ts is not None]

    def _find(self, post_id: str) -> DigestMessage | None:
        body = self._messages.get(doc_id=post_id)
        return None if body is None else from_document(DigestMessage, body)

    def _put(self, message: DigestMessage) -> None:
        self._messages.put(Document(to_document(message), message.post_id))


def _without(names: Iterable[str], name: str) -> tuple[str, ...]:
    return tuple(each for each in names if each != name)


def _by_trace(body: Mapping[str, Json]) -> Iterable[str]:
    return [key(each) for each in body["trace_ids"]]


def _by_person(body: Mapping[str, Json]) -> Iterable[str]:
    return [key(each) for each in body["people"]]


def _by_message(body: Mapping[str, Json]) -> Iterable[str]:
    return [] if body["ts"] is None else [key(body["channel"], body["ts"])]
