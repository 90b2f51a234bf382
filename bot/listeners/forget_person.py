"""Taking one person's words back from Slack: asked for by mention or id, shown first, then done."""

import re
from collections.abc import Awaitable

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.context.respond.async_respond import AsyncRespond

from bot.blocks.commands import KEEP
from bot.blocks.forget import (
    FORGET_PERSON,
    not_allowed_person,
    nothing_of_person,
    person_forgotten,
    person_preview,
    which_person,
)
from bot.blocks.primitives import Message
from bot.listeners.context import ListenerContext
from bot.listeners.error_messages import answered
from bot.listeners.responses import replace_original
from memalign.records import Json

MENTION = re.compile(r"<?@?(?P<user>[UW][A-Z0-9]{2,})(?:\|[^>]*)?>?")


def listen(app: AsyncApp, context: ListenerContext) -> None:
    """Acknowledge once the intent is on disk; the rest is done by a task of the app."""

    @app.action(FORGET_PERSON)
    async def confirmed(ack: AsyncAck, body: dict[str, Json], respond: AsyncRespond) -> None:
        person = str(body["actions"][0]["value"])
        work = await begin_person(context, body["user"]["id"], body["channel"]["id"], person)
        await ack()
        context.run_after_ack(_replace(respond, work))


async def _replace(respond: AsyncRespond, work: Awaitable[list[Message]]) -> None:
    for message in await answered(work, "forgetting a person"):
        await replace_original(respond, message)


def person_of(word: str, asking: str) -> str | None:
    """The user id that is meant: by a mention, by itself, or by `me`; None when the word names nobody."""
    if word.casefold() in {"me", "@me"}:
        return asking
    match = MENTION.fullmatch(word.strip())
    return match["user"] if match else None


async def preview_person(context: ListenerContext, user: str, channel: str, word: str) -> list[Message]:
    """What would go, with the buttons that decide; or why not."""
    person = person_of(word, user)
    if person is None:
        return [which_person()]
    if not await _may(context, user, channel, person):
        return [not_allowed_person(context.settings.access.forget)]
    name = await context.people.name(person)
    going = await context.withdrawal.preview(person)
    if going.is_empty:
        return [nothing_of_person(name)]
    return [person_preview(person, name, going.verdicts, going.judges, KEEP)]


async def begin_person(
    context: ListenerContext, user: str, channel: str, word: str
) -> Awaitable[list[Message]]:
    """Note the intent on disk, if this person may; then the rest of the work. Raises `StorageError`."""
    person = person_of(word, user)
    if person is not None and await _may(context, user, channel, person):
        await context.withdrawal.intend(person, user)
        return _forget(context, person, user)
    return preview_person(context, user, channel, word)


async def _forget(context: ListenerContext, person: str, who: str) -> list[Message]:
    name = await context.people.name(person)
    gone = await context.withdrawal.forget(person, who)
    if gone.is_empty:
        return [nothing_of_person(name)]
    return [person_forgotten(name, gone.verdicts, gone.judges)]


async def _may(context: ListenerContext, user: str, channel: str, person: str) -> bool:
    """Everybody may take back what is their own; what another said, whoever may forget it everywhere."""
    if user == person:
        return True
    if context.settings.access.forget:
        return user in context.settings.access.forget
    places = await context.withdrawal.channels_of(person) or {
        judge.channel for judge in context.settings.judges
    }
    return all(
        [place == channel or await context.forgetting.is_member(user, place) for place in sorted(places)]
    )
