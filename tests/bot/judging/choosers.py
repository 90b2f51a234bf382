"""Choices of cards for tests, with models that are fakes."""

from collections.abc import Mapping

from bot.judging.candidate_verdicts import CandidateVerdicts, IsCandidate
from bot.judging.card_choice import CardChooser
from bot.judging.shadow_judges import ShadowValue
from memalign.judge_memory import JudgeMemory
from memalign.records import Label, Trace
from memalign.trial.call_budget import FixedBudget
from storage.database import Database
from storage.records import ShadowVerdict
from tests.fakes import FakeJudgeModel


class BaseJudge:
    """Gives second opinions; remembers the traces it was asked about."""

    def __init__(self, values: Mapping[str, Label] | None = None) -> None:
        self.values = values or {}
        self.asked: list[str] = []

    async def value(self, _judge: str, trace: Trace) -> ShadowVerdict | None:
        """See `bot.judging.candidate_verdicts.BaseValue`."""
        self.asked.append(trace.trace_id)
        return ShadowVerdict(kind="base", value=self.values.get(trace.trace_id, True))

    async def shadow_values(
        self, _judge: str, _trace: Trace, known: ShadowVerdict | None
    ) -> tuple[ShadowValue, ...]:
        """See `bot.judging.shadow_judges.ShadowValues`: what is known already, and no more."""
        return () if known is None else (ShadowValue(kind="base", value=known.value),)


def a_chooser(
    database: Database,
    memories: Mapping[str, JudgeMemory],
    *,
    budget: FixedBudget | None = None,
    base: BaseJudge | None = None,
    is_candidate: IsCandidate | None = None,
) -> CardChooser:
    """A chooser without calls to spare unless a budget is given: it judges one candidate drawn at random."""
    base = base or BaseJudge()
    verdicts = CandidateVerdicts(
        budget or FixedBudget(0), base.value, FakeJudgeModel(True), is_candidate or _always
    )
    return CardChooser(database, memories, verdicts, base.shadow_values)


async def _always(_trace_id: str, _judge: str) -> bool:
    return True
