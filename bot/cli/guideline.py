"""`memalign guideline`: through the running bot, or on the store when none runs."""

from argparse import Namespace

from bot.cli.terminal import print_text
from bot.config import Settings, load_environment, load_settings
from bot.judging.memories import open_memories
from bot.visible_text import visible_line
from bot.web.local_control import TERMINAL, ask_to_approve, guideline_summary
from memalign.errors import UnknownGuidelineError
from memalign.records import Json
from storage.database import Database


async def approve(options: Namespace) -> None:
    """`memalign guideline approve JUDGE ID`."""
    load_environment(options.config.parent)
    settings = load_settings(options.config, channels=False)
    judge = settings.judge(options.judge).name
    if Database.state(settings.data) == "absent":
        raise UnknownGuidelineError(f"There is no data in {settings.data} yet, so there is no guideline.")
    if Database.is_in_use(settings.data):
        approved = await ask_to_approve(settings.data, judge, options.id)
    else:
        approved = await _on_the_store(settings, judge, options.id)
    print_text(f"Approved: {visible_line(approved['text'])} {approved['note']}".rstrip())


async def _on_the_store(settings: Settings, judge: str, guideline_id: str) -> dict[str, Json]:
    database = await Database.open(settings.data)
    try:
        memories = await open_memories(settings, database)
        return guideline_summary(await memories[judge].editor.approve(guideline_id, TERMINAL))
    finally:
        await database.close()
