"""`memalign status` and `memalign forgotten`: what waits and why, and what was forgotten, by whom and when."""

from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path

from bot.cli.people import names_of
from bot.cli.reading import open_store
from bot.cli.terminal import print_text
from bot.config import Secrets, Settings
from bot.connectors.removed import removed_connectors
from bot.judging.settings_changes import renaming_offers
from bot.outbound.waiting_events import waiting_events
from bot.plain_text import TERMINAL_NAME, pluralise
from bot.records import PastForgetting
from bot.reports.past_forgettings import forgetting_lines, past_forgettings, people_in
from bot.reports.rule_authors import one_teacher
from bot.reports.sampling_remarks import sampling_remarks
from bot.runtime.clock import now_ms
from bot.visible_text import isolated, visible_line
from bot.web.local_control import ask_for_status
from storage.database import Database


async def status(options: Namespace) -> None:
    """`memalign status`: as the running bot says, or as the store tells when none runs."""
    async with open_store(options) as (settings, database):
        if Database.is_in_use(settings.data):
            answer = await ask_for_status(settings.data, Secrets.from_environment().ingest_token)
            print_text(f"The bot is running; it is {answer['status']}.")
            waiting, reasons = answer.get("waiting"), [str(each) for each in answer.get("why", ())]
            reasons += [str(each) for each in answer.get("remarks", ())]
        else:
            print_text(f"No bot is running on {settings.data}.")
            waiting, reasons = None, [*await _reasons(database), *await _one_teacher(settings, database)]
            reasons += [offer.sentence for offer in await renaming_offers(settings, database)]
            left = await removed_connectors(settings, database)
            reasons += [f"{name}: {sentence}" for name, sentence in left]
            reasons += await waiting_events(settings, database)
            reasons += await sampling_remarks(settings, database, settings.titles, now_ms())
        if not isinstance(settings.data, Path):
            print_text(f"The store is in PostgreSQL, at {settings.data}.")
        print_text(waiting_words(waiting or await _waiting(database)))
        for reason in reasons:
            print_text(f"- {visible_line(reason)}")


async def _waiting(database: Database) -> dict[str, int]:
    return {
        "traces": await database.traces.waiting(),
        "feedback": await database.feedback.waiting(),
        "posts": await database.outbox.waiting(),
    }


async def _reasons(database: Database) -> list[str]:
    """Return why the oldest work of each kind waits, as far as it was noted when it was last tried."""
    jobs = [f"{job.judge}: {job.reason}" for job in await database.traces.oldest_jobs() if job.reason]
    windows = await database.candidates.oldest_ended(now_ms())
    jobs += [f"{window.judge}: {window.reason}" for window in windows if window.reason]
    posts = [f"{post.channel}: {post.reason}" for post in await database.outbox.oldest() if post.reason]
    refused = [
        f"{judge}: {pluralise(each.number, 'trace')} refused by the model ({each.reason.rstrip('.')})"
        for judge, each in (await database.traces.refused()).items()
    ]
    return [*jobs, *posts, *refused]


async def _one_teacher(settings: Settings, database: Database) -> list[str]:
    sentences = [
        one_teacher(judge.name, (await database.memories.load(judge.name)).guidelines)
        for judge in settings.judges
    ]
    return [sentence for sentence in sentences if sentence]


def waiting_words(waiting: Mapping[str, int]) -> str:
    """Return the sentence on how much waits; `waiting` has the numbers of `traces`, `feedback` and `posts`."""
    parts = [
        waiting["traces"] and f"{pluralise(waiting['traces'], 'trace')} to judge",
        waiting["feedback"] and f"feedback on {pluralise(waiting['feedback'], 'verdict')} to learn from",
        waiting["posts"] and f"{pluralise(waiting['posts'], 'message')} to post",
    ]
    return (
        f"Waiting: {', '.join(str(part) for part in parts if part)}." if any(parts) else "Nothing is waiting."
    )


async def forgotten(options: Namespace) -> None:
    """`memalign forgotten`: a line for each trace and person that was forgotten, oldest first."""
    async with open_store(options) as (settings, database):
        lines = forgetting_lines(await database.audit.between(0, now_ms() + 1))
        names = await names_of(people_in(lines))
    entries = past_forgettings(lines, names, settings.digest.zone)
    print_text("\n".join(map(_past, entries)) or "Nothing was forgotten yet.")


def _past(entry: PastForgetting) -> str:
    subject = (
        f"everything {', '.join(entry.people)} said and voted on"
        if entry.people
        else f"trace {', '.join(map(isolated, entry.trace_ids))}"
    )
    return f"{entry.at:%Y-%m-%d %H:%M}  {subject}, by {entry.by or TERMINAL_NAME}"
