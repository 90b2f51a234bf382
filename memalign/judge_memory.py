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

from memalign.align.forgetting import distilled_again, resting_on_person, resting_on_traces
from memalign.align.plan import LearningPlan, plan_learning
from memalign.align.report import lesson_of, pending_in
from memalign.align.round import Studied, learned, reasons, study
from memalign.errors import StaleMemoryError
from memalign.judge import Judge
from memalign.memory.embedding_cache import VectorCache
from memalign.memory.episodic import EpisodicMemory
from memalign.memory.semantic import SemanticMemory
from memalign.memory.state import MemoryState
from memalign.ports import Distiller, Embedder, JudgeModel, JudgeRequest, MemoryChange, MemoryStore
from memalign.recall.retrieval import Recall, evidence
from memalign.records import (
    Episode,
    Evidence,
    ForgetTarget,
    Forgotten,
    Guideline,
    Json,
    Lesson,
    PersonTarget,
    Trace,
    TraceTarget,
    Usage,
    Verdict,
)
from memalign.template import text_of

_log = logging.getLogger("memalign")

GUIDELINE_TOKENS = 4_000
"""The room that guidelines may take in a prompt."""
MIN_SIMILARITY = 0.15
"""Episodes less like the trace than this are not shown to the judge."""
REDISTIL_SECONDS = 30.0
"""Default time limit of `JudgeMemory.distil_again`."""


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
        stored_version: int = 0,
    ) -> None:
        self._judge = judge
        self._state = state
        self._vectors = vectors
        self._decider = decider
        self._distiller = distiller
        self._store = store
        self._stored_version = stored_version
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
        state, stored_version = MemoryState.empty(judge.name, binary=judge.value_type.binary), 0
        if store is not None:
            state, stored_version = await _stored(state, store, vectors)
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
            stored_version=stored_version,
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
        batch = list(traces)
        with self._watch() as gone:
            async with self._turn:
                return await self._round(batch, gone)

    def what_rests_on(self, target: ForgetTarget) -> Forgotten:
        """Preview forgetting a trace or a person; nothing is changed.

        Args:
            target: the trace, or the person.

        Returns:
            Of a trace: its episode, the guidelines that rest on it alone (`retired`) and those with other
            sources, too (`waiting`). Of a person: the traces they had a say on, the guidelines of theirs alone
            and those that others support or that they spoke against.
        """
        match target:
            case TraceTarget(trace_id=trace_id):
                return resting_on_traces([trace_id], self._state)
            case PersonTarget(person=person):
                return resting_on_person(person, self._state)

    async def forget(self, trace_ids: Collection[str]) -> Forgotten:
        """Take out all that was learned from these traces. Asks no model and waits for no round of learning.

        Guidelines with other sources are out of use until `distil_again`, or the next `learn`.

        Args:
            trace_ids: ids of traces; those unknown to the memory lose their stored vectors only.

        Returns:
            What was taken out; `left` are the guidelines to be distilled again.

        Raises:
            StorageError: the store failed; nothing has changed then.
        """
        gone = set(trace_ids)
        for watch in self._watches:
            watch.update(gone)
        async with self._writing:
            taken = await self._take_out(trace_ids)
        for trace_id in gone:
            self._reasons.pop(trace_id, None)
        _log.debug("Judge %s forgot %d traces", self._judge.name, len(taken.trace_ids))
        return replace(taken, left=taken.waiting)

    async def distil_again(self, forgotten: Forgotten, *, seconds: float = REDISTIL_SECONDS) -> Forgotten:
        """Distil guidelines that lost a source from the sources they keep.

        Args:
            forgotten: the report of `forget`.
            seconds: time limit for a running round of learning and for the models; after it the guidelines
                stay pending, and the next `learn` tries again.

        Returns:
            The report with `distilled`, `left` and `usage` as they are now.

        Raises:
            StorageError: the store failed; the guidelines stay pending.
        """
        if not forgotten.waiting:
            return forgotten
        usage = Usage()
        try:
            with self._watch() as gone:
                # what the models have answered is stored in any case: the limit ends with their answer
                async with asyncio.timeout(seconds) as limit, self._turn:
                    usage = (await self._round((), gone, limit)).usage
        except TimeoutError:
            _log.warning("Judge %s: guidelines wait to be distilled again.", self._judge.name)
        return distilled_again(forgotten, self._state, usage)

    def _question(
        self, state: MemoryState, trace: Trace, fields: Mapping[str, Json], recollection: Evidence
    ) -> JudgeRequest:
        return JudgeRequest(
            judge=self._judge.name,
            instructions=self._judge.instructions,
            value_type=self._judge.value_type,
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

    async def _round(
        self, traces: Collection[Trace], gone: Collection[str], limit: asyncio.Timeout | None = None
    ) -> Lesson:
        """Plan, ask the models, and adopt what they made of it; anew where another writer was faster.

        `limit` ends with the models' answer.
        """
        while True:
            wanted = (trace for trace in traces if trace.trace_id not in gone)
            plan, asked = plan_learning(self._judge, self._state, wanted), self._state
            studied = await self._study(plan)
            if limit is not None:
                limit.reschedule(None)
            try:
                return await self._take_in(plan, asked, studied, gone)
            except StaleMemoryError:
                await self._reload()

    async def _take_out(self, trace_ids: Collection[str]) -> Forgotten:
        """Adopt the state without these traces; returns what went. Under the writing lock."""
        while True:
            before = self._state
            try:
                await self._adopt(before.forgetting(trace_ids), trace_ids)
            except StaleMemoryError:
                await self._load()
            else:
                return resting_on_traces(trace_ids, before)

    async def _reload(self) -> None:
        async with self._writing:
            await self._load()

    async def _load(self) -> None:
        """Take the state from the store, where another writer has changed it. Under the writing lock."""
        if self._store is not None:
            self._state, self._stored_version = await _stored(self._state, self._store, self._vectors)

    async def _study(self, plan: LearningPlan) -> Studied:
        return await study(plan, self._state, self._judge.instructions, self._vectors, self._distiller)

    async def _take_in(
        self, plan: LearningPlan, asked: MemoryState, studied: Studied, gone: Collection[str]
    ) -> Lesson:
        """Adopt what models made of a plan on the state `asked`, without what was forgotten (`gone`) since."""
        retried = {*asked.undistilled, *asked.episodic.without_vector} - plan.put.keys()
        async with self._writing:
            before = self._state
            after = await learned(before, plan, studied)
            await self._adopt(after.forgetting(gone) if gone else after)
        self._reasons = reasons(plan, asked, studied)
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
            now_ms = time.time_ns() // 1_000_000
            await self._store.save(
                self._judge.name, replace(change, from_version=self._stored_version, at_ms=now_ms)
            )
            self._stored_version += 1
        self._state = after


async def _stored(state: MemoryState, store: MemoryStore, vectors: VectorCache) -> tuple[MemoryState, int]:
    """Return the state as the store has it, with the vectors that are known, and the stored version."""
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
    return loaded, stored.version


async def _index(state: MemoryState) -> None:
    if state.episodic.needs_graph:
        await asyncio.to_thread(state.episodic.build_graph)
