"""Replies that wait to be answered privately, and receipts for the answers, by which nobody is asked twice.

An entry is noted in the transaction that takes in the reply, a receipt before its answer is sent.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from memalign.records import Json
from memalign.serialization import from_document, to_document
from storage.arrivals import Arrivals
from storage.document_forms import fields_form, form_of
from storage.documents import Document
from storage.keys import below, digest, key
from storage.repository import Repository, Store, reads, writes


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreadReplies:
    """Somebody replied under a card, or did something that may concern an earlier reply, and has no answer yet."""

    card: str
    """The id of the verdict that the card shows; of a forgotten card a hash of its place."""
    channel: str
    card_ts: str
    person: str
    is_forgotten: bool = False
    """True if the card was forgotten before the reply came."""
    number: int = 0
    """Grows with each reply until they are answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyReceipt:
    """One answer to one reply as it was read."""

    reply_ts: str
    """Empty for an answer that a person gets once a card."""
    reading: str


class ReplyReceipts(Repository):
    """Unread replies and receipts. A method to be awaited raises `StorageError`."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        documents = store.documents
        self._unread = documents.declare(
            "unread_replies", {"person": _by_person}, form=form_of(UnreadReplies)
        )
        self._receipts = documents.declare(
            "reply_receipts", {"person": _by_person}, form=fields_form(card=str, person=str)
        )
        self._forgotten_cards = documents.declare("forgotten_cards")
        self._arrivals = Arrivals()
        """By entry."""

    @reads
    def due(self, quiet_ms: int) -> list[UnreadReplies]:
        """Return the entries that changed last at least `quiet_ms` ago; what came before this start rests."""
        unread = [from_document(UnreadReplies, body) for body in self._unread.range()]
        resting = self._arrivals.at_rest(((_place(each), each.number) for each in unread), quiet_ms / 1000)
        return [each for each in unread if _place(each) in resting]

    @reads
    def waiting(self) -> int:
        """Return how many people wait for an answer, counted once a card."""
        return len(self._unread)

    @reads
    def receipts(self, card: str, person: str) -> set[ReplyReceipt]:
        """Return the receipts of a person's replies under a card."""
        return {from_document(ReplyReceipt, body) for body in self._receipts.range(*below(card, person))}

    @writes
    def keep(self, unread: UnreadReplies, receipts: Collection[ReplyReceipt]) -> bool:
        """Keep receipts of an answer that is about to be sent; False, and none kept, if the replies are gone."""
        if self._unread.get(doc_id=_place(unread)) is None:
            return False
        for each in receipts:
            body = {**to_document(each), "card": unread.card, "person": unread.person}
            self._receipts.upsert(Document(body, _receipt_place(unread, each)))
        return True

    @writes
    def drop(self, unread: UnreadReplies, receipts: Collection[ReplyReceipt]) -> None:
        """Drop the receipts of an answer that Slack did not take."""
        self._receipts.remove(doc_ids=[_receipt_place(unread, each) for each in receipts])

    @writes
    def answered(self, answered: Collection[UnreadReplies]) -> None:
        """Note that replies are answered, but those to which more has been added since."""
        for unread in answered:
            place = _place(unread)
            body = self._unread.get(doc_id=place)
            if body is None or body["number"] == unread.number:
                self._unread.remove(doc_ids=[place])
                self._arrivals.drop(place)

    # --- for use inside a transaction

    def note(self, unread: UnreadReplies) -> None:
        """Let a person's replies under a card wait for an answer."""
        place = _place(unread)
        known = self._unread.get(doc_id=place)
        number = 0 if known is None else int(known["number"]) + 1
        self._unread.upsert(Document({**to_document(unread), "number": number}, place))
        self._arrivals.note(place, number)

    def note_under_forgotten_card(self, channel: str, ts: str, person: str) -> None:
        """Let a reply wait for an answer if the message once was a card that is forgotten now."""
        card = digest(key(channel, ts))
        if self._forgotten_cards.contains(doc_id=card):
            self.note(UnreadReplies(card=card, channel=channel, card_ts=ts, person=person, is_forgotten=True))

    def note_forgotten_card(self, channel: str, ts: str) -> None:
        """Remember by a hash that a message was a card."""
        self._forgotten_cards.upsert(Document({}, digest(key(channel, ts))))

    def delete_of_verdict(self, verdict_id: str) -> None:
        """Delete all that is known of replies to the verdict."""
        for table in (self._unread, self._receipts):
            table.remove(doc_ids=table.ids(*below(verdict_id)))

    def delete_of_person(self, person: str) -> None:
        """Delete all that is known of the person's replies."""
        for table in (self._unread, self._receipts):
            table.remove(doc_ids=table.ids(*below(person), index="person"))


def _place(unread: UnreadReplies) -> str:
    return key(unread.card, unread.person)


def _receipt_place(unread: UnreadReplies, receipt: ReplyReceipt) -> str:
    return key(unread.card, unread.person, receipt.reply_ts, receipt.reading)


def _by_person(body: Mapping[str, Json]) -> Iterable[str]:
    return [key(body["person"], body["card"])]
