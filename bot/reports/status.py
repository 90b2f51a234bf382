"""The status: what waits and why, and whether the bot can work."""

from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping
from dataclasses import replace

from bot.config import Settings
from bot.judge_names import RenamingOffer
from bot.records import JudgeStatus, Status
from bot.reports.long_waits import LongWaits
from bot.reports.rule_authors import one_teacher
from bot.reports.sampling_remarks import sampling_remarks
from bot.runtime.clock import day_of, now_ms
from bot.runtime.health import HealthRegistry, Problem
from bot.runtime.reference_clock import ReferenceClock
from bot.runtime.supervisor import COMPONENT as BACKGROUND
from bot.runtime.work_in_hand import LongWork
from memalign.judge_memory import JudgeMemory
from storage.database import Database

CONNECTORS = "connectors"
"""Component that reports tracing tools, which concern everybody."""
OUTBOUND = "outbound events"
"""Component that reports receivers of events, which concern everybody."""
CHANNEL_COMPONENTS = {"posting", "redacting messages", "answering replies"}
"""Components that report channels; people know a channel by the judges that work there."""


class StatusReport:
    """Gathers the status from the store, the memories and the health registry."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        memories: Mapping[str, JudgeMemory],
        connected: Callable[[], Awaitable[bool]],
        health: HealthRegistry,
        clock: ReferenceClock,
        own_ms: Callable[[], int] = now_ms,
        renaming_offers: Collection[RenamingOffer] = (),
    ) -> None:
        """`clock` is Slack's, `own_ms` this machine's, in milliseconds since 1970."""
        self._settings = settings
        self._database = database
        self._memories = memories
        self._connected = connected
        self._health = health
        self._clock = clock
        self._renaming_offers = renaming_offers
        self._own_ms = own_ms
        self._long_waits = LongWaits(database, clock, own_ms)

    async def read(self) -> Status:
        """Return the status now. Raises `StorageError` when the store does not answer."""
        refused = await self._database.traces.refused()
        paused = await self._database.preferences.pauses()
        judges = tuple(
            JudgeStatus(
                name=judge.name,
                title=judge.title,
                model=judge.model,
                cases=len(self._memories[judge.name].episodes),
                guidelines=len(self._memories[judge.name].guidelines),
                waiting=sum(rule.waiting for rule in self._memories[judge.name].guidelines),
                refused_rules=self._memories[judge.name].refused_rules,
                refused_traces=refused[judge.name].number if judge.name in refused else 0,
                declined_traces=len(self._memories[judge.name].declined),
                is_paused=judge.name in paused,
            )
            for judge in self._settings.judges
        )
        return Status(
            connected=await self._connected(),
            traces_waiting=await self._database.traces.waiting(),
            feedback_waiting=await self._database.feedback.waiting(),
            posts_waiting=await self._database.outbox.waiting(),
            judges=judges,
            keep_days=self._settings.storage.keep_days,
            model_calls=await self._database.model_calls.counts(day_of(now_ms(), self._settings.digest.zone)),
            file_problem=self._database.file_problem,
            troubles=await self._troubles(await self._problems(), self._memories),
            remarks=await self._remarks(self._memories),
        )

    async def read_about(self, judges: Collection[str]) -> Status:
        """Return the status as far as it concerns these judges or none; the numbers of waiting work are of all.

        Raises `StorageError` when the store does not answer.
        """
        status = await self.read()
        if len(judges) == len(status.judges):
            return status
        return replace(
            status,
            judges=tuple(judge for judge in status.judges if judge.name in judges),
            troubles=await self._troubles(await self._problems_of(judges), judges),
            remarks=await self._remarks(judges),
        )

    async def _remarks(self, judges: Collection[str]) -> tuple[str, ...]:
        remarks = await sampling_remarks(self._settings, self._database, judges, self._own_ms())
        return tuple(remarks)

    async def _problems(self) -> list[Problem]:
        """Return what parts of the bot report, and what has been in hand or has waited for long."""
        long_work = [
            Problem(component=work.component, subject=work.subject, reason=_long_work_reason(work))
            for work in self._health.work.long()
        ]
        told = [*self._health.problems(), *long_work]
        known = {(problem.component, problem.subject) for problem in told}
        return [*told, *await self._long_waits.problems(known)]

    async def _problems_of(self, judges: Collection[str]) -> list[Problem]:
        """Return the problems of these judges, of their channels, and of the background parts."""
        channels = {judge.channel for judge in self._settings.judges if judge.name in judges}
        return [
            problem
            for problem in await self._problems()
            if problem.component in (BACKGROUND, CONNECTORS, OUTBOUND)
            or problem.subject in (channels if problem.component in CHANNEL_COMPONENTS else judges)
        ]

    async def _troubles(self, problems: Collection[Problem], judges: Collection[str]) -> tuple[str, ...]:
        return (
            *await self._database.problems(),
            *filter(None, [self._clock.problem()]),
            *(self._sentence(problem) for problem in problems),
            *await self._refused(judges),
            *self._unlearned(judges),
            *self._declined(judges),
            *self._one_teacher(judges),
            *self._offers(judges),
        )

    def _sentence(self, problem: Problem) -> str:
        subject = problem.subject
        if problem.component in CHANNEL_COMPONENTS:
            subject = _channel_title(self._settings, subject)
        return f"{subject}: {problem.reason}"

    async def _refused(self, judges: Collection[str]) -> list[str]:
        """Return a sentence for each of these judges whose model refuses traces for good."""
        refused = await self._database.traces.refused()
        return [
            f"{name}: {_traces(each.number)} refused by the model ({each.reason.rstrip('.')}); a restart tries again"
            for name, each in refused.items()
            if name in judges
        ]

    def _declined(self, judges: Collection[str]) -> Iterator[str]:
        """Yield a sentence for each of these judges whose reflection model refuses to read reasons."""
        for name, memory in self._memories.items():
            if name in judges and (reasons := memory.declined):
                why = next(iter(reasons.values())).rstrip(".")
                yield (
                    f"{name}: the reasons on {_traces(len(reasons))} refused by the reflection model ({why}); "
                    "the cases are remembered, and a restart tries again"
                )

    def _offers(self, judges: Collection[str]) -> Iterator[str]:
        """Yield the offers to rename a judge to one of these that have learned nothing yet."""
        for offer in self._renaming_offers:
            memories = [self._memories[name] for name in offer.candidates if name in judges]
            if any(not memory.episodes and not memory.guidelines for memory in memories):
                yield offer.sentence

    def _one_teacher(self, judges: Collection[str]) -> Iterator[str]:
        """Yield a sentence for each of these judges whose newest rules are mostly one person's."""
        for name, memory in self._memories.items():
            if name in judges and (sentence := one_teacher(name, memory.guidelines)):
                yield sentence

    def _unlearned(self, judges: Collection[str]) -> Iterator[str]:
        """Yield a sentence for each of these judges whose memory still waits to learn, or to learn again."""
        for name, memory in self._memories.items():
            if name in judges and (reasons := memory.pending):
                traces = "one trace" if len(reasons) == 1 else f"{len(reasons)} traces"
                yield f"{name}: feedback on {traces} waits to be learned in full ({next(iter(reasons.values()))})"


def _traces(number: int) -> str:
    return "1 trace was" if number == 1 else f"{number} traces were"


def _long_work_reason(work: LongWork) -> str:
    pieces = "" if work.number == 1 else f" ({work.number} at once)"
    return f"{work.doing} has taken {work.seconds:.0f} s so far{pieces}"


def _channel_title(settings: Settings, channel: str) -> str:
    """Return what people call a channel: that of its judges; the id itself when no judge works there."""
    names = [judge.name for judge in settings.judges if judge.channel == channel]
    return f"the channel of {' and '.join(names)}" if names else channel
