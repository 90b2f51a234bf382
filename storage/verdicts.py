"""Verdicts and the cards that show them."""

from collections.abc import Mapping
from dataclasses import replace

from memalign.records import Verdict
from storage.fact_shelf import FactShelf
from storage.keys import key
from storage.post_shelf import PostShelf
from storage.records import PersonFeedback, Post, StoredVerdict
from storage.traces import TraceShelf
from storage.verdict_shelf import VerdictShelf, verdict_id_of
from storage.worker import Worker

__all__ = ["Verdicts", "verdict_id_of"]


class Verdicts:
    """Verdicts, for callers. Every method raises `StorageError`."""

    def __init__(
        self,
        worker: Worker,
        verdicts: VerdictShelf,
        facts: FactShelf,
        traces: TraceShelf,
        posts: PostShelf,
    ) -> None:
        self._worker = worker
        self._verdicts = verdicts
        self._facts = facts
        self._traces = traces
        self._posts = posts

    async def keep(
        self, verdict: Verdict, *, channel: str, judged_ms: int, post: Post | None, day: str
    ) -> bool:
        """Store a new verdict with its card, take the job off the list, and count the card for that day.

        False and nothing changed when the judge's verdict on the trace is known, or the trace was forgotten.
        Without a post there is no card and nothing is counted.
        """
        return await self._worker.write(self._keep, verdict, channel, judged_ms, post, day)

    async def get(self, verdict_id: str) -> StoredVerdict | None:
        """The verdict, if it is known."""
        return await self._worker.read(self._verdicts.get, verdict_id)

    async def of_trace(self, trace_id: str) -> list[StoredVerdict]:
        """All judges' verdicts on a trace, by judge."""
        return await self._worker.read(self._verdicts.of_trace, trace_id)

    async def by_card(self, channel: str, ts: str) -> StoredVerdict | None:
        """The verdict that a message shows, if it is a card."""
        return await self._worker.read(self._verdicts.by_card, channel, ts)

    async def shown_on(self, channel: str, day: str) -> int:
        """How many cards the channel was given on a day such as `2026-11-20`."""
        return await self._worker.read(self._verdicts.shown_on, channel, day)

    async def recent(self, judge: str, limit: int) -> list[StoredVerdict]:
        """The judge's last verdicts, newest first."""
        return await self._worker.read(self._verdicts.recent, judge, limit)

    async def page(self, after: str | None = None, limit: int = 100) -> list[StoredVerdict]:
        """All judges' verdicts, some at a time, by id: give the last id to go on."""
        return await self._worker.read(self._verdicts.page, after, limit)

    async def redact(self, verdict_id: str, rationale: str) -> None:
        """Put other words in the place of a verdict's rationale; the old ones' bytes go with the next wipe."""
        await self._worker.write(self._redact, verdict_id, rationale)

    async def voted_between(
        self, judge: str, start_ms: int, end_ms: int
    ) -> list[tuple[StoredVerdict, Mapping[str, PersonFeedback]]]:
        """Verdicts with a fact from `start_ms` up to, but without, `end_ms`, each with all its facts."""
        return await self._worker.read(self._facts.voted_between, judge, start_ms, end_ms)

    def _redact(self, verdict_id: str, rationale: str) -> None:
        stored = self._verdicts.get(verdict_id)
        if stored is not None:
            self._verdicts.put(replace(stored, verdict=replace(stored.verdict, rationale=rationale)))

    def _keep(self, verdict: Verdict, channel: str, judged_ms: int, post: Post | None, day: str) -> bool:
        verdict_id = verdict_id_of(verdict.judge, verdict.trace_id)
        if self._verdicts.get(verdict_id) is not None or self._traces.is_forgotten(verdict.trace_id):
            return False
        stored = StoredVerdict(verdict_id=verdict_id, verdict=verdict, judged_ms=judged_ms, channel=channel)
        self._verdicts.put(stored)
        self._verdicts.index(stored)
        self._traces.jobs.drop(key(verdict.trace_id, verdict.judge))
        if post is not None:
            self._posts.add(post)
            self._verdicts.count_shown(channel, day)
        return True
