"""Choices of cards for tests, with models that are fakes."""

from collections.abc import Mapping

from bot.config import Settings
from bot.judging.candidate_verdicts import CandidateVerdicts
from bot.judging.card_choice import CardChooser
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


def a_chooser(
    settings: Settings,
    database: Database,
    memories: Mapping[str, JudgeMemory],
    *,
    budget: FixedBudget | None = None,
    base: BaseJudge | None = None,
) -> CardChooser:
    """A chooser without calls to spare unless a budget is given: it judges one candidate drawn at random."""
    verdicts = CandidateVerdicts(budget or FixedBudget(0), (base or BaseJudge()).value, FakeJudgeModel(True))
    return CardChooser(settings, database, memories, verdicts)
