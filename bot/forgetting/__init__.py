"""Flow C: a trace or a person is forgotten, in the memories, in the store, in Slack."""

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass

from bot.forgetting.resume import UnfinishedForgetting
from bot.forgetting.retention import Retention
from bot.forgetting.service import ForgetService
from bot.resources import Resources
from bot.runtime.supervisor import Background


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgettingFlow:
    """The parts of forgetting that the listeners and the server reach."""

    service: ForgetService
    resume: Callable[[], Awaitable[None]]
    """Executes what an earlier run was asked to forget and did not finish."""
    read_requests: Callable[[], Awaitable[None]]
    """Lets nothing be learned here of what other replicas were asked to forget."""
    background: Background


def build(
    resources: Resources,
    redact_now: Callable[[], Awaitable[None]],
    cancel_trace: Callable[[str], None],
    invalidate: Callable[[Collection[str]], None],
    refresh: Callable[[], Awaitable[None]],
) -> ForgettingFlow:
    """Build what forgets on request, and what deletes old traces; the callbacks are those of `ForgetService`."""
    database = resources.database
    service = ForgetService(
        database,
        {**resources.unnamed_memories, **resources.memories},
        redact_now=redact_now,
        cancel_trace=cancel_trace,
        invalidate=invalidate,
        refresh=refresh,
        time_ms=resources.slack.clock.now_ms,
    )
    unfinished = UnfinishedForgetting(database, service)

    async def read_requests() -> None:
        for request in await database.forgetting.requests():
            if request.kind == "trace":
                cancel_trace(request.target)

    return ForgettingFlow(
        service=service,
        resume=unfinished.resume,
        read_requests=read_requests,
        background={
            "finishing what is to be forgotten": unfinished.run,
            "deleting old traces": Retention(resources.settings, database, resources.slack.clock.now_ms).run,
        },
    )
