"""Flow A: a stored trace is sampled, judged, and stored as a verdict with its card."""

from collections.abc import Callable

from bot.judging.worker import JudgingWorker
from bot.resources import Resources
from memalign.models.endpoint import max_concurrency


def build(resources: Resources, wake_posting: Callable[[], None]) -> JudgingWorker:
    """Build the worker, which judges as many traces at a time as there may be model calls."""
    return JudgingWorker(
        resources.settings,
        resources.database,
        resources.memories,
        resources.health,
        wake_posting,
        renamed_perhaps=[offer.old for offer in resources.renaming_offers],
        concurrency=max_concurrency(),
    )
