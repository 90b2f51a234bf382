"""The judge of `memalign judge`: from a file that `memalign align` wrote, or of the settings with the bot's store."""

import asyncio
from argparse import Namespace
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bot.config import Settings, load_environment, load_settings
from bot.judging.memories import open_memory
from bot.judging.value_problems import labels_of, value_problem
from memalign.errors import InputError, SettingsError, UnknownVersionError
from memalign.judge import Judge
from memalign.judges import AlignedJudge
from memalign.optimizer import load_judge
from memalign.patient_judging import JudgeTrace
from storage.database import Database
from storage.memory_reader import MemoryReader

DEFAULT_CONFIG = Path("memalign.toml")


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchJudge:
    """A judge as a batch of traces needs it."""

    definition: Judge
    judge: JudgeTrace
    settings: Settings | None = None

    @property
    def name(self) -> str:
        """The judge's name."""
        return self.definition.name


@asynccontextmanager
async def open_judge(options: Namespace) -> AsyncIterator[BatchJudge]:
    """Open the judge that the command names, in the version of its memory that it names."""
    if options.aligned is not None:
        yield await _from_file(options)
        return
    config = options.config or DEFAULT_CONFIG
    load_environment(config.parent)
    settings = load_settings(config, channels=False)
    judge = settings.judge(options.judge)
    async with await Database.open(settings.data, read_only=True) as database:
        store = MemoryReader(database.memories, options.memory_version)
        memory = await open_memory(settings, judge, store)
        if problem := value_problem(judge, labels_of(memory.episodes)):
            raise SettingsError(problem)
        yield BatchJudge(definition=memory.definition, judge=memory.judge, settings=settings)


async def _from_file(options: Namespace) -> BatchJudge:
    load_environment(options.aligned.parent)
    settings = load_settings(options.config, channels=False) if options.config else None
    aligned = await asyncio.to_thread(
        load_judge, options.aligned, model_options=settings.models if settings else None
    )
    return BatchJudge(
        definition=aligned.base, judge=_of_version(aligned, options.memory_version), settings=settings
    )


def _of_version(aligned: AlignedJudge, version: int | None) -> JudgeTrace:
    if version not in (None, aligned.version, 0):
        raise UnknownVersionError(
            f"The file holds version {aligned.version} of the judge, and version 0, which has learned nothing; "
            f"name one of these, not {version}."
        )
    judge = aligned.base if version == 0 else aligned
    return lambda trace: judge.acall(trace=trace)


def check_options(options: Namespace) -> None:
    """Refuse options that do not go together. Raises `InputError`."""
    if options.resume and not options.out:
        raise InputError("--resume goes on with a file of verdicts; name it with --out.")
