"""`memalign guideline`: through the running bot, or on the store when none runs."""

from argparse import Namespace
from collections.abc import Mapping

from bot.cli.terminal import print_text
from bot.config import Settings, load_environment, load_settings
from bot.judging.memories import open_memories
from bot.learning.guideline_service import GuidelineService
from bot.visible_text import visible_line
from bot.web.guideline_control import GuidelineAction, GuidelineArguments, decide
from bot.web.local_control import ask_to_decide
from memalign.errors import UnknownGuidelineError
from memalign.records import Json
from storage.database import Database

DONE: Mapping[GuidelineAction, str] = {
    "add": "Added",
    "edit": "Edited",
    "retire": "Retired",
    "restore": "Restored",
    "pin": "Pinned",
    "unpin": "Unpinned",
    "approve": "Approved",
    "undo": "Undone",
}


async def carry_out(options: Namespace) -> None:
    """`memalign guideline add|edit|retire|restore|pin|unpin|approve|undo JUDGE [ID] [TEXT]`."""
    load_environment(options.config.parent)
    settings = load_settings(options.config, channels=False)
    arguments = GuidelineArguments(
        action=options.action,
        judge=settings.judge(options.judge).name,
        guideline_id=options.id,
        text=" ".join(options.text),
    )
    state = Database.state(settings.data)
    if state == "absent" and arguments.action != "add":
        raise UnknownGuidelineError(f"There is no data in {settings.data} yet, so there is no guideline.")
    if state != "absent" and Database.is_in_use(settings.data):
        rule = await ask_to_decide(settings.data, arguments)
    else:
        rule = await _on_the_store(settings, arguments)
    done = DONE[arguments.action]
    print_text(f"{done} {rule['id']}: {visible_line(rule['text'])} {rule['note']}".rstrip())


async def _on_the_store(settings: Settings, arguments: GuidelineArguments) -> dict[str, Json]:
    database = await Database.open(settings.data)
    try:
        # no bot runs, so there is no thread to wake: the next one to start edits those that are marked
        guidelines = GuidelineService(await open_memories(settings, database), wake_threads=lambda: None)
        return await decide(guidelines, arguments)
    finally:
        await database.close()
