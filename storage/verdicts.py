"""Verdicts and the cards that show them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import compress

from memalign.records import Json, Trace, Verdict
from memalign.serialization import from_document, to_document
from storage.document_forms import fields_form
from storage.documents import Document
from storage.guideline_uses import GuidelineUses
from storage.keys import below, digest, exactly, just_after, key, parts_of, stamp
from storage.outbound_queue import OutboundQueue, current_ms
from storage.posts import PostQueue
from storage.records import (
    SHOWN_AS_ALL,
    CardContent,
    CardSelection,
    NewCard,
    OutboundChange,
    OutboundEventType,
    Post,
    ShadowVerdict,
    StoredVerdict,
)
from storage.repository import Repository, Store, reads, writes
from storage.table_rows import pack
from storage.traces import Traces, job_id_of
from storage.verdict_table import declare_verdicts


def verdict_id_of(judge: str, trace_id: str) -> str:
    """Return the id that a judge's verdict on a trace is given; it stays when the judge is renamed."""
    return f"v-{digest(key(judge, trace_id))[:20]}"


def card_post_id_of(verdict_id: str) -> str:
    """Return the id of the post that brings a verdict's card."""
    return f"card:{verdict_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class DamagedVerdict:
    """A verdict that cannot be read any more."""

    verdict_id: str
    cards: tuple[tuple[str, str], ...]
    """Channel and ts of the message that shows it, if one does."""


class Verdicts(Repository):
    """Verdicts and cards. A method to be awaited raises `StorageError`."""

    def __init__(
        self,
        store: Store,
        traces: Traces,
        posts: PostQueue,
        uses: GuidelineUses,
        outbound: OutboundQueue,
    ) -> None:
        super().__init__(store)
        self._traces = traces
        self._posts = posts
        self._uses = uses
        self._outbound = outbound
        self._verdicts = declare_verdicts(store.documents)
        self._card_counts = store.documents.declare("card_counts", form=fields_form(count=int))

    @writes
    def keep(
        self,
        verdict: Verdict,
        *,
        channel: str,
        judged_ms: int,
        day: str,
        selection: CardSelection = SHOWN_AS_ALL,
        shadows: tuple[ShadowVerdict, ...] = (),
        resembles_case: bool = False,
        is_blind: bool = False,
        judged_trace: Trace | None = None,
    ) -> bool:
        """Store a new verdict with its card, take the job off the list, and count the card.

        Args:
            verdict: the verdict.
            channel: where its card is to be posted.
            judged_ms: when it was judged, in milliseconds since 1970.
            day: the day to count the card for, such as `2026-11-20`.
            selection: the way in which its trace was chosen.
            shadows: values of other memories on the same trace.
            resembles_case: True if the memory held a near copy of the trace.
            is_blind: True if the card asks before it shows the verdict.
            judged_trace: the trace as the judge saw it; None: it cannot have grown meanwhile.

        Returns:
            False when the judge's verdict on the trace is known, or the trace was forgotten: then only the job
            goes. Also when late spans have come that the judge did not see: then the job stays.
        """
        return self.add(
            NewCard(
                verdict=verdict,
                channel=channel,
                judged_ms=judged_ms,
                day=day,
                selection=selection,
                shadows=shadows,
                resembles_case=resembles_case,
                is_blind=is_blind,
                judged_trace=judged_trace,
            )
        )

    def add(self, card: NewCard) -> bool:
        """Store a new verdict as `keep` does, for use inside a transaction."""
        verdict, channel, judged_ms = card.verdict, card.channel, card.judged_ms
        if self._has_grown(card.judged_trace):
            return False
        self._traces.jobs.drop(job_id_of(verdict.trace_id, verdict.judge))
        verdict_id = self._new_id(verdict)
        stored = StoredVerdict(
            verdict_id=verdict_id,
            verdict=verdict,
            judged_ms=judged_ms,
            channel=channel,
            selection=card.selection,
            shadows=card.shadows,
            resembles_case=card.resembles_case,
            is_blind=card.is_blind,
        )
        if not self._put_new(stored):
            return False
        self._posts.add(_card(verdict, verdict_id, channel))
        count = self._count(channel, card.day) + 1
        self._card_counts.upsert(Document({"count": count}, key(channel, card.day)))
        return True

    def _has_grown(self, judged: Trace | None) -> bool:
        """Return whether late spans were added to a trace since a judge saw it, and no judge has judged it."""
        if judged is None or not self._traces.may_grow(judged.trace_id):
            return False
        kept = self._traces.find(judged.trace_id)
        # as stored: a number that is none, which some tools write, is not equal to itself
        return kept is not None and pack(to_document(kept)) != pack(to_document(judged))

    def add_without_card(
        self, verdict: Verdict, *, channel: str, judged_ms: int, resembles_case: bool = False
    ) -> bool:
        """Store a new verdict that nobody is shown, for use inside a transaction.

        Args:
            verdict: the verdict.
            channel: that of its judge.
            judged_ms: when it was judged, in milliseconds since 1970.
            resembles_case: True if the memory held a near copy of the trace.

        Returns:
            False when the judge's verdict on the trace is known, or the trace was forgotten.
        """
        return self._put_new(
            StoredVerdict(
                verdict_id=self._new_id(verdict),
                verdict=verdict,
                judged_ms=judged_ms,
                channel=channel,
                resembles_case=resembles_case,
                has_card=False,
            )
        )

    @writes
    def drop_job(self, trace_id: str, judge: str) -> None:
        """Take the job off the list, undone; of a trace that no judge has seen or will, only a hash of its id stays."""
        self._traces.jobs.drop(job_id_of(trace_id, judge))
        self._traces.release(trace_id)

    def _put_new(self, stored: StoredVerdict) -> bool:
        """Store a new verdict; False when its judge has judged the trace, or the trace was forgotten."""
        verdict = stored.verdict
        is_known = self.find_id(verdict.judge, verdict.trace_id) is not None
        if is_known or self._traces.has_forgotten(verdict.trace_id):
            return False
        for forgotten in filter(self._traces.has_forgotten, verdict.retrieved_trace_ids):
            # forgotten while the judge had it before it
            stored = _without_case(stored, forgotten)
        self.put(stored)
        self.announce(stored, "verdict.created", stored.judged_ms)
        self._uses.add(verdict, stored.judged_ms)
        return True

    def find(self, verdict_id: str) -> StoredVerdict | None:
        """Return the verdict, if it is known."""
        body = self._verdicts.get(doc_id=verdict_id)
        return None if body is None else _verdict_of(body)

    get = reads(find)

    def find_id(self, judge: str, trace_id: str) -> str | None:
        """Return the id of a judge's verdict on a trace, be it damaged; None where there is none."""
        ids = self._verdicts.ids(*exactly(key(trace_id, judge)), index="trace")
        return ids[0] if ids else None

    @reads
    def of_judge(self, judge: str, trace_id: str) -> StoredVerdict | None:
        """Return a judge's verdict on a trace; there is one, however often it is judged."""
        verdict_id = self.find_id(judge, trace_id)
        return None if verdict_id is None else self.find(verdict_id)

    def _new_id(self, verdict: Verdict) -> str:
        """Return an id that no verdict has: a judge that was called like this may have judged the trace before."""
        verdict_id = verdict_id_of(verdict.judge, verdict.trace_id)
        while self._verdicts.contains(doc_id=verdict_id):
            verdict_id = verdict_id_of(verdict_id, verdict.trace_id)
        return verdict_id

    def find_of_trace(self, trace_id: str) -> list[StoredVerdict]:
        """Return all judges' verdicts on a trace, by judge."""
        return [_verdict_of(body) for body in self._verdicts.range(*below(trace_id), index="trace")]

    of_trace = reads(find_of_trace)

    def damaged_of_trace(self, trace_id: str) -> list[DamagedVerdict]:
        """Return what the indexes tell of the verdicts on a trace that cannot be read."""
        return [
            DamagedVerdict(verdict_id=verdict_id, cards=self._cards_of(verdict_id))
            for verdict_id in self._verdicts.ids(*below(trace_id), index="trace")
            if self.find(verdict_id) is None
        ]

    def _cards_of(self, verdict_id: str) -> tuple[tuple[str, str], ...]:
        places = (parts_of(place) for place in self._verdicts.places(verdict_id, "card"))
        return tuple((channel, ts) for channel, ts in places)

    def find_by_card(self, channel: str, ts: str) -> StoredVerdict | None:
        """Return the verdict that a message shows, if it is a card."""
        bodies = self._verdicts.range(*exactly(key(channel, ts)), index="card", limit=1)
        return _verdict_of(bodies[0]) if bodies else None

    by_card = reads(find_by_card)

    @reads
    def clicked(self, channel: str, timestamps: Sequence[str], verdict_id: str) -> StoredVerdict | None:
        """Return the verdict of a click, looked up in one state of the store: its card may be noted just now.

        Args:
            channel: the channel of the click.
            timestamps: the messages that may be the card: that of the button, and the first of its thread.
            verdict_id: the verdict that the button names; it counts while no message is known to show it.

        Returns:
            The verdict that one of the messages shows, else the one named; None if that is shown elsewhere.
        """
        for ts in timestamps:
            if verdict := self.find_by_card(channel, ts):
                return verdict
        verdict = self.find(verdict_id)
        return verdict if verdict is not None and verdict.message_ts is None else None

    @reads
    def shown_on(self, channel: str, day: str) -> int:
        """Return how many cards the channel was given on a day such as `2026-11-20`."""
        return self._count(channel, day)

    @reads
    def shown_of(self, channel: str, day: str, judge: str, start_ms: int, end_ms: int) -> tuple[int, int]:
        """Return how many cards a channel was given on a day, and how many verdicts a judge gave on it.

        Args:
            channel: the channel.
            day: the day, such as `2026-11-20`.
            judge: the judge.
            start_ms: the first millisecond of the day.
            end_ms: the first millisecond of the next one.
        """
        low, high = key(judge, stamp(start_ms), ""), key(judge, stamp(end_ms), "")
        return self._count(channel, day), len(self._verdicts.ids(low, high, index="judge"))

    def find_posted_before(self, judge: str, end_ms: int, limit: int) -> list[StoredVerdict]:
        """Return the judge's verdicts whose cards were posted before then, the last posted first."""
        low, high = below(judge)[0], key(judge, stamp(end_ms), "")
        bodies = self._verdicts.range(low, high, index="posted", limit=limit, order="down")
        return [_verdict_of(body) for body in bodies]

    @reads
    def recent(self, judge: str, limit: int) -> list[StoredVerdict]:
        """Return the judge's last verdicts with cards, newest first."""
        bodies = self._verdicts.range(*below(judge), index="judge", limit=limit, order="down")
        return [_verdict_of(body) for body in bodies]

    @reads
    def posted_between(self, judge: str, start_ms: int, end_ms: int) -> int:
        """Return how many cards of a judge were posted from `start_ms` up to, but without, `end_ms`."""
        low, high = key(judge, stamp(start_ms), ""), key(judge, stamp(end_ms), "")
        return len(self._verdicts.ids(low, high, index="posted"))

    @reads
    def cards_between(self, judge: str, start_ms: int, end_ms: int) -> list[StoredVerdict]:
        """Return the verdicts of a judge whose cards were posted from `start_ms` up to, but without, `end_ms`."""
        low, high = key(judge, stamp(start_ms), ""), key(judge, stamp(end_ms), "")
        return [_verdict_of(body) for body in self._verdicts.range(low, high, index="posted")]

    def find_page(self, after: str | None = None, limit: int = 100) -> list[StoredVerdict]:
        """Return all judges' verdicts, some at a time, by id: give the last id to go on."""
        low = "" if after is None else just_after(after)
        return [_verdict_of(body) for body in self._verdicts.range(low, limit=limit)]

    page = reads(find_page)

    def find_page_of_judge(
        self, judge: str, after: StoredVerdict | None = None, limit: int = 100
    ) -> list[StoredVerdict]:
        """Return a judge's verdicts with cards, some at a time, oldest first: give the last one to go on."""
        low, high = below(judge)
        if after is not None:
            low = just_after(key(judge, stamp(after.judged_ms), after.verdict_id))
        return [_verdict_of(body) for body in self._verdicts.range(low, high, index="judge", limit=limit)]

    @reads
    def count_of_judge(self, judge: str) -> int:
        """Return how many verdicts with cards a judge gave."""
        return len(self._verdicts.ids(*below(judge), index="judge"))

    @reads
    def shown_evidence(
        self, trace_ids: Collection[str], guideline_ids: Collection[str]
    ) -> list[StoredVerdict]:
        """Return the verdicts whose judge was shown any of these traces' cases or guidelines, by id."""
        places = [
            *(key("trace", each) for each in trace_ids),
            *(key("guideline", each) for each in guideline_ids),
        ]
        bodies = {
            body.doc_id: body
            for place in places
            for body in self._verdicts.range(*exactly(place), index="evidence")
        }
        return [_verdict_of(bodies[verdict_id]) for verdict_id in sorted(bodies)]

    @writes
    def redact(self, verdict_id: str, rationale: str) -> None:
        """Put other words in the place of a verdict's rationale; the old ones' bytes go with the next vacuum."""
        verdict = self.find(verdict_id)
        if verdict is not None:
            self._store.vacuum.note_due()
            self.put(replace(verdict, verdict=replace(verdict.verdict, rationale=rationale)))
            self.announce(verdict, "verdict.changed", current_ms())

    def delete_case(self, trace_id: str, limit: int = -1) -> int:
        """Take a forgotten trace out of the evidence of verdicts, which only count it from then on.

        Args:
            trace_id: the trace.
            limit: the number of verdicts to change at most; -1 for all.

        Returns:
            The number changed; 0 when none names it any more.
        """
        bodies = self._verdicts.range(*exactly(key("trace", trace_id)), index="evidence", limit=limit)
        for body in bodies:
            self.put(_without_case(_verdict_of(body), trace_id))
        return len(bodies)

    remove_case = writes(delete_case)

    @reads
    def outdated_blind_cards(self) -> list[StoredVerdict]:
        """Return the verdicts with blind cards about which people did something that the cards may not tell, by id."""
        return [_verdict_of(body) for body in self._verdicts.range(index="outdated_blind")]

    @writes
    def note_card(self, verdict_id: str, revision: int) -> None:
        """Note that a blind card tells what people answered up to that revision of the feedback."""
        stored = self.find(verdict_id)
        if stored is not None:
            self.put(replace(stored, card_revision=revision))

    def put(self, verdict: StoredVerdict) -> None:
        """Store a verdict, or its new state."""
        self._verdicts.upsert(Document(to_document(verdict), verdict.verdict_id))
        self._traces.remote.mark(verdict.verdict_id, verdict.verdict.trace_id)

    def announce(self, stored: StoredVerdict, event_type: OutboundEventType, at_ms: int) -> None:
        """Tell receivers outside of a verdict, unless nobody is to see it yet."""
        if not stored.is_hidden:
            self._outbound.add(
                OutboundChange(
                    type=event_type,
                    at_ms=at_ms,
                    judge=stored.verdict.judge,
                    trace_id=stored.verdict.trace_id,
                    verdict_id=stored.verdict_id,
                )
            )

    def mark_remote(self, verdict_id: str) -> None:
        """Let what tracing tools hold of a verdict be compared with it."""
        if (stored := self.find(verdict_id)) is not None:
            self._traces.remote.mark(verdict_id, stored.verdict.trace_id)

    def show(self, verdict: StoredVerdict, ts: str) -> None:
        """Remember which message shows the verdict."""
        self.put(replace(verdict, message_ts=ts))

    def delete(self, verdict_id: str) -> None:
        """Remove the verdict; that its card was given stays counted."""
        if (stored := self.find(verdict_id)) is not None:
            self._uses.subtract(stored.verdict)
        self._verdicts.remove(doc_ids=[verdict_id])
        self._traces.remote.drop_mark(verdict_id)

    def _count(self, channel: str, day: str) -> int:
        body = self._card_counts.get(doc_id=key(channel, day))
        return 0 if body is None else int(body["count"])


def _verdict_of(body: Mapping[str, Json]) -> StoredVerdict:
    return from_document(StoredVerdict, body)


def _without_case(stored: StoredVerdict, trace_id: str) -> StoredVerdict:
    verdict = stored.verdict
    kept = [each != trace_id for each in verdict.retrieved_trace_ids]
    return replace(
        stored,
        verdict=replace(
            verdict,
            cited_trace_ids=tuple(each for each in verdict.cited_trace_ids if each != trace_id),
            retrieved_trace_ids=tuple(compress(verdict.retrieved_trace_ids, kept)),
            # they may be unknown: then there are none
            similarities=tuple(compress(verdict.similarities, kept)),
        ),
        forgotten_cases=stored.forgotten_cases + 1,
        forgotten_cited_cases=stored.forgotten_cited_cases + (trace_id in verdict.cited_trace_ids),
    )


def _card(verdict: Verdict, verdict_id: str, channel: str) -> Post:
    return Post(
        post_id=card_post_id_of(verdict_id),
        channel=channel,
        content=CardContent(trace_id=verdict.trace_id, judge=verdict.judge),
        verdict_id=verdict_id,
    )
