"""`memalign forget`: through the running bot, or on the store when none runs."""

import sys
from argparse import Namespace
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from bot.cli.people import names_of
from bot.cli.terminal import print_text
from bot.config import Secrets, Settings, load_environment, load_settings
from bot.forgetting.resume import resume_forgetting
from bot.forgetting.service import ForgetService
from bot.judging.memories import open_memories, open_unnamed_memories
from bot.plain_text import DATABASE_COPIES, pluralise
from bot.posting.message_edits import MessageEdits
from bot.posting.redaction import MessageRedactor
from bot.runtime.health import HealthRegistry
from bot.slack.client import SlackClient
from bot.slack.identity import IdentityLookup
from bot.slack.users import People
from bot.visible_text import isolated, visible_line
from bot.web.local_control import (
    ask_for_preview,
    ask_to_forget,
    forget_all,
    preview_all,
    preview_summary,
    summary,
)
from memalign.errors import UnknownTraceError
from memalign.records import Json
from storage.database import Database

MAX_RULES_SHOWN = 5
"""Guidelines that a preview quotes; it counts the others."""


async def forget(options: Namespace) -> None:
    """Forget the traces and the person, and say what went."""
    load_environment(options.config.parent)
    settings = load_settings(options.config, channels=False)
    if Database.state(settings.data) == "absent":
        raise UnknownTraceError(f"There is no data in {settings.data} yet, so there is nothing to forget.")
    if options.dry_run or (sys.stdin.isatty() and not options.yes):
        await _show_preview(settings, options.traces, options.person)
        if options.dry_run or not _is_confirmed():
            print_text("Nothing was forgotten.")
            return
    if Database.is_in_use(settings.data):
        summaries = await ask_to_forget(settings.data, options.traces, options.person)
    else:
        summaries = await _on_the_store(settings, options.traces, options.person)
    names = await names_of(forgotten["person"] for forgotten in summaries if "person" in forgotten)
    for forgotten in summaries:
        print_text(in_words(forgotten, names))
    _tell_of_copies(settings)


def _is_confirmed() -> bool:
    try:
        return input("Forget this? It can't be undone. [y/N] ").strip().casefold() in {"y", "yes"}
    except EOFError:
        return False


async def _show_preview(settings: Settings, references: list[str], person: str | None) -> None:
    if Database.is_in_use(settings.data):
        previews = await ask_for_preview(settings.data, references, person)
    else:
        async with _store_service(settings) as (_, service):
            previews = [preview_summary(each) for each in await preview_all(service, references, person)]
    names = await names_of(person for preview in previews for person in preview["people"])
    for preview in previews:
        print_text("\n".join(preview_lines(preview, names)))
    _tell_of_copies(settings)


def _tell_of_copies(settings: Settings) -> None:
    if not isinstance(settings.data, Path):
        print_text(DATABASE_COPIES)


async def _on_the_store(
    settings: Settings, references: list[str], person: str | None
) -> list[dict[str, Json]]:
    async with _store_service(settings) as (database, service):
        await resume_forgetting(database, service)
        return [summary(result) for result in await forget_all(service, references, person)]


@asynccontextmanager
async def _store_service(settings: Settings) -> AsyncIterator[tuple[Database, ForgetService]]:
    """Open the store on which no bot runs, and yield it with what forgets on it."""
    secrets = Secrets.from_environment()
    client = SlackClient(token=secrets.bot_token, base_url=secrets.api_url, timeout=10)
    database = await Database.open(settings.data)
    people = People(client, IdentityLookup(client))
    redactor = MessageRedactor(
        client, database, HealthRegistry(), people, settings.digest.zone, MessageEdits()
    )
    try:
        service = ForgetService(
            database,
            {
                **await open_unnamed_memories(settings, database),
                **await open_memories(settings, database),
            },
            redact_now=redactor.redact_now,
            # no bot runs, so nothing is being learned
            cancel_trace=lambda _: None,
            invalidate=lambda _: None,
        )
        yield database, service
    finally:
        await database.close()


def preview_lines(preview: dict[str, Json], names: Mapping[str, str]) -> list[str]:
    """Return what would go; the argument is a `bot.web.local_control.preview_summary`."""
    people = ", ".join(names[person] for person in preview["people"])
    if "person" in preview:
        head = f"Everything {people} said and voted on would go:"
        said = f"- votes and reasons on {pluralise(preview['verdicts'], 'card')}"
    else:
        head = f"Of trace {isolated(preview['trace_id'])} would go:"
        said = f"- its text and {pluralise(preview['verdicts'], 'verdict')}"
        said += f", and what {people} said of it" if people else ""
    cases = [f"- {pluralise(preview['cases'], 'remembered case')}"] if preview["cases"] else []
    retired = [f"- the guideline “{visible_line(text)}”" for text in preview["retired"]]
    waiting = [
        f"- the guideline “{visible_line(text)}” also rests on other feedback; it is relearned from that"
        for text in preview["waiting"]
    ]
    rules = [*retired, *waiting]
    more = [f"- and {len(rules) - MAX_RULES_SHOWN} more guidelines"] if len(rules) > MAX_RULES_SHOWN else []
    return [head, said, *cases, *rules[:MAX_RULES_SHOWN], *more]


def in_words(forgotten: dict[str, Json], names: Mapping[str, str]) -> str:
    """Return the sentences on what was forgotten; the first argument is a `bot.web.local_control.summary`."""
    guidelines = pluralise(forgotten["retired"], "guideline")
    if "person" in forgotten:
        cards = pluralise(forgotten["verdicts"], "card")
        sentences = [
            f"{names[forgotten['person']]}: forgotten; votes and reasons on {cards} and {guidelines} went with them."
        ]
        if forgotten["cases"]:
            sentences.append("What others said on the same traces is relearned by the running bot.")
        return " ".join(sentences)
    cases = pluralise(forgotten["cases"], "remembered case")
    sentences = [f"{forgotten['trace_id']}: forgotten; {cases} and {guidelines} went with it."]
    if waiting := forgotten["waiting"]:
        sentences.append(f"{_are(waiting)} out of use until relearned from what remains.")
    if forgotten["distilled"]:
        texts = " ".join(f"“{text}”" for text in forgotten["distilled"])
        sentences.append(f"Relearned from what remains: {texts}")
    return " ".join(sentences)


def _are(guidelines: int) -> str:
    return f"{pluralise(guidelines, 'guideline')} {'is' if guidelines == 1 else 'are'}"
