"""Decisions on guidelines, as the threads tell them that show the guidelines, in the embedded workspace."""

from functools import partial
from pathlib import Path

from bot.sandbox.workspace.records import Message
from memalign.records import PersonTarget
from tests.bot.bot_in_workspace import JUDGE, BotInWorkspace, bot_in_workspace, words

RULE = "The answer should never send people away."
EDITED = "Zebra answers should never turn people away."


async def taught(harness: BotInWorkspace, trace_id: str, text: str = RULE) -> Message:
    card = await harness.show(trace_id)
    harness.react(card, "-1")
    harness.reply(card, text)
    await harness.learned()
    return card


def told(harness: BotInWorkspace, card: Message, part: str) -> bool:
    return any(part in text for text in harness.thread(card))


async def test_threads_that_show_a_rule_tell_that_it_is_retired_and_that_it_is_restored(
    tmp_path: Path,
) -> None:
    async with bot_in_workspace(tmp_path) as harness:
        first = await taught(harness, "tr-1")
        (rule,) = harness.bot.memories[JUDGE].guidelines

        await harness.bot.guidelines.retire(JUDGE, rule.id, harness.ben.id)
        await harness.until(lambda: told(harness, first, "Ben Okafor retired it."))

        second = await taught(harness, "tr-2")
        await harness.until(lambda: told(harness, second, f"That's retired: “{RULE}”."))
        assert not told(harness, second, "Learned")
        assert [each.state for each in harness.bot.memories[JUDGE].guidelines] == ["retired"]
        (status,) = [
            each for each in harness.workspace.thread(second.channel, second.ts) if "retired" in each.text
        ]
        assert "Restore" in words(status.blocks)

        await harness.bot.guidelines.restore(JUDGE, rule.id, harness.ana.id)
        for card in (first, second):
            await harness.until(partial(told, harness, card, f"Learned: “{RULE}”"))
            assert not told(harness, card, "retired")


async def test_a_thread_shows_an_edit_a_pin_and_none_of_the_words_of_an_editor_who_is_forgotten(
    tmp_path: Path,
) -> None:
    async with bot_in_workspace(tmp_path) as harness:
        card = await taught(harness, "tr-1")
        (rule,) = harness.bot.memories[JUDGE].guidelines

        await harness.bot.guidelines.edit(JUDGE, rule.id, EDITED, harness.ben.id)
        await harness.until(
            lambda: told(harness, card, f"Now: “{EDITED}” (was: ~“{RULE}”~) – from Ana Ruiz, edited by Ben")
        )
        await harness.bot.guidelines.pin(JUDGE, rule.id, harness.ana.id)
        await harness.until(lambda: told(harness, card, "Pinned"))

        await harness.bot.forgetting.forget(PersonTarget(person=harness.ben.id), person=None)
        await harness.until(lambda: not told(harness, card, "Zebra"))
        stored = [
            await harness.bot.database.thread_statuses.get(verdict) for verdict in await verdicts(harness)
        ]
        assert stored
        assert "Zebra" not in repr(stored)


async def verdicts(harness: BotInWorkspace) -> list[str]:
    return [each.verdict_id for each in await harness.bot.database.verdicts.page(None, 10)]
