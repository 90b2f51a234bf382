"""One judge's memory and its three verbs: recall, learn, forget.

Readers take the state as it stands and never wait. Two locks keep writers apart: `_turn` lets one round of
learning at a time ask models, `_writing` covers only the moment in which a new state is stored and put in
place. So what is forgotten is gone at once, also while a round of learning waits for a model.
"""

import asyncio
import logging
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from types import MappingProxyType

from memalign.align.plan import LearningPlan, plan_learning
from memalign.align.report import forgotten_of, lesson_of, pending_in
from memalign.align.round import learned, reasons, study
from memalign.errors import StaleMemoryError
from memalign.judge import Judge
from memalign.memory.embedding_cache import VectorCache
from memalign.memory.episodic import EpisodicMemory
from memalign.memory.semantic import SemanticMemory
from memalign.memory.state import MemoryState
from memalign.ports import Distiller, Embedder, JudgeModel, JudgeRequest, MemoryChange, MemoryStore
from memalign.recall.retrieval import Recall, evidence
from memalign.records import Episode, Evidence, Forgotten, Guideline, Json, Lesson, Trace, Verdict
from memalign.template import text_of

_log = logging.getLogger("memalign")

GUIDELINE_TOKENS = 4_000
"""The room that guidelines may take in a prompt."""
MIN_SIMILARITY = 0.15
"""Episodes less like the trace than this are not shown to the judge."""
REDISTIL_SECONDS = 30.0
"""How long forgetting waits for guidelines to be distilled again; after that they are left pending."""


class JudgeMemory:
    """One judge's memory. Used from one event loop."""

    def __init__(
        self,
        judge: Judge,
        state: MemoryState,
        *,
        vectors: VectorCache,
        decider: JudgeModel,
        distiller: Distiller,
        store: MemoryStore | None = None,
        retrieval_k: int = 5,
        min_similarity: float = MIN_SIMILARITY,
        guideline_tokens: int = GUIDELINE_TOKENS,
    ) -> None:
        self._judge = judge
        self._state = state
        self._vectors = vectors
        self._decider = decider
        self._distiller = distiller
        self._store = store
        self._recall = Recall(
            vectors,
            count=retrieval_k,
            floor=min_similarity,
            tokens=guideline_tokens,
            durable=store is not None,
        )
        self._turn = asyncio.Lock()
        self._writing = asyncio.Lock()
        self._reasons: dict[str, str] = {}
        self._watches: list[set[str]] = []
        """One for each piece of work under way: what was forgotten since it was asked for."""

    @classmethod
    async def open(
        cls,
        judge: Judge,
        *,
        embedder: Embedder,
        decider: JudgeModel,
        distiller: Distiller,
        store: MemoryStore | None = None,
        retrieval_k: int = 5,
        min_similarity: float = MIN_SIMILARITY,
        guideline_tokens: int = GUIDELINE_TOKENS,
    ) -> "JudgeMemory":
        """Read the judge's memory from the store, if there is one; calls no model. Raises `StorageError`."""
        vectors = VectorCache(embedder, store)
        state = MemoryState.empty(judge.name, binary=judge.value_type.binary)
        if store is not None:
            state = await _stored(state, store, vectors)
        return cls(
            judge,
            state,
            vectors=vectors,
            decider=decider,
            distiller=distiller,
            store=store,
            retrieval_k=retrieval_k,
            min_similarity=min_similarity,
            guideline_tokens=guideline_tokens,
        )

    @property
    def definition(self) -> Judge:
        """The judge whose memory this is."""
        return self._judge

    @property
    def state(self) -> MemoryState:
        """The state as it stands: a value that never changes."""
        return self._state

    @property
    def guidelines(self) -> tuple[Guideline, ...]:
        """All guidelines, those waiting or overruled included, in order of what they rest on."""
        return self._state.semantic.guidelines

    @property
    def episodes(self) -> Mapping[str, Episode]:
        """By trace id, in order of learning."""
        return self._state.episodes

    @property
    def version(self) -> int:
        """Grows with every change."""
        return self._state.version

    @property
    def pending(self) -> Mapping[str, str]:
        """Trace id -> why something of it waits; `learn(())` tries again."""
        return MappingProxyType(pending_in(self._state, self._reasons))

    async def recall(self, trace: Trace) -> Evidence:
        """The evidence for a verdict. Raises `InputError` and `StorageError`, never `ModelError`."""
        found = await self._recall.find(self._judge.look_at(trace), lambda: self._state, but=trace.trace_id)
        return found.recollection

    async def judge(self, trace: Trace) -> Verdict:
        """Recall and decide; learns nothing. Raises `InputError`, `ModelError`, `StorageError`."""
        start = time.perf_counter()
        fields = self._judge.look_at(trace)
        with self._watch() as gone:
            found = await self._recall.find(fields, lambda: self._state, but=trace.trace_id)
            if found.vector is not None and trace.trace_id and trace.trace_id not in gone:
                await self._vectors.keep(trace.trace_id, {text_of(fields): found.vector})
        state = self._state
        recollection = found.recollection
        decision = await self._decider.decide(self._question(state, trace, fields, recollection))
        retrieved, similarities = evidence(decision, found, state)
        verdict = Verdict(
            judge=self._judge.name,
            trace_id=trace.trace_id,
            value=decision.value,
            rationale=decision.rationale,
            guideline_ids=decision.guideline_ids,
            retrieved_trace_ids=retrieved,
            similarities=similarities,
            usage=recollection.usage + decision.usage,
            seconds=time.perf_counter() - start,
            note=recollection.note,
        )
        _log.debug(
            "Judge %s on trace %s: %d guidelines, cases %s, %.3f s, %s",
            verdict.judge,
            verdict.trace_id,
            len(recollection.guidelines),
            retrieved,
            verdict.seconds,
            verdict.usage,
        )
        return verdict

    async def learn(self, traces: Iterable[Trace] = ()) -> Lesson:
        """Learn from the traces' assessments, and try again what is pending.

        What fails is told in the lesson and stays pending. Raises `StorageError`; nothing has changed then.
        """
        given = list(traces)
        with self._watch() as gone:
            async with self._turn:
                wanted = (trace for trace in given if trace.trace_id not in gone)
                return await self._learn(plan_learning(self._judge, self._state, wanted), gone)

    def what_rests_on(self, trace_ids: Collection[str]) -> Forgotten:
        """What forgetting these traces would take; nothing is changed."""
        return forgotten_of(trace_ids, self._state)

    async def forget(self, trace_ids: Collection[str], *, distil: bool = True) -> Forgotten:
        """Take out all that was learned from these traces, then distil again what keeps other sources.

        The taking out needs no model and waits for none; without `distil` the rest is left to the next `learn`.
        Raises `StorageError`; nothing has changed then.
        """
        gone = set(trace_ids)
        for watch in self._watches:
            watch.update(gone)
        async with self._writing:
            before = self._state
            taken = forgotten_of(trace_ids, before)
            await self._adopt(before.forgetting(gone), gone)
        for trace_id in gone:
            self._reasons.pop(trace_id, None)
        _log.debug("Judge %s forgot %d traces", self._judge.name, len(taken.trace_ids))
        if not distil or not taken.waiting or self._turn.locked():
            return replace(taken, left=taken.waiting)
        with self._watch() as gone_since:
            async with self._turn:
                lesson = await self._learn(LearningPlan(), gone_since, REDISTIL_SECONDS)
        sources = {source for one in taken.waiting for source in one.sources}
        distilled = (one for one in self._state.semantic.in_use if sources & set(one.sources))
        still = {one.id for one in self.guidelines if one.waiting}
        left = (one for one in taken.waiting if one.id in still)
        return replace(taken, distilled=tuple(distilled), left=tuple(left), usage=lesson.usage)

    def _question(
        self, state: MemoryState, trace: Trace, fields: Mapping[str, Json], recollection: Evidence
    ) -> JudgeRequest:
        return JudgeRequest(
            judge=self._judge.name,
            instructions=self._judge.instructions,
            value_type=self._judge.value_type.word,
            fields=fields,
            trace_id=trace.trace_id or None,
            recollection=recollection,
            episodes=[episode for name, episode in state.episodes.items() if name != trace.trace_id],
            version=state.version,
        )

    @contextmanager
    def _watch(self) -> Iterator[set[str]]:
        """Fill a set with what is forgotten from now on, until the end of the block."""
        gone: set[str] = set()
        self._watches.append(gone)
        try:
            yield gone
        finally:
            self._watches = [watch for watch in self._watches if watch is not gone]

    async def _learn(self, plan: LearningPlan, gone: Collection[str], seconds: float | None = None) -> Lesson:
        state = self._state
        retried = {*state.undistilled, *state.episodic.without_vector} - plan.put.keys()
        try:
            asking = study(plan, state, self._judge.instructions, self._vectors, self._distiller)
            studied = await asyncio.wait_for(asking, seconds)
        except TimeoutError:
            return Lesson(pending=self.pending)
        async with self._writing:
            before = self._state
            after = await learned(before, plan, studied)
            await self._adopt(after.forgetting(gone) if gone else after)
        self._reasons = reasons(plan, state, studied)
        await _index(self._state)
        lesson = lesson_of(plan, retried, before, self._state, self._reasons, studied.usage)
        _log.debug(
            "Judge %s learned from %d traces, %d wait, %d were rejected: %s",
            self._judge.name,
            len(lesson.learned),
            len(lesson.pending),
            len(lesson.rejected),
            lesson.usage,
        )
        return lesson

    async def _adopt(self, after: MemoryState, forgotten: Collection[str] = ()) -> None:
        """Store the change, then put the new state in place. Under the writing lock."""
        before = self._state
        texts = [before.episodes[name].text for name in forgotten if name in before.episodes]
        stale = before.semantic.vectors.keys() - after.semantic.vectors.keys()
        await self._vectors.drop({*forgotten, *stale}, texts)
        change = after.change_from(before)
        for name in after.episodic.vectors:
            if before.episodic.vectors.get(name) is not after.episodic.vectors[name]:
                await self._vectors.keep(name, {after.episodes[name].text: after.episodic.vectors[name]})
        for guideline in change.put_guidelines:
            row = after.semantic.vectors.get(guideline.id)
            if row is not None and guideline.id not in before.semantic.vectors:
                await self._vectors.keep(guideline.id, {guideline.text: row})
        if self._store is not None and change != MemoryChange(undistilled=before.undistilled):
            await self._store.save(self._judge.name, change)
        self._state = after


async def _stored(state: MemoryState, store: MemoryStore, vectors: VectorCache) -> MemoryState:
    """The state as the store has it, with the vectors that the embedding model in use has made before."""
    stored = await store.load(state.judge)
    texts = {episode.text for episode in stored.episodes.values()}
    known = await vectors.known(texts.union(one.text for one in stored.guidelines if not one.waiting))
    rows = {name: known[one.text] for name, one in stored.episodes.items() if one.text in known}
    rule_rows = {one.id: known[one.text] for one in stored.guidelines if one.text in known}
    loaded = state.next(
        EpisodicMemory(stored.episodes, rows),
        SemanticMemory().holding(stored.guidelines, rule_rows),
        stored.undistilled,
    )
    await _index(loaded)
    return loaded


async def _index(state: MemoryState) -> None:
    if state.episodic.needs_graph:
        await asyncio.to_thread(state.episodic.build_graph)
