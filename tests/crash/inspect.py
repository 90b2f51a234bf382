"""Comparing the store and the workspace with what the world outside was told."""

import json
from collections import Counter
from collections.abc import Iterable
from decimal import Decimal

from bot.feedback import all_feedback, labelled_trace
from bot.listeners.rationales import reply_of
from bot.runtime.clock import now_ms
from bot.sandbox import Delivery, Message
from bot.vote_marks import vote_of_reaction
from memalign.records import Json, Label
from memalign.value_types import ValueType
from memalign.votes import tally
from storage.database import Database
from storage.keys import digest
from storage.records import PersonFeedback, StoredVerdict
from tests.crash.ledger import payload_of
from tests.crash.world import JUDGES, World, asks_first, secret
from tests.secrets import search
from tests.storage.records import FOREVER_MS

NOTHING = PersonFeedback()
YES_OR_NO = ValueType(kind="bool")


async def lost_now(world: World) -> list[str]:
    """Acknowledged work that is not on disk just after a kill, before anything can put it right."""
    ledger = world.ledger
    ledger.collect(world.slack)
    async with await Database.open(world.location, read_only=True) as db:
        note_calls(world, {request.target for request in await db.forgetting.requests()} | ledger.forgotten)
        forgotten = [trace_id for trace_id in sorted(ledger.accepted) if not await is_kept(db, trace_id)]
        lost = [f"trace {trace_id}" for trace_id in forgotten]
        intents = {request.target for request in await db.forgetting.requests()}
        for trace_id in ledger.forgotten - intents:
            lost += [] if await db.traces.is_forgotten(trace_id) else [f"forgetting of {trace_id}"]
        for channel, ts in sorted(ledger.pressed):
            verdict = await db.verdicts.by_card(channel, ts)
            pressed = await feedback_of_person(db, verdict, world.presser) if verdict else None
            is_gone = verdict is None or await db.verdicts.get(verdict.verdict_id) is None
            if pressed and not (pressed.button or pressed.answer or is_gone):
                lost.append(f"button on {ts}: {pressed}")
        later = []
        for delivery in ledger.unchecked:
            # what eve said may be forgotten by now
            is_known = world.leaver in str(delivery.payload["event"]) or await is_on_disk(db, delivery)
            if is_known is None:
                later.append(delivery)
            # a replica that lives may have forgotten the card between two looks
            elif not is_known and await is_on_disk(db, delivery) is False:
                lost.append(f"event {delivery.payload['event']}")
        ledger.unchecked = later
    return lost


async def is_kept(db: Database, trace_id: str) -> bool:
    is_known = await db.traces.get(trace_id) is not None or await db.traces.is_forgotten(trace_id)
    return is_known or await is_counted(db, trace_id)


async def is_counted(db: Database, trace_id: str) -> bool:
    """True if a trace was in a window and got no card: a hash of it is left."""
    table = db.store.documents.table("unsampled_traces")
    return await db.store.read(lambda: digest(trace_id) in {body["digest"] for body in table})


def note_calls(world: World, targets: Iterable[str]) -> None:
    """Note how many calls models had had before a trace was to be forgotten, while no bot runs."""
    if world.models:
        for trace_id in targets:
            world.ledger.calls_when_gone.setdefault(trace_id, len(world.models.calls))


def asked_about_the_forgotten(world: World) -> list[str]:
    """Calls of models that hold words of traces which were forgotten before."""
    calls = [json.dumps(call.body) for call in world.models.calls] if world.models else []
    return [
        f"a model was asked about {trace_id} after it was to be forgotten"
        for trace_id, number in world.ledger.calls_when_gone.items()
        if any(secret(trace_id) in call for call in calls[number:])
    ]


async def feedback_of_person(db: Database, verdict: StoredVerdict, person: str) -> PersonFeedback:
    return (await db.feedback.of(verdict.verdict_id)).get(person, NOTHING)


async def is_on_disk(db: Database, delivery: Delivery) -> bool | None:
    """True if an event's change, or a newer one, is stored; None while its card is not known to the store."""
    event: dict[str, Json] = delivery.payload["event"]
    if event["type"] == "message":
        reply = reply_of(event)
        if reply is None:
            return True
        verdict = await db.verdicts.by_card(reply.channel, reply.card_ts)
        if verdict is None:
            return None
        held = (await feedback_of_person(db, verdict, reply.event.person)).replies.get(reply.event.name)
        return held is not None and (held.text is None or Decimal(held.at) >= Decimal(reply.event.at))
    if not event["type"].startswith("reaction_") or vote_of_reaction(event["reaction"]) is None:
        return True
    verdict = await db.verdicts.by_card(event["item"]["channel"], event["item"]["ts"])
    if verdict is None:
        return None
    mark = (await feedback_of_person(db, verdict, event["user"])).reactions.get(event["reaction"])
    return mark is not None and Decimal(mark.at) >= Decimal(event["event_ts"])


async def unfinished(world: World) -> list[str]:
    """Work that is still to be done."""
    left: list[str] = []
    async with await Database.open(world.location, read_only=True) as db:
        waiting = {
            "traces": await db.traces.waiting(),
            "feedback": await db.feedback.waiting(),
            "posts": await db.outbox.waiting(),
            "requests to forget": len(await db.forgetting.requests()),
            "redactions": len(await db.forgetting.redactions_due(FOREVER_MS)),
            "answered blind cards": len(await db.verdicts.outdated_blind_cards()),
            # one with a modal open, which a kill may have left so, is made anew once that counts as left
            "statuses to edit": await db.thread_statuses.waiting(now_ms()),
        }
        left += [f"{count} {what} wait" for what, count in waiting.items() if count]
        shown = {(payload_of(card)["trace_id"], payload_of(card)["judge"]) for card in world.cards()}
        for trace_id in sorted(world.ledger.accepted):
            if not world.models and not await db.traces.is_forgotten(trace_id):
                left += [
                    f"no card of {trace_id} by {judge}" for judge in JUDGES if (trace_id, judge) not in shown
                ]
        for card in world.cards():
            left += await differences(db, world, card)
        windows = await db.candidates.oldest_ended(now_ms())
        left += [f"a window of {window.judge} has no card" for window in windows]
    return left + [f"no digest in {name}" for name in world.channels if not world.digests(name)]


async def differences(db: Database, world: World, card: Message) -> list[str]:
    """Differences between the store's feedback on a card and what the workspace shows."""
    verdict = await db.verdicts.by_card(card.channel, card.ts)
    if verdict is None:
        return [f"card {card.ts} of {payload_of(card)['trace_id']} is unknown"]
    known = {
        who: person_feedback
        for who, person_feedback in (await db.feedback.of(verdict.verdict_id)).items()
        if who != world.leaver
    }
    reactions = {(user, mark.name) for mark in card.reactions for user in mark.users if user != world.leaver}
    thread = world.workspace.thread(card.channel, card.ts)[1:]
    replies = {
        (reply.user, reply.ts, reply.text)
        for reply in thread
        if reply.user in world.people and not reply.tombstone
    }
    held = {
        (who, name)
        for who, person_feedback in known.items()
        for name, mark in person_feedback.reactions.items()
        if mark.value
    }
    stored_replies = {
        (who, ts, reply.text)
        for who, person_feedback in known.items()
        for ts, reply in person_feedback.replies.items()
        if reply.text
    }
    own = [reply for reply in thread if payload_of(reply).get("post_id", "").startswith("status:")]
    differing = [f"{len(own)} statuses on {card.ts}"] if len(own) > 1 else []
    if not 0 < verdict.selection.probability <= 1:
        differing.append(f"the chance of {card.ts} is {verdict.selection.probability}")
    if asks_first(card) != verdict.is_hidden:
        differing.append(f"the card {card.ts} and the store differ on whether the verdict is hidden")
    answered = [each for each in all_feedback(verdict, known, YES_OR_NO) if each.value is not None]
    if verdict.is_hidden and answered:
        differing.append(f"{card.ts} hides its verdict though {answered[0].person} answered")
    if reactions != held:
        differing.append(f"reactions on {card.ts}: {sorted(reactions ^ held)}")
    if replies != stored_replies:
        differing.append(f"replies on {card.ts}: {sorted(replies ^ stored_replies)}")
    return differing


async def remembered_wrongly(world: World) -> list[str]:
    """Forgotten traces in memories, and votes that are not remembered as they stand."""
    wrong: list[str] = []
    async with await Database.open(world.location, read_only=True) as db:
        forgotten = {trace_id for trace_id in world.sent if await db.traces.is_forgotten(trace_id)}
        for judge in JUDGES:
            memory = await db.memories.load(judge)
            wrong += [f"{judge} remembers {trace_id}" for trace_id in forgotten & memory.episodes.keys()]
            rests = {trace_id for rule in memory.guidelines for trace_id in rule.source_trace_ids}
            wrong += [f"{judge} rests on {trace_id}" for trace_id in forgotten & rests]
            remembered = {
                name: episode.label for name, episode in memory.episodes.items() if name not in forgotten
            }
            voted = await labels(db, world, judge)
            wrong += [
                f"{judge} remembers {trace_id} as {remembered.get(trace_id)}, voted {voted.get(trace_id)}"
                for trace_id in sorted(remembered.keys() | voted.keys())
                if remembered.get(trace_id) != voted.get(trace_id)
            ]
    return wrong


async def labels(db: Database, world: World, judge: str) -> dict[str, Label]:
    """The label of each trace that somebody voted on, by the votes in the store."""
    labels_by_trace: dict[str, Label] = {}
    for trace_id in world.sent:
        trace, cards = await db.traces.get(trace_id), await db.verdicts.of_trace(trace_id)
        for verdict in cards:
            if trace is None or verdict.verdict.judge != judge:
                continue
            feedback = all_feedback(verdict, await db.feedback.of(verdict.verdict_id), YES_OR_NO)
            if counted := tally(labelled_trace(trace, verdict, feedback).assessments, judge, YES_OR_NO):
                labels_by_trace[trace_id] = counted.label
    return labels_by_trace


def words_of_the_forgotten(world: World) -> list[str]:
    """Words that stand nowhere but in what was forgotten."""
    return [*(secret(trace_id) for trace_id in sorted(world.ledger.forgotten)), *sorted(world.ledger.unsaid)]


def still_shown(world: World) -> list[str]:
    """Words of the forgotten in messages of the bot."""
    words = words_of_the_forgotten(world)
    texts = [
        (message.ts, f"{message.text} {message.blocks}")
        for channel in world.channels.values()
        for message in world.workspace.messages(channel)
        if message.user == world.workspace.bot.id
    ]
    return [f"{word} is shown at {ts}" for ts, text in texts for word in words if word in text]


def doubled(world: World) -> list[str]:
    """Messages that the bot posted twice."""
    ids = Counter(
        str(payload_of(message)["post_id"])
        for channel in world.channels.values()
        for message in world.workspace.messages(channel)
        if "post_id" in payload_of(message)
    )
    return [f"{post_id} ({count} times)" for post_id, count in ids.items() if count > 1]


def bytes_searched(world: World) -> tuple[int, list[str]]:
    """Look for every forgotten trace's words in every file; how many bytes that were."""
    searched = search(world.folder, words_of_the_forgotten(world))
    return searched.size, [f"{needle!r} in {name}" for name, needle in searched.found]


async def shadows(world: World) -> int:
    """The values of other memories that are stored beside verdicts."""
    async with await Database.open(world.location, read_only=True) as db:
        recent = [each for judge in JUDGES for each in await db.verdicts.recent(judge, 10_000)]
    return sum(len(each.shadows) for each in recent)
