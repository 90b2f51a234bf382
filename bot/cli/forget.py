"""`memalign forget`: through the running bot, or on the store when none runs."""

from argparse import Namespace

from slack_sdk.web.async_client import AsyncWebClient

from bot.config import Secrets, Settings, load_environment, load_settings
from bot.forgetting.person import Withdrawal
from bot.forgetting.resume import finish_forgetting
from bot.forgetting.service import Forgetting, forget_all
from bot.judging.memories import open_memories
from bot.plain_text import pluralise
from bot.posting.redaction import MessageRedactor
from bot.web.local_control import ask_to_forget, person_summary, summary
from memalign.errors import UnknownTraceError
from memalign.records import Json
from storage.database import Database


async def forget(options: Namespace) -> None:
    """Forget the traces and the person, and say what went."""
    load_environment(options.config.parent)
    settings = load_settings(options.config, channels=False)
    if not settings.data.exists():
        raise UnknownTraceError(f"There is no data in {settings.data} yet, so there is nothing to forget.")
    if Database.is_in_use(settings.data):
        gone = await ask_to_forget(settings.data, options.traces, options.person)
    else:
        gone = await _on_the_store(settings, options.traces, options.person)
    for one in gone:
        print(_person_in_words(one) if "person" in one else _in_words(one))


async def _on_the_store(
    settings: Settings, references: list[str], person: str | None
) -> list[dict[str, Json]]:
    secrets = Secrets.from_environment()
    client = AsyncWebClient(token=secrets.bot_token, base_url=secrets.api_url, timeout=10)
    database = await Database.open(settings.data)
    try:
        memories = await open_memories(settings, database)
        redactor = MessageRedactor(client, database)
        forgetting = Forgetting(settings, database, memories, client, redactor, lambda _: None)
        withdrawal = Withdrawal(database, memories, redactor, lambda _: None)
        await finish_forgetting(database, forgetting, withdrawal)
        gone = [summary(farewell) for farewell in await forget_all(forgetting, references, who=None)]
        if person:
            gone.append(person_summary(await withdrawal.forget(person, who=None)))
        return gone
    finally:
        await database.close()


def _person_in_words(gone: dict[str, Json]) -> str:
    words = f"{gone['person']}: forgotten; votes and words on {pluralise(gone['verdicts'], 'verdict')} "
    words += f"and {pluralise(gone['retired'], 'guideline')} went with them"
    if gone["cases"]:
        words += f"; what others said on the same {gone['cases']} traces is learned again by the running bot"
    return words + "."


def _in_words(gone: dict[str, Json]) -> str:
    words = f"{gone['trace_id']}: forgotten; {pluralise(gone['cases'], 'remembered case')} "
    words += f"and {pluralise(gone['retired'], 'guideline')} went with it"
    if gone["waiting"]:
        words += f", {gone['waiting']} out of use until learned again from what remains"
    if gone["distilled"]:
        words += "; learned again from what remains: " + " ".join(f"“{text}”" for text in gone["distilled"])
    return words + "."
