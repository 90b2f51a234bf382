"""Comparing the store and the workspace with what the world outside was told."""

from collections import Counter
from decimal import Decimal

from bot.feedback import all_feedback, labelled_trace, vote_of_reaction
from bot.listeners.rationales import reply_of
from bot.sandbox import Delivery, Message
from memalign.records import Json, Label
from memalign.value_types import ValueType
from memalign.votes import tally
from storage.database import Database
from storage.records import PersonFeedback, StoredVerdict
from tests.crash.ledger import Ledger, payload_of
from tests.crash.world import JUDGES, World, secret
from tests.secrets import search
from tests.storage.records import FOREVER_MS

NOTHING = PersonFeedback()
YES_OR_NO = ValueType(kind="bool")


async def lost_now(world: World) -> list[str]:
    """What was acknowledged and is not on disk, just after a kill, before anything can put it right."""
    ledger = world.ledger
    ledger.collect(world.slack)
    async with await Database.open(world.folder / "store", read_only=True) as db:
        gone = [trace_id for trace_id in ledger.accepted if not await is_kept(db, trace_id)]
        lost = [f"trace {trace_id}" for trace_id in gone]
        intents = {one.target for one in await db.forgetting.requests()}
        for trace_id in ledger.forgotten - intents:
            lost += [] if await db.traces.is_forgotten(trace_id) else [f"forgetting of {trace_id}"]
        for channel, ts in ledger.pressed:
            stored = await db.verdicts.by_card(channel, ts)
            if stored and not (facts := await facts_of(db, stored, world.presser)).button:
                lost.append(f"button on {ts}: {facts}")
        later = []
        for delivery in ledger.unchecked:
            # what eve said may be forgotten by now
            found = world.leaver in str(delivery.payload["event"]) or await is_on_disk(db, delivery)
            if found is None:
                later.append(delivery)
            elif not found:
                lost.append(f"event {delivery.payload['event']}")
        ledger.unchecked = later
    return lost


async def is_kept(db: Database, trace_id: str) -> bool:
    return await db.traces.get(trace_id) is not None or await db.traces.is_forgotten(trace_id)


async def facts_of(db: Database, stored: StoredVerdict, person: str) -> PersonFeedback:
    return (await db.feedback.of(stored.verdict_id)).get(person, NOTHING)


async def is_on_disk(db: Database, delivery: Delivery) -> bool | None:
    """Whether an event's fact, or a newer one, is stored; None while its card is not known to the store."""
    event: dict[str, Json] = delivery.payload["event"]
    if event["type"] == "message":
        reply = reply_of(event)
        if reply is None:
            return True
        stored = await db.verdicts.by_card(reply.channel, reply.card_ts)
        if stored is None:
            return None
        held = (await facts_of(db, stored, reply.event.person)).replies.get(reply.event.name)
        return held is not None and (held.text is None or Decimal(held.at) >= Decimal(reply.event.at))
    if not event["type"].startswith("reaction_") or vote_of_reaction(event["reaction"]) is None:
        return True
    stored = await db.verdicts.by_card(event["item"]["channel"], event["item"]["ts"])
    if stored is None:
        return None
    mark = (await facts_of(db, stored, event["user"])).reactions.get(event["reaction"])
    return mark is not None and Decimal(mark.at) >= Decimal(event["event_ts"])


async def unfinished(world: World) -> list[str]:
    """What is still to do, or to be caught up with."""
    left: list[str] = []
    async with await Database.open(world.folder / "store", read_only=True) as db:
        waiting = {
            "traces": await db.traces.waiting(),
            "feedback": await db.feedback.waiting(),
            "posts": await db.outbox.waiting(),
            "requests to forget": len(await db.forgetting.requests()),
            "redactions": len(await db.forgetting.redactions_due(FOREVER_MS)),
        }
        left += [f"{count} {what} wait" for what, count in waiting.items() if count]
        shown = {(payload_of(card)["trace_id"], payload_of(card)["judge"]) for card in world.cards()}
        for trace_id in sorted(world.ledger.accepted):
            if not await db.traces.is_forgotten(trace_id):
                left += [
                    f"no card of {trace_id} by {judge}" for judge in JUDGES if (trace_id, judge) not in shown
                ]
        for card in world.cards():
            left += await differences(db, world, card)
    return left + [f"no digest in {name}" for name in world.channels if not world.digests(name)]


async def differences(db: Database, world: World, card: Message) -> list[str]:
    """Where the store's facts about a card are others than what the workspace shows."""
    stored = await db.verdicts.by_card(card.channel, card.ts)
    if stored is None:
        return [f"card {card.ts} of {payload_of(card)['trace_id']} is unknown"]
    known = {
        who: facts for who, facts in (await db.feedback.of(stored.verdict_id)).items() if who != world.leaver
    }
    reactions = {(user, one.name) for one in card.reactions for user in one.users if user != world.leaver}
    thread = world.workspace.thread(card.channel, card.ts)[1:]
    replies = {
        (one.user, one.ts, one.text) for one in thread if one.user in world.people and not one.tombstone
    }
    held = {
        (who, name) for who, facts in known.items() for name, mark in facts.reactions.items() if mark.value
    }
    said = {
        (who, ts, reply.text)
        for who, facts in known.items()
        for ts, reply in facts.replies.items()
        if reply.text
    }
    found = []
    if reactions != held:
        found.append(f"reactions on {card.ts}: {sorted(reactions ^ held)}")
    if replies != said:
        found.append(f"replies on {card.ts}: {sorted(replies ^ said)}")
    return found


async def remembered_wrongly(world: World) -> list[str]:
    """Forgotten traces in memories, and votes that are not remembered as they stand."""
    wrong: list[str] = []
    async with await Database.open(world.folder / "store", read_only=True) as db:
        gone = {trace_id for trace_id in world.sent if await db.traces.is_forgotten(trace_id)}
        for judge in JUDGES:
            memory = await db.memories.load(judge)
            wrong += [f"{judge} remembers {trace_id}" for trace_id in gone & memory.episodes.keys()]
            rests = {trace_id for rule in memory.guidelines for trace_id in rule.source_trace_ids}
            wrong += [f"{judge} rests on {trace_id}" for trace_id in gone & rests]
            remembered = {name: one.label for name, one in memory.episodes.items() if name not in gone}
            voted = await labels(db, world, judge)
            wrong += [
                f"{judge} remembers {trace_id} as {remembered.get(trace_id)}, voted {voted.get(trace_id)}"
                for trace_id in sorted(remembered.keys() | voted.keys())
                if remembered.get(trace_id) != voted.get(trace_id)
            ]
    return wrong


async def labels(db: Database, world: World, judge: str) -> dict[str, Label]:
    """What the votes that stand in the store make of each trace that somebody voted on."""
    found: dict[str, Label] = {}
    for trace_id in world.sent:
        trace, cards = await db.traces.get(trace_id), await db.verdicts.of_trace(trace_id)
        for stored in cards:
            if trace is None or stored.verdict.judge != judge:
                continue
            said = all_feedback(stored, await db.feedback.of(stored.verdict_id), YES_OR_NO)
            if counted := tally(labelled_trace(trace, judge, said).assessments, judge, YES_OR_NO):
                found[trace_id] = counted.label
    return found


def still_shown(world: World) -> list[str]:
    """Words of the forgotten in messages of the bot."""
    words = [*(secret(trace_id) for trace_id in sorted(world.ledger.forgotten)), *sorted(world.ledger.unsaid)]
    said = [
        (message.ts, f"{message.text} {message.blocks}")
        for channel in world.channels.values()
        for message in world.workspace.messages(channel)
        if message.user == world.workspace.bot.id
    ]
    return [f"{word} is shown at {ts}" for ts, text in said for word in words if word in text]


def doubled(world: World) -> list[str]:
    """Messages that the bot posted twice."""
    ids = Counter(
        str(payload_of(message)["post_id"])
        for channel in world.channels.values()
        for message in world.workspace.messages(channel)
        if "post_id" in payload_of(message)
    )
    return [f"{post_id} ({count} times)" for post_id, count in ids.items() if count > 1]


def bytes_searched(world: World, ledger: Ledger) -> tuple[int, list[str]]:
    """Look for every forgotten trace's words in every file; how many bytes that were."""
    words = [*(secret(trace_id) for trace_id in sorted(ledger.forgotten)), *sorted(ledger.unsaid)]
    searched = search(world.folder, words)
    return searched.size, [f"{needle!r} in {name}" for name, needle in searched.found]
