"""One judge's memory: judge with it, learn, forget.

Readers take the state as it stands and never wait. Two locks keep writers apart: `_round_lock` lets one round of
learning at a time ask models, `_state_lock` covers only the moment in which a new state is stored and put in
place. So what is forgotten is gone at once, also while a round of learning waits for a model.
"""

import asyncio
import logging
import uuid
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from types import MappingProxyType

from memalign.align.consolidation import Consolidation
from memalign.align.forgetting import distilled_again, resting_on_person, resting_on_traces
from memalign.align.plan import LearningPlan, plan_learning
from memalign.align.report import lesson_of, pending_in
from memalign.align.round import RoundResult, apply, failure_reasons, remember, run_models
from memalign.embedded_text import text_of
from memalign.errors import ForgottenMeanwhileError, InputError, StaleMemoryError
from memalign.guideline_editor import GuidelineEditor
from memalign.interruptible_model import InterruptibleJudgeModel
from memalign.judge import Judge
from memalign.memory.case_vectors import CaseVectors
from memalign.memory.embedding_cache import VectorCache
from memalign.memory.rollback import is_rolled_back
from memalign.memory.semantic import DEFAULT_POLICY
from memalign.memory.state import MemoryState
from memalign.memory.stored_state import StoredState, build_graph_if_needed
from memalign.memory_versions import MemoryVersions
from memalign.models.pair_comparison import PairComparer
from memalign.ports import (
    LEARNING,
    ChangeCause,
    Distiller,
    Embedder,
    JudgeModel,
    MemoryStore,
)
from memalign.recall.case_selection import CaseChoice, contrasting_cases
from memalign.recall.guideline_selection import GUIDELINE_TOKENS
from memalign.recall.retrieval import Retrieval, Retriever
from memalign.records import (
    Episode,
    ForgetTarget,
    Forgotten,
    Guideline,
    GuidelinePolicy,
    Json,
    Lesson,
    PersonTarget,
    Trace,
    TraceTarget,
    Usage,
    Verdict,
)
from memalign.trace_judge import Retrieve, TraceJudge
from memalign.trace_neighbourhoods import TraceNeighbourhoods
from memalign.trial.guideline_trials import GuidelineTrials
from memalign.version_judges import VersionJudges

_log = logging.getLogger("memalign")

MAX_REFUSALS = 2
"""Times that a distiller refuses rationales for what they say before it is asked no more."""
REDISTIL_SECONDS = 30.0
"""Default time limit of `JudgeMemory.distil_again`."""


class ForgottenIds(set[str]):
    """Ids of traces that were forgotten since some work began."""

    elsewhere = False
    """True if another process has forgotten something: then what was read before is not to be learned."""


class JudgeMemory:
    """One judge's memory. Used from one event loop.

    Args:
        judge: The judge.
        memory: What it has learned.
        judge_model: Gives the verdicts.
        distiller: Distils rationales.
        comparer: Compares guidelines; None: those that say the same in other words stay apart.
        retrieval_k: Most similar cases for a verdict.
        min_similarity: Least cosine of a similar case; by default found from the memory.
        guideline_tokens: Room that guidelines may take in a prompt, in tokens.
        choose_cases: Chooses among the similar cases; by default one of another label is among them.
    """

    def __init__(
        self,
        judge: Judge,
        memory: StoredState,
        *,
        judge_model: JudgeModel,
        distiller: Distiller,
        comparer: PairComparer | None = None,
        retrieval_k: int = 5,
        min_similarity: float | None = None,
        guideline_tokens: int = GUIDELINE_TOKENS,
        choose_cases: CaseChoice = contrasting_cases,
    ) -> None:
        self._judge = judge
        self._memory = memory
        self._distiller = distiller
        self._retriever = Retriever(
            memory.vectors,
            max_cases=retrieval_k,
            min_similarity=min_similarity,
            guideline_tokens=guideline_tokens,
            durable=memory.durable,
            choose_cases=choose_cases,
        )
        self._judge_model = model = InterruptibleJudgeModel(judge_model)
        self._trace_judge = TraceJudge(judge, lambda: self.state, model, self._retriever)
        self._round_lock = asyncio.Lock()
        self._state_lock = asyncio.Lock()
        self._editor = GuidelineEditor(memory, self._state_lock)
        self._versions = MemoryVersions(judge, memory, self._state_lock)
        self._trials = GuidelineTrials(judge, memory, self._state_lock, model, self._retriever.copy())
        self._neighbourhoods = TraceNeighbourhoods(judge, memory)
        self._other_judges = VersionJudges(judge, memory, self._state_lock, model, self._retriever.copy())
        self._consolidation = (
            None if comparer is None else Consolidation(judge, memory, self._state_lock, distiller, comparer)
        )
        self._reasons: dict[str, str] = {}
        self._refusals: Counter[str] = Counter()
        """Trace -> times in a row that the distiller refused its rationales for what they say."""
        self._refused_rules = 0
        self._watches: list[ForgottenIds] = []
        """For each piece of work under way the trace ids that were forgotten since it began."""
        self.foreign_forgets = 0
        """Times that another process has forgotten something; feedback read before is to be read again."""
        memory.on_foreign_forget = self._note_foreign_forget

    @classmethod
    async def open(
        cls,
        judge: Judge,
        *,
        embedder: Embedder,
        judge_model: JudgeModel,
        distiller: Distiller,
        comparer: PairComparer | None = None,
        store: MemoryStore | None = None,
        retrieval_k: int = 5,
        min_similarity: float | None = None,
        guideline_tokens: int = GUIDELINE_TOKENS,
        policy: GuidelinePolicy = DEFAULT_POLICY,
    ) -> "JudgeMemory":
        """Read a judge's memory from the store, if there is one; calls no model.

        Args:
            judge: The judge.
            embedder: Embeds texts.
            judge_model: Gives the verdicts.
            distiller: Distils rationales.
            comparer: Compares guidelines; None by default: those that say the same in other words stay apart.
            store: Keeps the memory; None: it is kept in this process only.
            retrieval_k: Most similar cases for a verdict, 5 by default.
            min_similarity: Least cosine of a similar case; found from the memory by default.
            guideline_tokens: Room that guidelines may take in a prompt, 4,000 tokens by default.
            policy: The conditions on which guidelines are used; one person and no approval by default.

        Returns:
            The memory.

        Raises:
            StorageError: If the store cannot be read.
        """
        policy = replace(policy, trials=policy.trials and judge.tries_guidelines)
        empty = MemoryState.empty(judge.name, binary=judge.value_type.binary, policy=policy)
        memory = StoredState(empty, CaseVectors(VectorCache(embedder, store)), store)
        await memory.load()
        return cls(
            judge,
            memory,
            judge_model=judge_model,
            distiller=distiller,
            comparer=comparer,
            retrieval_k=retrieval_k,
            min_similarity=min_similarity,
            guideline_tokens=guideline_tokens,
        )

    @property
    def definition(self) -> Judge:
        """The judge whose memory it is."""
        return self._judge

    @property
    def state(self) -> MemoryState:
        """The state as it stands: a value that never changes."""
        return self._memory.current

    @property
    def guidelines(self) -> tuple[Guideline, ...]:
        """All guidelines, those waiting or overruled included, in order of what they rest on."""
        return self.state.semantic.guidelines

    @property
    def editor(self) -> GuidelineEditor:
        """Changes the guidelines as people decide."""
        return self._editor

    @property
    def versions(self) -> MemoryVersions:
        """Goes back to earlier versions of the memory."""
        return self._versions

    @property
    def trials(self) -> GuidelineTrials:
        """Tries new guidelines on earlier cases."""
        return self._trials

    @property
    def neighbourhoods(self) -> TraceNeighbourhoods:
        """Compares traces with the cases, without judging them."""
        return self._neighbourhoods

    @property
    def other_judges(self) -> VersionJudges:
        """Judge by other memories of the same judge: by none, and by earlier versions of this one."""
        return self._other_judges

    @property
    def episodes(self) -> Mapping[str, Episode]:
        """The labelled cases by trace id, in order of learning."""
        return self.state.episodes

    @property
    def version(self) -> int:
        """The version of the state; it grows with every change."""
        return self.state.version

    @property
    def stored_version(self) -> int:
        """The version of the state in the store; it grows with each change, by whatever process."""
        return self._memory.stored_version

    @property
    def vector_space(self) -> tuple[str, int]:
        """The embedding model, as `provider:/name`, and the dimension of its vectors."""
        return self._memory.vectors.parts.space

    @property
    def pending(self) -> Mapping[str, str]:
        """Trace id -> why something of it waits; `learn(())` tries again."""
        return MappingProxyType(pending_in(self.state, self._reasons, self.declined))

    @property
    def declined(self) -> Mapping[str, str]:
        """Trace id -> why the reflection model will not read its reasons. It is not asked again before a restart."""
        return {
            trace_id: self._reasons.get(trace_id, "")
            for trace_id, times in self._refusals.items()
            if times >= MAX_REFUSALS and trace_id in self.state.undistilled
        }

    @property
    def refused_rules(self) -> int:
        """Number of sentences, since the memory was opened, that were no rules on answers."""
        return self._refused_rules

    async def refresh(self, version: int) -> bool:
        """Read the memory again if another process has changed it.

        What was forgotten there ends calls under way that may hold it, as `forget` does here.

        Args:
            version: The version in the store.

        Returns:
            True if the memory was read again.

        Raises:
            StorageError: If the store cannot be read; the memory stays as it is.
        """
        async with self._state_lock:
            if version <= self._memory.stored_version:
                return False
            await self._memory.load()
            return True

    async def judge(self, trace: Trace) -> Verdict:
        """Judge a trace by what is in memory; learns nothing.

        Args:
            trace: The trace. Its own episode is no evidence.

        Returns:
            The verdict, at the cost of one call of the judge model and at most one call of the embedding model.

        Raises:
            InputError: If the trace lacks what the judge asks for, or is forgotten meanwhile.
            ModelError: If the judge model fails.
            StorageError: If the store cannot be read or written.
        """
        return await self._judge_until_done(trace, self._retrieve_and_keep)

    async def judge_candidate(self, trace: Trace) -> Verdict:
        """Judge a trace that may not be shown to anybody: as `judge`, but nothing of it is stored.

        Args:
            trace: The trace. Its own episode is no evidence.

        Returns:
            The verdict, at the same cost.

        Raises:
            InputError: If the trace lacks what the judge asks for, or is forgotten meanwhile.
            ModelError: If the judge model fails.
            StorageError: If the store cannot be read.
        """
        return await self._judge_until_done(trace, self._trace_judge.retrieve)

    async def keep_vector(self, trace: Trace) -> None:
        """Store the vector of a candidate that is shown after all, so that it is not embedded again.

        Args:
            trace: The trace; nothing is stored where its vector is not known, or it was forgotten.

        Raises:
            StorageError: If the store cannot be read or written.
        """
        text = text_of(self._judge.select_fields(trace))
        with self._forgotten_meanwhile() as forgotten_ids:
            known = await self._memory.vectors.known([text])
            if text in known and trace.trace_id not in forgotten_ids:
                await self._memory.vectors.keep(trace.trace_id, text, known[text])

    async def relevant_guidelines(self, trace: Trace, limit: int = 5) -> tuple[Guideline, ...]:
        """Find guidelines in use that may cover a trace, by words and by vectors known already; asks no model.

        Args:
            trace: The trace.
            limit: Most guidelines to return; 5 by default.

        Returns:
            The guidelines, the most relevant first.

        Raises:
            InputError: If the trace lacks what the judge asks for.
            StorageError: If stored vectors cannot be read.
        """
        fields = self._judge.select_fields(trace)
        return await self._retriever.relevant_guidelines(fields, self.state.semantic, limit)

    async def remember(self, traces: Iterable[Trace]) -> Lesson:
        """Put cases into memory without asking a model and without waiting for a round of learning.

        Their reasons, and what is not embedded yet, wait for `learn`.

        Args:
            traces: With all their assessments as they are now; none that a running round is learning from.

        Returns:
            The report. What is new is in its `pending`.

        Raises:
            ForgottenMeanwhileError: If another process has forgotten something since the call: read the traces
                again.
            StorageError: If the store cannot be read or written; nothing has changed then.
        """
        batch = list(traces)
        with self._forgotten_meanwhile() as forgotten_ids:
            while True:
                before = self.state
                wanted = (trace for trace in batch if trace.trace_id not in forgotten_ids)
                plan = plan_learning(self._judge, before, wanted)
                try:
                    await self._remember(plan, forgotten_ids, LEARNING)
                except StaleMemoryError:
                    await self._reload()
                else:
                    return lesson_of(plan, (), before, self.state, self._reasons, self.declined)

    async def learn(self, traces: Iterable[Trace] = ()) -> Lesson:
        """Learn from the traces' assessments, and try again what is pending.

        Args:
            traces: With all their assessments as they are now; none by default.

        Returns:
            The report. What a model failed at is in it, and stays pending.

        Raises:
            ForgottenMeanwhileError: If another process has forgotten something since the call: read the traces
                again.
            StorageError: If the store cannot be read or written; nothing has changed then.
        """
        batch = list(traces)
        with self._forgotten_meanwhile() as forgotten_ids:
            async with self._round_lock:
                return await self._round(batch, forgotten_ids)

    def what_rests_on(self, target: ForgetTarget) -> Forgotten:
        """Preview forgetting a trace or a person; nothing is changed.

        Args:
            target: The trace, or the person.

        Returns:
            Of a trace: its episode, the guidelines that rest on it alone (`retired`) and those with other
            sources, too (`waiting`). Of a person: the traces they had a say on, the guidelines of theirs alone
            and those that others support or that they spoke against.
        """
        match target:
            case TraceTarget(trace_id=trace_id):
                return resting_on_traces([trace_id], self.state)
            case PersonTarget(person=person):
                return resting_on_person(person, self.state)

    async def withdraw(self, trace_ids: Collection[str]) -> None:
        """Take out cases on which nobody's feedback stands any more. Asks no model, as `forget`.

        Earlier versions keep them. A case that was rolled back to, and on which nothing stood then either, stays.

        Args:
            trace_ids: Ids of traces.

        Raises:
            StorageError: If the store fails; nothing has changed then.
        """
        await self._leave_out(
            [name for name in trace_ids if not is_rolled_back(self.state, name, None)], LEARNING
        )

    async def forget(self, trace_ids: Collection[str], *, person: str = "") -> Forgotten:
        """Take out all that was learned from these traces. Asks no model and waits for no round of learning.

        Guidelines with other sources are out of use until `distil_again`, or the next `learn`. No earlier version
        holds anything of the traces any more.

        Args:
            trace_ids: Ids of traces; those unknown to the memory lose their stored vectors only.
            person: The person who asks for it; empty where nobody is named.

        Returns:
            What was taken out; `left` are the guidelines to be distilled again.

        Raises:
            StorageError: If the store fails; nothing has changed then.
        """
        cause = ChangeCause(
            kind="forget",
            people=(person,) if person else (),
            forgets=tuple(TraceTarget(trace_id=trace_id) for trace_id in trace_ids),
        )
        return await self._leave_out(trace_ids, cause)

    async def _leave_out(self, trace_ids: Collection[str], cause: ChangeCause) -> Forgotten:
        for watch in self._watches:
            watch.update(trace_ids)
        async with self._state_lock:
            taken = await self._take_out(trace_ids, cause)
        for trace_id in trace_ids:
            self._reasons.pop(trace_id, None)
            self._refusals.pop(trace_id, None)
        _log.debug("Judge %s forgot %d traces", self._judge.name, len(taken.trace_ids))
        return replace(taken, left=taken.waiting)

    async def forget_person(self, person: str, trace_ids: Collection[str], *, by: str = "") -> None:
        """Take out a person's words and decisions, and the cases they had a say on. Asks no model.

        Args:
            person: The person.
            trace_ids: Ids of these cases; what others said there is to be learned anew.
            by: The person who asks for it; empty where nobody is named, or where it is the same person.

        Raises:
            StorageError: If the store fails; nothing has changed then.
        """
        cause = ChangeCause(
            kind="forget",
            people=(by,) if by and by != person else (),
            forgets=(PersonTarget(person=person),),
        )
        for watch in self._watches:
            watch.update(trace_ids)
        async with self._state_lock:
            await self._memory.change(
                lambda current: current.without_person(person, trace_ids), trace_ids, cause
            )
            self._end_calls(())  # the cases themselves stay
        for trace_id in trace_ids:
            self._reasons.pop(trace_id, None)
            self._refusals.pop(trace_id, None)

    async def distil_again(self, forgotten: Forgotten, *, seconds: float = REDISTIL_SECONDS) -> Forgotten:
        """Distil guidelines that lost a source from the sources they keep.

        Args:
            forgotten: The report of `forget`.
            seconds: Time limit for a running round of learning and for the models; after it the guidelines
                stay pending, and the next `learn` tries again.

        Returns:
            The report with `distilled`, `left` and `usage` as they are now.

        Raises:
            StorageError: If the store fails; the guidelines stay pending.
        """
        if not forgotten.waiting:
            return forgotten
        usage = Usage()
        try:
            with self._forgotten_meanwhile() as forgotten_ids:
                # what the models have answered is stored in any case: the limit ends with their answer
                async with asyncio.timeout(seconds) as limit, self._round_lock:
                    usage = (await self._round((), forgotten_ids, limit)).usage
        except TimeoutError:
            _log.warning("Judge %s: guidelines wait to be distilled again.", self._judge.name)
        return distilled_again(forgotten, self.state, usage)

    async def _retrieve_and_keep(self, trace: Trace, fields: Mapping[str, Json]) -> Retrieval:
        """Find the evidence, and keep the trace's vector unless the trace is forgotten meanwhile."""
        with self._forgotten_meanwhile() as forgotten_ids:
            retrieval = await self._trace_judge.retrieve(trace, fields)
            if retrieval.vector is not None and trace.trace_id and trace.trace_id not in forgotten_ids:
                await self._memory.vectors.keep(trace.trace_id, text_of(fields), retrieval.vector)
        return retrieval

    async def _judge_until_done(self, trace: Trace, retrieve: Retrieve) -> Verdict:
        """Judge a trace, anew where something else was forgotten before the model answered."""
        with self._forgotten_meanwhile() as forgotten_ids:
            while trace.trace_id not in forgotten_ids:
                with suppress(ForgottenMeanwhileError):
                    return await self._trace_judge.judge(trace, retrieve)
        raise InputError(f"Trace {trace.trace_id} was forgotten while it was judged.")

    @contextmanager
    def _forgotten_meanwhile(self) -> Iterator[ForgottenIds]:
        """Fill a set with what is forgotten from now on, until the end of the block."""
        forgotten_ids = ForgottenIds()
        self._watches.append(forgotten_ids)
        try:
            yield forgotten_ids
        finally:
            self._watches = [watch for watch in self._watches if watch is not forgotten_ids]

    async def _round(
        self, traces: Collection[Trace], forgotten_ids: ForgottenIds, limit: asyncio.Timeout | None = None
    ) -> Lesson:
        """Plan, ask the models, and adopt what they made of it; anew where another writer was faster.

        `limit` ends with the models' answer; with it, no known guidelines are united.
        """
        cause = ChangeCause(round_id=uuid.uuid4().hex)
        while True:
            wanted = (trace for trace in traces if trace.trace_id not in forgotten_ids)
            before = self.state
            plan = plan_learning(self._judge, before, wanted)
            try:
                if self._memory.durable:
                    # a crash, or a model that hangs, costs nobody the case
                    await self._remember(plan, forgotten_ids, cause)
                result = await self._run_models(plan, before)
                if limit is not None:
                    limit.reschedule(None)
                    # the order of forgetting must make no difference
                    result = result.without_merges
                await self._apply(plan, before, result, forgotten_ids, cause)
                usage = await self._consolidate(result, cause) if limit is None else Usage()
                return self._report(plan, before, result, usage)
            except StaleMemoryError:
                await self._reload()

    def _note_foreign_forget(self, trace_ids: Collection[str]) -> None:
        self.foreign_forgets += 1
        for watch in self._watches:
            watch.update(trace_ids)
            watch.elsewhere = True
        self._end_calls(trace_ids)

    async def _reload(self) -> None:
        async with self._state_lock:
            await self._memory.load()

    async def _remember(self, plan: LearningPlan, forgotten_ids: ForgottenIds, cause: ChangeCause) -> None:
        """Adopt the new cases of a plan, their rationales undistilled. Raises `StorageError`."""
        for trace_id in (*plan.put, *plan.retracted):
            self._refusals.pop(trace_id, None)
        if not plan.put and not plan.retracted:
            return
        vectors = await self._memory.vectors.known(episode.case_text for episode in plan.put.values())
        async with self._state_lock:
            _refuse_read_before(forgotten_ids)
            after = remember(self.state, plan, vectors)
            after = after.without_traces(forgotten_ids) if forgotten_ids else after
            await self._memory.adopt(after, cause=cause)

    async def _take_out(self, trace_ids: Collection[str], cause: ChangeCause) -> Forgotten:
        """Adopt the state without these traces; returns what went. Under the state lock."""
        before = await self._memory.change(
            lambda current: current.without_traces(trace_ids), trace_ids, cause
        )
        if cause.forgets:
            self._end_calls(trace_ids)
        return resting_on_traces(trace_ids, before)

    def _end_calls(self, trace_ids: Collection[str]) -> None:
        """End what may hold the forgotten: judges of earlier versions, and prompts that wait to be sent."""
        self._other_judges.close_all()
        self._judge_model.interrupt(trace_ids)

    async def _run_models(self, plan: LearningPlan, planned: MemoryState) -> RoundResult:
        return await run_models(
            plan,
            planned,
            self._judge.instructions,
            self._memory.vectors,
            self._distiller,
            self.declined.keys() - plan.put.keys(),
        )

    async def _apply(
        self,
        plan: LearningPlan,
        planned: MemoryState,
        result: RoundResult,
        forgotten_ids: ForgottenIds,
        cause: ChangeCause,
    ) -> None:
        """Adopt the models' answers to a plan on the state `planned`, without what was forgotten since."""
        async with self._state_lock:
            _refuse_read_before(forgotten_ids)
            after = await apply(self.state, plan, result)
            after = after.without_traces(forgotten_ids) if forgotten_ids else after
            await self._memory.adopt(after, cause=cause)
        self._note_failures(plan, planned, result)
        await build_graph_if_needed(self.state)

    async def _consolidate(self, result: RoundResult, cause: ChangeCause) -> Usage:
        if self._consolidation is None:
            return Usage()
        return await self._consolidation.run(result.distillation, cause)

    def _report(self, plan: LearningPlan, planned: MemoryState, result: RoundResult, usage: Usage) -> Lesson:
        """Report on a round, with what its consolidation has cost."""
        retried = {*planned.undistilled, *planned.episodic.to_embed} - plan.put.keys()
        lesson = lesson_of(plan, retried, planned, self.state, self._reasons, self.declined, result)
        lesson = replace(lesson, usage=lesson.usage + usage)
        self._refused_rules += len(lesson.refused)
        _log.debug(
            "Judge %s learned from %d traces, %d wait, %d were rejected: %s",
            self._judge.name,
            len(lesson.learned),
            len(lesson.pending),
            len(lesson.rejected),
            lesson.usage,
        )
        return lesson

    def _note_failures(self, plan: LearningPlan, planned: MemoryState, result: RoundResult) -> None:
        """Keep the models' reasons, also those of rationales that the distiller is not asked about any more."""
        kept = {trace_id: why for trace_id, why in self._reasons.items() if trace_id not in result.asked}
        declined = {trace_id: why for trace_id, why in kept.items() if trace_id in self._refusals}
        self._reasons = {**declined, **failure_reasons(plan, planned, result)}
        for trace_id in result.asked - result.distillation.declined:
            self._refusals.pop(trace_id, None)
        self._refusals.update(result.distillation.declined)


def _refuse_read_before(forgotten_ids: ForgottenIds) -> None:
    """Raise `ForgottenMeanwhileError` where what is to be learned may hold what another process forgot since."""
    if forgotten_ids.elsewhere:
        sentence = "Something was forgotten while feedback was learned; it is read again."
        raise ForgottenMeanwhileError(sentence, trace_ids=forgotten_ids)
