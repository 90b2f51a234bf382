"""Flow A: a stored trace is sampled, judged, and stored as a verdict with its card."""

from collections.abc import Callable
from dataclasses import dataclass

from bot.call_budget import budget_for
from bot.judging.blind_cards import BlindCards
from bot.judging.candidate_verdicts import CandidateVerdicts
from bot.judging.candidate_worker import CandidateWorker
from bot.judging.card_choice import CardChooser
from bot.judging.daily_cap import DailyCap
from bot.judging.day_planner import DayPlanner
from bot.judging.label_worker import LabelWorker
from bot.judging.last_week import LastWeek
from bot.judging.memories import LOCAL_JUDGE
from bot.judging.shadow_judges import ShadowJudges
from bot.judging.trace_admission import TraceAdmission
from bot.judging.trace_sampler import TraceSampler
from bot.judging.worker import JudgingWorker
from bot.resources import Resources
from bot.runtime.circuit_breaker import CircuitBreaker
from bot.runtime.supervisor import Background
from memalign.models import connect_judge_model
from memalign.models.endpoint import max_concurrency


@dataclass(frozen=True, slots=True, kw_only=True)
class Judging:
    """The parts of judging."""

    admission: TraceAdmission
    """Takes traces in."""
    wake: Callable[[], None]
    """Look for new traces now."""
    background: Background


def build(resources: Resources, wake_posting: Callable[[], None]) -> Judging:
    """Build the workers. The first judges as many traces at a time as there may be model calls."""
    settings, database, health = resources.settings, resources.database, resources.health
    planner = DayPlanner(settings, database)
    blind_cards = BlindCards(settings, database)
    cap, breaker = DailyCap(database, planner), CircuitBreaker()
    renamed_perhaps = [offer.old for offer in resources.renaming_offers]
    shadows = _shadow_judges(resources)
    judging = JudgingWorker(
        settings,
        database,
        resources.memories,
        shadows,
        health,
        wake_posting,
        cap,
        breaker,
        blind_cards,
        concurrency=max_concurrency(),
        renamed_perhaps=renamed_perhaps,
    )
    choosing = CandidateWorker(
        settings,
        database,
        CardChooser(
            database, resources.memories, _candidate_verdicts(resources, shadows), shadows.values
        ).choose,
        health,
        wake_posting,
        cap,
        breaker,
        blind_cards,
        renamed_perhaps=renamed_perhaps,
    )
    labels = LabelWorker(
        settings, database, resources.memories, budget_for("labelled_traces", resources), breaker, health
    )
    return Judging(
        admission=TraceAdmission(
            settings,
            database,
            resources.memories,
            resources.judge_names,
            resources.redactor,
            TraceSampler(settings, database, planner),
            judging.wake,
        ),
        wake=judging.wake,
        background={"judging": judging.run, "choosing cards": choosing.run, "judging for labels": labels.run},
    )


def _candidate_verdicts(resources: Resources, shadows: ShadowJudges) -> CandidateVerdicts:
    return CandidateVerdicts(
        budget_for("candidates", resources),
        shadows.base_value,
        connect_judge_model(LOCAL_JUDGE),
        resources.database.candidates.contains,
    )


def _shadow_judges(resources: Resources) -> ShadowJudges:
    settings, memories = resources.settings, resources.memories
    last_week = LastWeek(
        memories,
        resources.database.memory_history,
        settings.digest.zone,
        lambda judge: connect_judge_model(settings.judge(judge).model),
    )
    return ShadowJudges(
        memories,
        last_week,
        budget_for("shadow_verdicts", resources),
        budget_for("second_opinions", resources),
    )
