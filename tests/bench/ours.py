"""Our library as a system to measure."""

import asyncio
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from memalign import AlignedJudge, Assessment, MemAlignOptimizer, Trace, judge_file, load_judge, make_judge
from memalign.alignment import AlignmentModels
from memalign.judge_memory import JudgeMemory
from memalign.judges import AlignableJudge
from memalign.memory.stored_state import StoredState
from memalign.models import connect_judge_model
from memalign.recall.case_selection import CaseChoice, best_cases, contrasting_cases
from memalign.recall.guideline_selection import GUIDELINE_TOKENS
from tests.bench.rules import Case
from tests.bench.system import EMBEDDER, INSTRUCTIONS, MODEL, NAME


class Ours:
    """See `JudgingSystem`."""

    def __init__(self) -> None:
        self._file = Path(tempfile.mkdtemp()) / "judge.json"
        self.start()

    def start(self) -> None:
        self.base = make_judge(name=NAME, instructions=INSTRUCTIONS, feedback_value_type=bool, model=MODEL)
        self.judge_in_use: AlignableJudge | AlignedJudge = self.base
        self.optimizer = MemAlignOptimizer(reflection_lm=MODEL, embedding_model=EMBEDDER)
        self._verdicts: dict[str, Assessment] = {}

    def learn(self, cases: Sequence[Case]) -> set[str]:
        aligned = self.judge_in_use.align([self._judged_trace(case) for case in cases], self.optimizer)
        self.judge_in_use = aligned
        return {*aligned.report.pending, *aligned.report.rejected}

    def forget(self, trace_id: str) -> None:
        self.judge_in_use = self._aligned().unalign([trace_id])

    def judge(self, case: Case) -> bool:
        verdict = self.judge_in_use(trace=_trace(case))
        self._verdicts[case.trace_id] = Assessment(
            name=NAME,
            value=verdict.value,
            rationale=verdict.rationale,
            source_type="LLM_JUDGE",
            guideline_ids=verdict.guideline_ids,
        )
        return bool(verdict.value)

    def judge_all(self, cases: Sequence[Case]) -> list[bool]:
        async def values() -> list[bool]:
            verdicts = await asyncio.gather(*(self.judge_in_use.acall(trace=_trace(case)) for case in cases))
            return [bool(verdict.value) for verdict in verdicts]

        return asyncio.run(values())

    def judge_without_contrast(self, cases: Sequence[Case]) -> list[bool]:
        return self._judge_by(cases, choose_cases=best_cases)

    def judge_in_room(self, cases: Sequence[Case], guideline_tokens: int) -> list[bool]:
        return self._judge_by(cases, guideline_tokens=guideline_tokens)

    def _judge_by(
        self,
        cases: Sequence[Case],
        *,
        choose_cases: CaseChoice = contrasting_cases,
        guideline_tokens: int = GUIDELINE_TOKENS,
    ) -> list[bool]:
        """Judge by the same memory with other settings, of which some are no settings for users."""
        self._aligned().save(self._file)
        saved = judge_file.read(self._file)

        async def values() -> list[bool]:
            memory = JudgeMemory(
                saved.judge,
                StoredState(saved.state, AlignmentModels(saved.settings).vectors),
                judge_model=connect_judge_model(saved.judge.model),
                distiller=self.optimizer.distiller,
                retrieval_k=saved.settings.retrieval_k,
                guideline_tokens=guideline_tokens,
                choose_cases=choose_cases,
            )
            verdicts = await asyncio.gather(*(memory.judge(_trace(case)) for case in cases))
            return [bool(verdict.value) for verdict in verdicts]

        return asyncio.run(values())

    def shown(self, case: Case) -> list[str]:
        return list(self.judge_in_use(trace=_trace(case)).retrieved_trace_ids)

    def guidelines(self) -> list[str]:
        return [rule.text for rule in self._aligned().guidelines if rule.in_use]

    def sources(self) -> set[str]:
        return {trace_id for rule in self._aligned().guidelines for trace_id in rule.source_trace_ids}

    def sources_by_guideline(self) -> list[set[str]]:
        return [set(rule.source_trace_ids) for rule in self._aligned().guidelines if rule.in_use]

    def keep(self, cases: Sequence[Case]) -> None:
        self.learn(cases)
        self._aligned().save(self._file)

    def load(self) -> None:
        self.judge_in_use = load_judge(self._file)

    def _judged_trace(self, case: Case) -> Trace:
        """The trace with its votes, and with the verdict that they answer if there is one."""
        trace, verdict = _trace(case), self._verdicts.get(case.trace_id)
        return trace if verdict is None else replace(trace, assessments=(*trace.assessments, verdict))

    def _aligned(self) -> AlignedJudge:
        assert isinstance(self.judge_in_use, AlignedJudge)
        return self.judge_in_use


def _trace(case: Case) -> Trace:
    assessments = tuple(
        Assessment(
            name=NAME,
            value=vote.value,
            rationale=vote.rationale,
            source_id=vote.person,
            create_time_ms=vote.time_ms,
        )
        for vote in case.votes
    )
    inputs = {"question": case.question}
    return Trace(trace_id=case.trace_id, inputs=inputs, outputs=case.answer, assessments=assessments)
