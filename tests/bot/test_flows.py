"""The three flows, through the real bot and the embedded workspace."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from storage.engines import Location
from tests.bot.bot_in_workspace import BotInWorkspace, bot_in_workspace, words
from tests.storage.engines import storage_section


@pytest.fixture
async def harness(tmp_path: Path, location: Location) -> AsyncIterator[BotInWorkspace]:
    """The bot on each engine."""
    async with bot_in_workspace(tmp_path, storage=storage_section(location)) as ready:
        yield ready


async def test_a_trace_becomes_a_card(harness: BotInWorkspace) -> None:
    card = await harness.show("tr-1")
    read = words(card.blocks)
    assert all(part in read for part in ("Politeness", "Go away.", "Can you help me?", "tr-1", "👍", "👎"))
    assert card.metadata is not None
    assert card.metadata["event_type"] == "memalign_verdict"
    assert {"trace_id", "judge", "verdict_id"} <= card.metadata["event_payload"].keys()


async def test_a_thumb_with_a_reason_becomes_a_guideline_told_in_the_thread(harness: BotInWorkspace) -> None:
    card = await harness.show("tr-1")
    harness.workspace.react(harness.ana.id, card.channel, card.ts, "thumbsdown::skin-tone-3")
    harness.workspace.post(
        harness.ana.id, card.channel, "The answer should never send people away.", thread_ts=card.ts
    )
    await harness.learned()
    assert any("never send people away" in text and "Ana Ruiz" in text for text in harness.thread(card))
    assert "never send people away" in "\n".join(await harness.asked(harness.ben, "guidelines"))
    assert harness.workspace.mentions == []


async def test_forgetting_takes_the_lesson_and_the_card(harness: BotInWorkspace) -> None:
    card = await harness.show("tr-1")
    harness.workspace.react(harness.ana.id, card.channel, card.ts, "-1")
    harness.workspace.post(
        harness.ana.id, card.channel, "The answer should never send people away.", thread_ts=card.ts
    )
    await harness.learned()
    answer = await harness.asked(harness.ana, "forget tr-1 --yes")
    assert "is forgotten" in answer[0]
    assert harness.shown("tr-1") is None
    assert "no guidelines yet" in "\n".join(await harness.asked(harness.ana, "guidelines"))
