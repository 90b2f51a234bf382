"""`memalign rename-judge`: all that a judge has learned goes on under another name, while no bot runs."""

import asyncio
from argparse import Namespace
from functools import partial

from bot.cli.progress import wait_showing_size
from bot.cli.terminal import print_text
from bot.config import Settings, load_environment, load_settings
from bot.judging.value_problems import stored_labels, unfit_labels
from bot.plain_text import pluralise
from bot.runtime.clock import now_ms
from memalign.errors import InputError, SettingsError, StorageError
from memalign.value_types import label_text
from storage.database import Database
from storage.judge_renaming import StoredJudge


async def rename_judge(options: Namespace) -> None:
    """`memalign rename-judge OLD NEW`."""
    load_environment(options.config.parent)
    settings = load_settings(options.config, channels=False)
    old, new = options.old, options.new
    if old == new:
        raise InputError(f'The judge is called "{old}" already, so nothing was renamed.')
    if Database.state(settings.data) in ("absent", "empty"):
        raise StorageError(f"There is no data in {settings.data} yet, so there is no judge to rename.")
    if Database.is_in_use(settings.data):
        raise StorageError(f"The bot is running on {settings.data}: stop it, and run the same command again.")
    async with await Database.open(settings.data) as database:
        await _refuse_unfit(settings, database, old, new)
        renaming = asyncio.ensure_future(database.judges.rename(old, new, now_ms()))
        judge = await wait_showing_size(renaming, partial(Database.size, settings.data))
    print_text(f"Renamed {old} to {new}; it keeps {kept_by(judge)}.")
    for note in notes(settings, old, new):
        print_text(note)


async def _refuse_unfit(settings: Settings, database: Database, old: str, new: str) -> None:
    """Raise `SettingsError` where a judge of the settings has not the values that were learned under the old name."""
    judge = settings.find_judge(new)
    unfit = unfit_labels(judge, await stored_labels(database, old)) if judge else []
    if unfit:
        raise SettingsError(
            f"The judge {old} has cases with {label_text(unfit[0].value)}, which {new} does not take: "
            f"give {new} the feedback_value_type of {old} first."
        )


def kept_by(judge: StoredJudge) -> str:
    """Return the words on all that a judge keeps."""
    guidelines, cases = pluralise(judge.guidelines, "guideline"), pluralise(judge.cases, "case")
    return f"{guidelines}, {cases} and {pluralise(judge.verdicts, 'verdict')}"


def notes(settings: Settings, old: str, new: str) -> list[str]:
    """Return what is left to do in the settings."""
    if new in settings.titles:
        return []
    where = f'change name = "{old}" there' if old in settings.titles else "name it there"
    return [f"{new} is not in the settings yet: {where} before you start the bot."]
