"""The status: what waits and why, and whether the bot can work."""

from collections.abc import Awaitable, Callable, Iterator, Mapping

from bot.config import Settings
from bot.records import JudgeStatus, Status
from bot.runtime.clock import now_ms
from bot.runtime.health import HealthRegistry, Problem
from bot.runtime.work_in_hand import LONG_SECONDS, LongWork
from memalign.judge_memory import JudgeMemory
from storage.database import Database

CHANNEL_COMPONENTS = {"posting", "redaction"}
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
    ) -> None:
        self._settings = settings
        self._database = database
        self._memories = memories
        self._connected = connected
        self._health = health

    async def read(self) -> Status:
        """Return the status now. Raises `StorageError` when the store does not answer."""
        judges = tuple(
            JudgeStatus(
                name=judge.name,
                model=judge.model,
                cases=len(self._memories[judge.name].episodes),
                guidelines=len(self._memories[judge.name].guidelines),
                waiting=sum(rule.waiting for rule in self._memories[judge.name].guidelines),
            )
            for judge in self._settings.judges
        )
        return Status(
            connected=await self._connected(),
            traces_waiting=await self._database.traces.waiting(),
            feedback_waiting=await self._database.feedback.waiting(),
            posts_waiting=await self._database.outbox.waiting(),
            judges=judges,
            file_problem=self._database.file_problem,
            troubles=(
                *await self._database.problems(),
                *(self._sentence(problem) for problem in self._health.problems()),
                *(self._long_work(work) for work in self._health.work.long()),
                *await self._long_queue(),
                *self._unlearned(),
            ),
        )

    def _sentence(self, problem: Problem) -> str:
        return f"{self._title(problem.component, problem.subject)}: {problem.reason}"

    def _long_work(self, work: LongWork) -> str:
        pieces = "" if work.number == 1 else f" ({work.number} at once)"
        title = self._title(work.component, work.subject)
        return f"{title}: {work.doing} has taken {work.seconds:.0f} s so far{pieces}"

    async def _long_queue(self) -> list[str]:
        """Return a sentence on the trace that has waited longest for its turn, where that is long."""
        job = await self._database.traces.oldest_ready()
        seconds = 0.0 if job is None else (now_ms() - job.received_ms) / 1000
        if job is None or seconds <= LONG_SECONDS or self._health.reason("judging", job.judge):
            return []
        return [f"{job.judge}: a trace has waited {seconds:.0f} s for its turn, since others came before it"]

    def _title(self, component: str, subject: str) -> str:
        return self._settings.channel_title(subject) if component in CHANNEL_COMPONENTS else subject

    def _unlearned(self) -> Iterator[str]:
        """Yield a sentence for each memory that still waits to learn, or to learn again."""
        for name, memory in self._memories.items():
            if reasons := memory.pending:
                traces = "one trace" if len(reasons) == 1 else f"{len(reasons)} traces"
                yield f"{name}: feedback on {traces} waits to be learned in full ({next(iter(reasons.values()))})"
