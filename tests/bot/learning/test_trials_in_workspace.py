"""Proof before use, told in the thread: the whole bot in the embedded workspace, with a model server."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bot.blocks.guideline_buttons import APPROVE_GUIDELINE
from bot.runtime.clock import day_of, now_ms
from bot.sandbox import Workspace
from bot.sandbox.workspace.records import Message
from memalign.records import Guideline, Json
from tests.bot.bot_in_workspace import JUDGE, BotInWorkspace, bot_in_workspace, words
from tests.model_server import ModelServer, running_model_server

RULE = "The answer should never send people away."
ZONE = ZoneInfo("UTC")
AS_GUIDELINE = f'"text": "{RULE}"'
"""The rule as the judge's prompts show it."""
REMOTE: dict[str, Json] = {
    "judge": {"model": "openai:/m"},
    "memory": {"reflection_lm": "local:/extract", "embedding_model": "local:/wordllama"},
}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelServer]:
    """A judge's model that lets everything pass, unless it is shown the rule."""
    with running_model_server() as running:
        monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
        monkeypatch.setenv("OPENAI_BASE_URL", f"{running.url}/v1")
        running.verdicts = {AS_GUIDELINE: False, "Judge this record.": True}
        yield running


def sections(**memory: Json) -> dict[str, Json]:
    return {**REMOTE, "memory": {**REMOTE["memory"], **memory}}


async def taught(harness: BotInWorkspace, vote: str) -> Message:
    """Vote on three cards without a reason, then teach the rule on a fourth one, whose card is returned."""
    for number, words_of in enumerate(("Sure, gladly.", "What is it about?", "Here you are.")):
        harness.react(await harness.show(f"old-{number}", words_of), vote)
    await harness.learned()
    await harness.until(lambda: len(harness.labels()) == 3)
    card = await harness.show("tr-1", "Go away.")
    harness.react(card, "-1")
    harness.reply(card, RULE)
    await harness.until(lambda: RULE in harness.rules())
    return card


async def calls_today(harness: BotInWorkspace) -> Mapping[str, int]:
    return await harness.bot.database.model_calls.counts(day_of(now_ms(), ZONE))


async def trial_has_begun(harness: BotInWorkspace) -> bool:
    return (await calls_today(harness))["trials"] > 0


def rule_of(harness: BotInWorkspace) -> Guideline:
    (rule,) = harness.bot.memories[JUDGE].guidelines
    return rule


def status(harness: BotInWorkspace, card: Message) -> Message:
    replies = harness.workspace.thread(card.channel, card.ts)
    (message,) = [each for each in replies if "📝 Learned" in each.text]
    return message


async def told(harness: BotInWorkspace, card: Message, sentence: str) -> Message:
    await harness.until(lambda: any(sentence in text for text in harness.thread(card)) or None)
    return status(harness, card)


async def test_a_rule_that_breaks_more_than_it_fixes_is_held_back_until_somebody_uses_it_anyway(
    tmp_path: Path, server: ModelServer
) -> None:
    async with bot_in_workspace(tmp_path, **REMOTE) as harness:
        card = await taught(harness, "+1")

        message = await told(
            harness,
            card,
            "I tried it on 3 earlier cases: it would fix none and break 3, so I don't use it yet.",
        )
        assert "Use it anyway" in words(message.blocks)
        assert (rule_of(harness).state, rule_of(harness).is_held_back) == ("pending", True)
        (listed,) = await harness.asked(harness.ana, "guidelines")
        assert "break 3, so I don't use it yet" in listed
        await harness.show("next", "What do you want?")
        assert AS_GUIDELINE not in str(server.of("chat")[-1].body)

        answer = await harness.ephemeral_answer(harness.press(message, APPROVE_GUIDELINE))

        assert "I use it when I judge." in answer
        assert rule_of(harness).state == "used"
        message = await told(harness, card, "I tried it on 3 earlier cases: fixed 0, broke 3.")
        assert "Use it anyway" not in words(message.blocks)


async def test_a_rule_that_proves_itself_is_used_and_its_numbers_are_told_with_the_lesson(
    tmp_path: Path, server: ModelServer
) -> None:
    async with bot_in_workspace(tmp_path, **REMOTE) as harness:
        card = await taught(harness, "-1")

        await told(
            harness, card, "I'll use this from now on. I tried it on 3 earlier cases: fixed 3, broke 0."
        )

        assert rule_of(harness).state == "used"
        calls = await calls_today(harness)
        assert calls["trials"] == 6
        assert len(server.of("chat")) == 4 + 6 + calls["shadow_verdicts"]
        metrics = (await harness.get("/metrics"))[1]
        assert "memalign_trial_calls 6.0" in metrics
        assert 'memalign_model_calls{purpose="trials"} 6.0' in metrics
        assert 'memalign_model_calls{purpose="shadow_verdicts"}' in metrics


@pytest.mark.parametrize("calls", [0, 1])
async def test_without_calls_left_the_rule_is_used_and_nothing_is_said_of_a_trial(
    tmp_path: Path, server: ModelServer, calls: int
) -> None:
    async with bot_in_workspace(tmp_path, **sections(trial_calls_per_day=calls)) as harness:
        card = await taught(harness, "+1")

        message = await told(harness, card, "I'll use this from now on.")

        assert "tried it" not in message.text
        assert rule_of(harness).state == "used"
        assert len(server.of("chat")) == 4 + (await calls_today(harness))["shadow_verdicts"]


async def test_a_restart_in_the_middle_of_a_trial_loses_nothing(tmp_path: Path, server: ModelServer) -> None:
    workspace = Workspace()
    async with bot_in_workspace(tmp_path, workspace=workspace, **REMOTE) as harness:
        for number, words_of in enumerate(("Sure, gladly.", "What is it about?", "Here you are.")):
            harness.react(await harness.show(f"old-{number}", words_of), "+1")
        card = await harness.show("tr-1", "Go away.")
        await harness.learned()
        server.chat_seconds = 600
        harness.react(card, "-1")
        harness.reply(card, RULE)
        await harness.until_async(lambda: trial_has_begun(harness))
        assert rule_of(harness).state == "pending"
        await told(harness, card, "Not used yet: I'm trying it on earlier cases.")
    server.chat_seconds = 0.0
    async with bot_in_workspace(tmp_path, workspace=workspace, **REMOTE) as harness:
        await told(harness, card, "I tried it on 3 earlier cases")
        assert rule_of(harness).is_held_back
        # the trial that was cut off was paid for as well, and no more; what changed was asked for once more
        assert (await calls_today(harness))["trials"] == 2 * 6 + 6
