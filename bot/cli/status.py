"""`memalign status` and `memalign forgotten`: what waits and why, and what was forgotten, by whom and when."""

from argparse import Namespace
from collections.abc import Mapping, Sequence

from bot.cli.people import names_of
from bot.cli.reading import open_store
from bot.cli.terminal import print_text
from bot.config import Secrets, Settings
from bot.plain_text import TERMINAL_NAME, pluralise
from bot.reports.rule_authors import one_teacher
from bot.runtime.clock import from_ms, now_ms
from bot.visible_text import isolated, visible_line
from bot.web.local_control import ask_for_status
from storage.database import Database
from storage.records import AuditLine

FORGET_ACTIONS = ("forgotten", "person_forgotten")


async def status(options: Namespace) -> None:
    """`memalign status`: as the running bot says, or as the store tells when none runs."""
    async with open_store(options) as (settings, database):
        if Database.is_in_use(settings.data):
            answer = await ask_for_status(settings.data, Secrets.from_environment().ingest_token)
            print_text(f"The bot is running; it is {answer['status']}.")
            waiting, reasons = answer.get("waiting"), [str(each) for each in answer.get("why", ())]
        else:
            print_text(f"No bot is running on {settings.data}.")
            waiting, reasons = None, [*await _reasons(database), *await _one_teacher(settings, database)]
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
        lines = [
            line for line in await database.audit.between(0, now_ms() + 1) if line.what in FORGET_ACTIONS
        ]
        names = await names_of(_people_in(lines))
        told = [
            f"{from_ms(line.at_ms, settings.digest.zone):%Y-%m-%d %H:%M}  {_subject(line, names)}, "
            f"by {names[line.person] if line.person else TERMINAL_NAME}"
            for line in lines
        ]
    # a trace that several judges knew has a line for each in the audit log
    print_text("\n".join(dict.fromkeys(told)) or "Nothing was forgotten yet.")


def _people_in(lines: Sequence[AuditLine]) -> list[str]:
    by = [line.person for line in lines if line.person]
    return by + [person for line in lines if line.what == "person_forgotten" for person in line.ids]


def _subject(line: AuditLine, names: Mapping[str, str]) -> str:
    if line.what == "person_forgotten":
        return f"all that {', '.join(names[person] for person in line.ids)} said and voted"
    return f"trace {', '.join(map(isolated, line.ids))}"
