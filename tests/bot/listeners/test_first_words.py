"""First words: on joining a channel, on a mention, in a direct message."""

from pathlib import Path

from storage.database import Database
from storage.records import NoticeContent, Post
from tests.bot.bot_in_workspace import BotInWorkspace, bot_in_workspace, words


async def greetings(harness: BotInWorkspace, channel: str) -> list[str]:
    await harness.learned()
    return [
        message.text
        for message in harness.workspace.messages(channel)
        if message.user == harness.workspace.bot.id and message.subtype is None
    ]


async def test_joining_a_judges_channel_it_says_in_three_lines_what_it_is_and_pins_nothing(
    tmp_path: Path,
) -> None:
    async with bot_in_workspace(tmp_path) as harness:
        workspace, bot = harness.workspace, harness.workspace.bot.id
        workspace.leave(bot, harness.channel.id)
        workspace.join(bot, harness.channel.id)
        [greeting] = await greetings(harness, harness.channel.id)
        assert len(greeting.splitlines()) == 3
        assert "Politeness" in greeting
        assert "first 👍 or 👎" in greeting
        assert "pins.add" not in {call.method for call in harness.slack.calls}
        workspace.leave(bot, harness.channel.id)
        workspace.join(bot, harness.channel.id)
        assert len(await greetings(harness, harness.channel.id)) == 2


async def test_where_no_judge_posts_it_names_the_setting_that_brings_one(tmp_path: Path) -> None:
    async with bot_in_workspace(tmp_path) as harness:
        lounge = harness.workspace.add_channel("lounge", members=[harness.ana.id], bot_is_member=False)
        harness.workspace.join(harness.workspace.bot.id, lounge.id)
        [greeting] = await greetings(harness, lounge.id)
        assert f'channel = "{lounge.id}"' in greeting
        assert "Politeness" not in greeting


async def test_nobody_else_who_joins_is_greeted(tmp_path: Path) -> None:
    async with bot_in_workspace(tmp_path) as harness:
        cleo = harness.workspace.add_user("cleo")
        harness.workspace.join(cleo.id, harness.channel.id)
        await harness.slack.settled()
        assert await greetings(harness, harness.channel.id) == []


async def test_one_join_is_greeted_once_however_often_it_is_told(database: Database) -> None:
    post = Post(post_id="joined:C1:1.1", channel="C1", content=NoticeContent(notice="joined"))
    assert await database.outbox.add_greeting("1.1", post)
    await database.outbox.drop(post.post_id)
    assert not await database.outbox.add_greeting("1.1", post)
    assert await database.outbox.waiting() == 0


async def test_a_mention_gets_help_for_the_channel_and_only_its_author_sees_it(tmp_path: Path) -> None:
    async with bot_in_workspace(tmp_path, storage={"path": "store", "keep_days": 90}) as harness:
        mention = f"<@{harness.workspace.bot.id}>"

        async def act() -> None:
            harness.workspace.post(harness.ana.id, harness.channel.id, f"{mention} what is this?")

        answer = await harness.ephemeral_answer(act())
        assert "Politeness" in answer
        assert "/memalign guidelines" in answer
        assert "deleted after 90 days" in answer
        (by_command,) = await harness.asked(harness.ana, "help")
        assert "deleted after 90 days" in by_command
        lounge = harness.workspace.add_channel("lounge", members=[harness.ana.id])

        async def act_elsewhere() -> None:
            harness.workspace.post(harness.ana.id, lounge.id, f"{mention} hello")

        elsewhere = await harness.ephemeral_answer(act_elsewhere())
        assert "No judge posts in this channel" in elsewhere
        assert lounge.id in elsewhere


async def test_in_a_cards_thread_a_bare_mention_gets_help_and_a_reason_stays_a_reason(tmp_path: Path) -> None:
    async with bot_in_workspace(tmp_path) as harness:
        card = await harness.show()
        mention = f"<@{harness.workspace.bot.id}>"

        async def act() -> None:
            harness.reply(card, f"{mention} help")

        answer = await harness.ephemeral_answer(act())
        assert "Press 👍 or 👎 on the card" in answer
        assert harness.slack.ephemerals[-1].thread_ts == card.ts
        before = len([each for each in harness.slack.ephemerals if "Press 👍 or 👎" in words(each.blocks)])
        harness.react(card, "-1")
        harness.reply(card, f"{mention} an answer should never send people away")
        await harness.learned()
        feedback = (await harness.feedback(card))["ana"]
        assert feedback.rationale == "an answer should never send people away"
        after = [each for each in harness.slack.ephemerals if "Press 👍 or 👎" in words(each.blocks)]
        assert len(after) == before


async def test_a_direct_message_is_answered_with_what_can_be_done(tmp_path: Path) -> None:
    async with bot_in_workspace(tmp_path, storage={"path": "store", "keep_days": 90}) as harness:
        direct = harness.workspace.direct_message(harness.ana.id)
        harness.workspace.post(harness.ana.id, direct.id, "hello, what can you do?")
        answer = await harness.until(
            lambda: next(
                (
                    words(message.blocks, message.text)
                    for message in harness.workspace.messages(direct.id)
                    if message.user == harness.workspace.bot.id
                ),
                None,
            )
        )
        assert "Politeness" in answer
        assert "deleted after 90 days" in answer
        cleo = harness.workspace.add_user("cleo")
        hers = harness.workspace.direct_message(cleo.id)
        harness.workspace.post(cleo.id, hers.id, "hi")
        await harness.until(lambda: len(harness.workspace.messages(hers.id)) == 2)
        assert "Politeness" not in words(harness.workspace.messages(hers.id)[-1].blocks)
