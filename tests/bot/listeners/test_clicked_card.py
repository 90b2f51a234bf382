"""Cards that people click on, and what the click says."""

import asyncio

import pytest

from bot.listeners.clicked_card import ClickedCard, ClickedCards
from bot.runtime.metrics import Metrics
from bot.vote_marks import Vote, votes_of
from memalign.records import Json
from storage.database import Database
from storage.verdicts import card_post_id_of
from tests.bot.fakes import Wakes
from tests.storage.records import at, judged, posted, reaction_event

TS = "100.1"


@pytest.fixture
def learning() -> Wakes:
    return Wakes()


@pytest.fixture
def cards(database: Database, learning: Wakes) -> ClickedCards:
    return ClickedCards(database, lambda event: event, Metrics(), learning)


def click(value: str = "", **message: Json) -> Json:
    return {
        "user": {"id": "U1"},
        "channel": {"id": "C1"},
        "message": message,
        "container": {"message_ts": message.get("ts")},
        "actions": [{"value": value}],
    }


async def clicked(cards: ClickedCards) -> ClickedCard:
    card = await cards.of_click(click(ts=TS))
    assert card is not None
    return card


@pytest.mark.parametrize("message", [{"ts": TS}, {"ts": "101.1", "thread_ts": TS}], ids=["card", "thread"])
async def test_a_click_on_a_card_or_in_its_thread_finds_the_card(
    database: Database, cards: ClickedCards, message: Json
) -> None:
    verdict_id = await posted(database, ts=TS)
    card = await cards.of_click(click(**message))
    assert card is not None
    assert (card.verdict.verdict_id, card.channel, card.ts, card.person) == (verdict_id, "C1", TS, "U1")


async def test_a_click_on_another_message_finds_none(database: Database, cards: ClickedCards) -> None:
    await posted(database, ts=TS)
    assert await cards.of_click(click(ts="7.7")) is None


async def test_a_button_finds_its_card_while_the_store_is_told_where_it_is(
    database: Database, cards: ClickedCards
) -> None:
    verdict_id = await judged(database)
    post_id = card_post_id_of(verdict_id)
    assert await database.outbox.start(post_id)
    body = {**click(verdict_id), "container": {"message_ts": TS}}
    card, _ = await asyncio.gather(cards.of_click(body), database.outbox.done(post_id, TS))
    assert card is not None
    assert (card.verdict.verdict_id, card.ts) == (verdict_id, TS)


async def test_a_button_finds_its_card_before_the_store_knows_where_it_is(
    database: Database, cards: ClickedCards
) -> None:
    verdict_id = await judged(database)
    card = await cards.of_click(click(verdict_id, ts=TS))
    assert card is not None
    assert (card.verdict.verdict_id, card.ts) == (verdict_id, TS)


async def test_a_button_of_a_card_that_was_posted_elsewhere_finds_none(
    database: Database, cards: ClickedCards
) -> None:
    verdict_id = await posted(database, ts=TS)
    assert await cards.of_click(click(verdict_id, ts="7.7")) is None


async def test_a_vote_is_stored_and_learning_is_woken(
    database: Database, cards: ClickedCards, learning: Wakes
) -> None:
    await posted(database, ts=TS)
    card = await clicked(cards)
    await cards.set_vote(card, "down", at())
    assert votes_of(card.verdict, await cards.feedback_on(card)) == {"down"}
    assert learning.count == 1


@pytest.mark.parametrize(("value", "vote"), [(True, "up"), (False, "down")])
async def test_the_right_value_says_whether_the_judge_was_right(
    database: Database, cards: ClickedCards, value: bool, vote: Vote
) -> None:
    await posted(database, ts=TS)
    card = await clicked(cards)
    assert not await cards.set_value(card, value, at())
    assert votes_of(card.verdict, await cards.feedback_on(card)) == {vote}


async def test_a_value_against_the_persons_own_reaction_leaves_them_with_two_votes(
    database: Database, cards: ClickedCards
) -> None:
    await posted(database, ts=TS)
    await database.feedback.note("C1", TS, reaction_event("U1", "+1", True, at()))
    assert await cards.set_value(await clicked(cards), False, at(1))


async def test_a_reason_of_the_modal_stands_at_the_cards_own_time(
    database: Database, cards: ClickedCards
) -> None:
    await posted(database, ts=TS)
    card = await clicked(cards)
    await cards.set_reason(card, "It is curt.", at())
    assert (await cards.feedback_on(card)).replies[TS].text == "It is curt."
