"""How things stand: what waits and why, and whether the bot can work."""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence

from bot.config import Settings
from bot.records import JudgeStatus, Status
from memalign.judge_memory import JudgeMemory
from storage.database import Database


class StatusReport:
    """Gathers the status from everything that works."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        memories: Mapping[str, JudgeMemory],
        connected: Callable[[], Awaitable[bool]],
        troubles: Sequence[Mapping[str, str]],
    ) -> None:
        self._settings = settings
        self._database = database
        self._memories = memories
        self._connected = connected
        self._troubles = troubles

    async def read(self) -> Status:
        """The status now. Raises `StorageError` when the store does not answer."""
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
            troubles=(
                *(f"{self._called(what)}: {why}" for part in self._troubles for what, why in part.items()),
                *self._unlearned(),
            ),
        )

    def _called(self, what: str) -> str:
        """What people call it; they know a channel by the judge that works there."""
        names = [judge.name for judge in self._settings.judges if judge.channel == what]
        return f"the channel of {' and '.join(names)}" if names else what

    def _unlearned(self) -> Iterator[str]:
        """What memories hold that is still to be learned, or learned again."""
        for name, memory in self._memories.items():
            if reasons := memory.pending:
                traces = "one trace" if len(reasons) == 1 else f"{len(reasons)} traces"
                yield f"{name}: feedback on {traces} waits to be learned in full ({next(iter(reasons.values()))})"
