"""`memalign forget`: through the running bot, or on the store when none runs."""

from argparse import Namespace

from bot.cli.terminal import print_text
from bot.config import Secrets, Settings, load_environment, load_settings
from bot.forgetting.resume import resume_forgetting
from bot.forgetting.service import ForgetService
from bot.judging.memories import open_memories
from bot.plain_text import pluralise
from bot.posting.redaction import MessageRedactor
from bot.runtime.health import HealthRegistry
from bot.slack.client import SlackClient
from bot.web.local_control import ask_to_forget, forget_all, summary
from memalign.errors import UnknownTraceError
from memalign.records import Json
from storage.database import Database


async def forget(options: Namespace) -> None:
    """Forget the traces and the person, and say what went."""
    load_environment(options.config.parent)
    settings = load_settings(options.config, channels=False)
    if Database.state(settings.data) == "absent":
        raise UnknownTraceError(f"There is no data in {settings.data} yet, so there is nothing to forget.")
    if Database.is_in_use(settings.data):
        summaries = await ask_to_forget(settings.data, options.traces, options.person)
    else:
        summaries = await _on_the_store(settings, options.traces, options.person)
    for forgotten in summaries:
        print_text(in_words(forgotten))


async def _on_the_store(
    settings: Settings, references: list[str], person: str | None
) -> list[dict[str, Json]]:
    secrets = Secrets.from_environment()
    client = SlackClient(token=secrets.bot_token, base_url=secrets.api_url, timeout=10)
    database = await Database.open(settings.data)
    try:
        service = ForgetService(
            database,
            await open_memories(settings, database),
            redact_now=MessageRedactor(client, database, HealthRegistry()).redact_now,
            # no bot runs, so nothing is being learned
            cancel_trace=lambda _: None,
            invalidate=lambda _: None,
        )
        await resume_forgetting(database, service)
        return [summary(result) for result in await forget_all(service, references, person)]
    finally:
        await database.close()


def in_words(forgotten: dict[str, Json]) -> str:
    """Return the sentence on what was forgotten; the argument is a `bot.web.local_control.summary`."""
    guidelines = pluralise(forgotten["retired"], "guideline")
    if "person" in forgotten:
        verdicts = pluralise(forgotten["verdicts"], "verdict")
        words = (
            f"{forgotten['person']}: forgotten; votes and words on {verdicts} and {guidelines} went with them"
        )
        if forgotten["cases"]:
            words += f"; what others said on the same {forgotten['cases']} traces is learned again by the running bot"
        return words + "."
    cases = pluralise(forgotten["cases"], "remembered case")
    words = f"{forgotten['trace_id']}: forgotten; {cases} and {guidelines} went with it"
    if forgotten["waiting"]:
        words += f", {forgotten['waiting']} out of use until learned again from what remains"
    if forgotten["distilled"]:
        texts = " ".join(f"“{text}”" for text in forgotten["distilled"])
        words += f"; learned again from what remains: {texts}"
    return words + "."
