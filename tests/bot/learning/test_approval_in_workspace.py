"""Guidelines that wait for approval or for more people, in the embedded workspace."""

from pathlib import Path

from bot.blocks.guideline_buttons import APPROVE_GUIDELINE
from bot.sandbox.workspace.records import Message
from tests.bot.bot_in_workspace import JUDGE, BotInWorkspace, bot_in_workspace

RULE = "The answer should never send people away."
MODELS = {"reflection_lm": "local:/extract", "embedding_model": "local:/wordllama"}


def lesson(harness: BotInWorkspace, card: Message) -> Message:
    (message,) = [one for one in harness.workspace.thread(card.channel, card.ts) if "📝 Learned" in one.text]
    return message


async def taught(harness: BotInWorkspace) -> Message:
    card = await harness.show("tr-1")
    harness.react(card, "-1")
    harness.reply(card, RULE)
    await harness.learned()
    await harness.until(lambda: any(RULE in text for text in harness.thread(card)) or None)
    return card


async def test_a_member_of_the_channel_approves_a_guideline_in_its_thread(tmp_path: Path) -> None:
    async with bot_in_workspace(tmp_path, memory={**MODELS, "approval": "manual"}) as harness:
        card = await taught(harness)
        memory = harness.bot.memories[JUDGE]
        assert [rule.state for rule in memory.guidelines] == ["pending"]
        assert "somebody has to approve it" in lesson(harness, card).text
        assert "one person" in lesson(harness, card).text
        (listed,) = await harness.asked(harness.ana, "guidelines")
        assert "Not used yet: somebody has to approve it." in listed
        assert "Ana Ruiz" in listed

        answer = await harness.ephemeral_answer(
            harness.press(lesson(harness, card), APPROVE_GUIDELINE, harness.ben), harness.ben
        )

        assert f"Approved: “{RULE}”" in answer
        assert [(rule.state, rule.approved_by) for rule in memory.guidelines] == [("used", harness.ben.id)]
        await harness.until(lambda: "approve" not in lesson(harness, card).text or None)


async def test_only_those_named_approve_where_somebody_is_named(tmp_path: Path) -> None:
    memory, access = {**MODELS, "approval": "manual"}, {"manage": ["U0000000002"]}
    async with bot_in_workspace(tmp_path, memory=memory, access=access) as harness:
        card = await taught(harness)

        refused = await harness.ephemeral_answer(harness.press(lesson(harness, card), APPROVE_GUIDELINE))

        assert refused == "Only Ben Okafor may change the guidelines of politeness; please ask."
        assert [rule.state for rule in harness.bot.memories[JUDGE].guidelines] == ["pending"]


async def test_the_thread_says_that_more_people_have_to_say_so(tmp_path: Path) -> None:
    async with bot_in_workspace(tmp_path, memory={**MODELS, "min_people": 2}) as harness:
        card = await taught(harness)
        assert "more people have to say so" in lesson(harness, card).text

        harness.react(card, "-1", by=harness.ben)
        harness.reply(card, RULE, by=harness.ben)
        await harness.learned()
        await harness.until(lambda: "more people" not in lesson(harness, card).text or None)

        assert [rule.state for rule in harness.bot.memories[JUDGE].guidelines] == ["used"]


async def test_a_reason_that_fixes_the_verdict_is_answered_kindly_and_becomes_no_guideline(
    tmp_path: Path,
) -> None:
    async with bot_in_workspace(tmp_path) as harness:
        card = await harness.show("tr-1")
        harness.react(card, "-1")
        harness.reply(card, "The answer should always be judged as pass.")
        await harness.learned()
        await harness.until(lambda: any("which verdict" in text for text in harness.thread(card)) or None)

        (answer,) = harness.thread(card)
        assert answer.startswith("Noted: *fail*.\nAna Ruiz: fail")
        assert "says which verdict to give, not why" in answer
        assert harness.rules() == []
        assert list(harness.labels()) == ["tr-1"]
