"""Roll-backs asked for at the terminal, told in words that go through the bot's HTTP port."""

from typing import ClassVar

from bot.learning.rollback_service import RollbackService
from bot.memory_words import case_words, guideline_lines, line_words
from bot.plain_text import TERMINAL
from bot.web.control_arguments import ControlArguments
from memalign.records import Json


class RollbackArguments(ControlArguments):
    """The body of `POST /memory`."""

    form: ClassVar[str] = 'Send {"judge": name, "version": number or null, "dry_run": true or false} as JSON.'
    judge: str
    version: int | None = None
    """The version to go back to; None undoes the last change."""
    dry_run: bool = False


async def roll_back(service: RollbackService, arguments: RollbackArguments) -> dict[str, Json]:
    """Go back to a version, or only show what that would change.

    Returns:
        The `version`, and `lines` on what changes.

    Raises:
        SettingsError: there is no such judge.
        UnknownVersionError: there is no such version.
        InputError: there is nothing to change.
        StorageError: the store failed.
    """
    number = arguments.version
    if number is None:
        number = await service.version_before_last(arguments.judge)
    difference = (
        await service.preview(arguments.judge, number)
        if arguments.dry_run
        else await service.roll_back(arguments.judge, number, TERMINAL, by=None)
    )
    lines = [line_words(line) for line in guideline_lines(difference)]
    return {"version": number, "lines": [*lines, *filter(None, [case_words(difference)])]}
