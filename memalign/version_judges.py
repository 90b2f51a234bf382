"""Judges of the same criterion by other memories: by none, and by earlier versions of the present one."""

import asyncio
from collections.abc import Mapping
from weakref import WeakSet

from memalign.errors import ForgottenMeanwhileError
from memalign.judge import Judge
from memalign.memory.state import MemoryState
from memalign.memory.stored_state import StoredState
from memalign.ports import JudgeModel
from memalign.recall.retrieval import Retrieval, Retriever
from memalign.records import Evidence, Json, Trace, Verdict
from memalign.trace_judge import TraceJudge


class VersionJudge:
    """A judge by one version of the memory, until something is forgotten.

    Args:
        judge: The judge.
        state: The version.
        judge_model: Gives the verdicts.
        retriever: Finds the evidence.
    """

    def __init__(
        self, judge: Judge, state: MemoryState, judge_model: JudgeModel, retriever: Retriever
    ) -> None:
        self._state: MemoryState | None = state
        self._empty = MemoryState.empty(state.judge, binary=state.binary)
        self._judge = TraceJudge(judge, lambda: self.state, judge_model, retriever)

    @property
    def state(self) -> MemoryState:
        """The version; an empty memory once the judge is closed."""
        return self._state or self._empty

    @property
    def is_closed(self) -> bool:
        """True if something was forgotten since it was opened: open the version again."""
        return self._state is None

    async def judge(self, trace: Trace) -> Verdict | None:
        """Judge a trace, as `TraceJudge.judge`.

        Args:
            trace: The trace. A vector that the present memory asks for at the same time is made once.

        Returns:
            The verdict; None if something was forgotten meanwhile.
        """
        try:
            verdict = None if self.is_closed else await self._judge.judge(trace)
        except ForgottenMeanwhileError:
            return None
        return None if self.is_closed else verdict

    def close(self) -> None:
        """Let go of the version."""
        self._state = None


class VersionJudges:
    """Opens judges of other versions. Nothing that was forgotten reaches their model either.

    Args:
        judge: The judge.
        memory: Its memory.
        lock: Held by whoever puts a new state in place.
        judge_model: Gives the verdicts.
        retriever: Finds the evidence.
    """

    def __init__(
        self,
        judge: Judge,
        memory: StoredState,
        lock: asyncio.Lock,
        judge_model: JudgeModel,
        retriever: Retriever,
    ) -> None:
        self._judge = judge
        self._memory = memory
        self._lock = lock
        self._judge_model = judge_model
        self._retriever = retriever
        self._opened: WeakSet[VersionJudge] = WeakSet()
        empty = MemoryState.empty(judge.name, binary=judge.value_type.binary)
        self._base = TraceJudge(judge, lambda: empty, judge_model, retriever)

    async def judge_without_memory(self, trace: Trace) -> Verdict:
        """Judge a trace by the instructions alone, without any guideline or case.

        Args:
            trace: The trace.

        Returns:
            The verdict, at the cost of one call of the judge model.

        Raises:
            InputError: If the trace lacks what the judge asks for.
            ModelError: If the judge model fails, or the trace is forgotten before it answers.
        """
        while True:
            try:
                return await self._base.judge(trace, _without_evidence)
            except ForgottenMeanwhileError as error:
                if trace.trace_id in error.trace_ids:
                    raise

    async def open(self, number: int, judge_model: JudgeModel | None = None) -> VersionJudge:
        """Open the judge of an earlier version.

        Args:
            number: The version, from 0.
            judge_model: Gives the verdicts; by default the same model. One that is fitted to the cases needs another
                one for each version.

        Returns:
            The judge.

        Raises:
            UnknownVersionError: If there is no such version.
            StorageError: If the store cannot be read.
        """
        model = judge_model or self._judge_model
        async with self._lock:  # else a version read before something is forgotten would be opened after it
            state = await self._memory.rolled_back(number)
            opened = VersionJudge(self._judge, state, model, self._retriever.copy())
            self._opened.add(opened)
        return opened

    def close_all(self) -> None:
        """Close all judges that are open, since something was forgotten that their versions may hold."""
        for each in self._opened:
            each.close()
        self._opened.clear()


async def _without_evidence(trace: Trace, fields: Mapping[str, Json]) -> Retrieval:
    del trace, fields
    return Retrieval(evidence=Evidence(), vector=None)
