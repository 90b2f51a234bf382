"""Flow A: a stored trace is sampled, judged, and stored as a verdict with its card."""

from collections.abc import Callable

from bot.call_budget import budget_for
from bot.judging.last_week import LastWeek
from bot.judging.shadow_judges import ShadowJudges
from bot.judging.worker import JudgingWorker
from bot.resources import Resources
from memalign.models import connect_judge_model
from memalign.models.endpoint import max_concurrency


def build(resources: Resources, wake_posting: Callable[[], None]) -> JudgingWorker:
    """Build the worker, which judges as many traces at a time as there may be model calls."""
    settings, memories = resources.settings, resources.memories
    last_week = LastWeek(
        memories,
        resources.database.memory_history,
        settings.digest.zone,
        lambda judge: connect_judge_model(settings.judge(judge).model),
    )
    shadows = ShadowJudges(
        memories,
        last_week,
        budget_for("shadow_verdicts", resources),
        budget_for("second_opinions", resources),
    )
    return JudgingWorker(
        settings,
        resources.database,
        memories,
        shadows,
        resources.health,
        wake_posting,
        renamed_perhaps=[offer.old for offer in resources.renaming_offers],
        concurrency=max_concurrency(),
    )
