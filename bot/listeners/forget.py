"""Forgetting from Slack: the message shortcut, and the buttons of the preview."""

from collections.abc import Awaitable

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.context.respond.async_respond import AsyncRespond

from bot.blocks.card import FORGET_SHORTCUT
from bot.blocks.commands import FORGET, KEEP, forget_preview, forgotten, not_allowed, nothing_forgotten
from bot.blocks.primitives import Message
from bot.blocks.thread import not_a_card
from bot.listeners.context import ListenerContext
from bot.listeners.error_messages import answered
from bot.listeners.responses import replace_original, tell
from memalign.errors import UnknownTraceError
from memalign.records import Json

Body = dict[str, Json]


def listen(app: AsyncApp, context: ListenerContext) -> None:
    """Acknowledge once the intent is on disk; forgetting itself may take longer than an ack may wait."""

    @app.shortcut(FORGET_SHORTCUT)
    async def chosen(ack: AsyncAck, body: Body, respond: AsyncRespond) -> None:
        await ack()
        context.run_after_ack(_show(context, body, respond))

    @app.action(FORGET)
    async def confirmed(ack: AsyncAck, body: Body, respond: AsyncRespond) -> None:
        trace_id = str(body["actions"][0]["value"])
        work = await begin(context, body["user"]["id"], body["channel"]["id"], trace_id)
        await ack()
        context.run_after_ack(_replace(respond, work))

    @app.action(KEEP)
    async def kept(ack: AsyncAck, respond: AsyncRespond) -> None:
        await ack()
        context.run_after_ack(replace_original(respond, nothing_forgotten()))


async def preview(context: ListenerContext, user: str, channel: str, reference: str) -> list[Message]:
    """What would go, with the buttons that decide; or why this person may not. Raises `UnknownTraceError`."""
    trace_id = await context.forgetting.trace_of(reference)
    if not await context.forgetting.may(user, channel, trace_id):
        return [not_allowed(context.settings.access.forget)]
    farewell = await context.forgetting.preview(trace_id)
    names = [await context.people.name(person) for person in farewell.people]
    return [forget_preview(trace_id, farewell.judges, names)]


async def begin(
    context: ListenerContext, user: str, channel: str, reference: str
) -> Awaitable[list[Message]]:
    """Note the intent on disk, if this person may; then the rest of the work. Raises `StorageError`."""
    try:
        trace_id = await context.forgetting.trace_of(reference)
    except UnknownTraceError:
        return preview(context, user, channel, reference)
    if not await context.forgetting.may(user, channel, trace_id):
        return preview(context, user, channel, reference)
    await context.forgetting.intend(trace_id, user)
    return _forget(context, trace_id, user)


async def _forget(context: ListenerContext, trace_id: str, who: str) -> list[Message]:
    gone = await context.forgetting.forget(trace_id, who)
    return [forgotten(trace_id, gone.judges)]


async def _show(context: ListenerContext, body: Body, respond: AsyncRespond) -> None:
    channel, message = body["channel"]["id"], body["message"]
    ts = message.get("thread_ts") or message["ts"]
    stored = await context.database.verdicts.by_card(channel, ts)
    if stored is None:
        await tell(respond, [not_a_card()])
        return
    work = preview(context, body["user"]["id"], channel, stored.verdict.trace_id)
    await tell(respond, await answered(work, "the forget shortcut"))


async def _replace(respond: AsyncRespond, work: Awaitable[list[Message]]) -> None:
    for message in await answered(work, "forgetting"):
        await replace_original(respond, message)
