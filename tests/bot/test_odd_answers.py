"""A Slack that answers nonsense to everything for a while: the bot lives, says so, goes on, and loses nothing."""

from pathlib import Path

import pytest

from memalign.records import Json
from tests.bot.bot_in_workspace import BotInWorkspace, bot_in_workspace
from tests.storage.records import FOREVER_MS

RULE = "The answer should never send people away."
METHODS = (
    "auth.test",
    "bots.info",
    "chat.delete",
    "chat.getPermalink",
    "chat.postEphemeral",
    "chat.postMessage",
    "chat.update",
    "conversations.history",
    "conversations.members",
    "conversations.replies",
    "reactions.get",
    "users.info",
    "views.open",
    "views.publish",
)
"""All methods that the running bot calls, but for the one by which it connects."""
FAULTS: dict[str, Json] = {
    "JSON that is none": {"body": "<html>oops"},
    "a list": {"body": '["oops"]'},
    "null": {"body": "null"},
    "ok without anything": {"body": '{"ok": true}'},
    "a page": {"body": "<html>oops</html>", "content_type": "text/html", "status": 500},
    "a lost answer": {"lost": True},
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
async def test_each_method_may_answer_nonsense_once(tmp_path: Path, fault: Json) -> None:
    async with bot_in_workspace(tmp_path) as harness:
        for method in METHODS:
            harness.slack.faults.fail_next(method, **fault)
        card = await harness.show("tr-1")
        await harness.learned()
        harness.react(card, "-1")
        harness.reply(card, RULE)
        await harness.learned()
        assert harness.rules() == [RULE]
        harness.workspace.open_home(harness.ana.id)
        harness.unreact(card, "-1")
        await harness.learned()
        assert harness.rules() == []
        if fault != FAULTS["ok without anything"]:  # of that answer nobody can tell that nothing was done
            assert "taken back" in "\n".join(harness.thread(card))
        await harness.asked(harness.ana, "forget tr-1 --yes")
        await harness.until_async(lambda: nothing_to_redact(harness))
        await harness.reconciled()
        await harness.until_async(lambda: is_well(harness))
        assert harness.bot.health.subjects("background") == set()


async def nothing_to_redact(harness: BotInWorkspace) -> bool:
    return await harness.bot.database.forgetting.redactions_due(FOREVER_MS) == []


async def is_well(harness: BotInWorkspace) -> bool:
    return (await harness.bot.status.read()).troubles == ()


async def test_no_event_is_lost_while_slack_does_not_say_who_the_bot_is(tmp_path: Path) -> None:
    async with bot_in_workspace(tmp_path) as harness:
        card = await harness.show("tr-1")
        harness.slack.faults.fail_next("auth.test", error="internal_error", times=100)
        harness.react(card, "-1")
        assert (await harness.feedback(card))["ana"].vote == "down"
