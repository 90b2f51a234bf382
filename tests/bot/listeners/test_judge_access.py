"""Access to a judge's lessons, its numbers, its name and its troubles: members of its channel alone."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.sandbox import Channel, Message, User, Workspace
from tests.bot.bot_in_workspace import BotInWorkspace, bot_in_workspace, words

RULE = "An answer must never name the Falcon takeover."
SECRET = ("Falcon", "secret", "Ana Ruiz", "tr-secret")
"""Words that nobody outside the private channel may read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivateJudge:
    """The bot with a judge `secret` in #board, where ana is and ben is not, and which has learned from ana."""

    harness: BotInWorkspace
    board: Channel
    card: Message

    async def asked(self, person: User, channel: str, text: str) -> str:
        """Type `/memalign …` in a channel; returns the whole answer."""
        before = len(self.harness.slack.ephemerals)
        await self.harness.slack.interactions.command(person.id, channel, "/memalign", text)
        await self.harness.until(lambda: len(self.harness.slack.ephemerals) > before)
        return "\n".join(words(one.blocks, one.text) for one in self.harness.slack.ephemerals[before:])

    async def home(self, person: User) -> str:
        """Open App Home; returns all that it shows."""
        self.harness.workspace.open_home(person.id)
        view = await self.harness.until(lambda: self.harness.slack.home(person.id))
        return words(view.content["blocks"])


@pytest.fixture
async def private(tmp_path: Path) -> AsyncIterator[PrivateJudge]:
    workspace = Workspace()
    ana = workspace.add_user("ana", real_name="Ana Ruiz")
    board = workspace.add_channel("board", members=[ana.id], private=True)
    judges = [{}, {"name": "secret", "channel": board.id}]
    async with bot_in_workspace(tmp_path, workspace=workspace, judges=judges) as harness:
        trace = {"trace_id": "tr-secret", "inputs": "q", "outputs": "a", "judges": ["secret"]}
        await harness.send(trace)
        card = await harness.until(lambda: next(iter(cards(harness, board)), None))
        harness.react(card, "-1")
        harness.reply(card, RULE)
        await harness.learned()
        yield PrivateJudge(harness=harness, board=board, card=card)


def cards(harness: BotInWorkspace, channel: Channel) -> list[Message]:
    messages = harness.workspace.messages(channel.id)
    return [message for message in messages if message.metadata and message.thread_ts is None]


@pytest.mark.parametrize(
    "text",
    [
        *("guidelines", "guidelines secret", "guidelines SECRET", "guidelines sceret"),
        *(
            "status",
            "digest",
            "digest last",
            "stats",
            "stats secret",
            "help",
            "secret",
            "forget tr-secret",
            "forget tr-secret --yes",
        ),
    ],
)
async def test_no_command_tells_anything_of_a_judge_in_whose_channel_one_is_not(
    private: PrivateJudge, text: str
) -> None:
    harness = private.harness
    places = [harness.channel.id, harness.workspace.direct_message(harness.ben.id).id]
    for place in places:
        answer = await private.asked(harness.ben, place, text)
        for typed in text.split():
            answer = answer.replace(typed, "")
        assert [word for word in SECRET if word.lower() in answer.lower()] == []
    assert harness.rules("secret") == [RULE]


@pytest.mark.parametrize(
    "text",
    ["guidelines", "guidelines secret", "digest", "stats", "stats secret", "status", "forget tr-secret"],
)
async def test_members_are_told_in_any_channel(private: PrivateJudge, text: str) -> None:
    harness = private.harness
    answer = await private.asked(harness.ana, harness.workspace.direct_message(harness.ana.id).id, text)
    assert "secret" in answer.lower()


async def test_an_unknown_judge_and_one_of_another_channel_are_answered_alike(private: PrivateJudge) -> None:
    harness = private.harness
    hidden, unknown = [
        await private.asked(harness.ben, harness.channel.id, f"pause {name}") for name in ("secret", "nosuch")
    ]
    assert hidden.replace("secret", "nosuch") == unknown
    assert "the judges are: Politeness." in unknown


async def test_home_shows_the_judges_of_ones_own_channels(private: PrivateJudge) -> None:
    assert [word for word in SECRET if word in await private.home(private.harness.ben)] == []
    assert RULE in await private.home(private.harness.ana)


async def test_home_shows_nothing_of_a_channel_that_one_has_left(tmp_path: Path) -> None:
    async with bot_in_workspace(tmp_path) as harness:
        await harness.show("tr-1")
        harness.workspace.leave(harness.ben.id, harness.channel.id)
        harness.workspace.open_home(harness.ben.id)
        view = await harness.until(lambda: harness.slack.home(harness.ben.id))
        assert "politeness" not in words(view.content["blocks"])


async def test_status_tells_no_trouble_of_a_judge_in_whose_channel_one_is_not(private: PrivateJudge) -> None:
    harness = private.harness
    health = harness.bot.health
    health.report("judging", "secret", "its model is down")
    health.report("redaction", private.board.id, "the channel is archived")
    health.report("judging", "politeness", "its model is slow")
    told = await private.asked(harness.ben, harness.channel.id, "status")
    assert "its model is slow" in told
    assert "its model is down" not in told
    assert "archived" not in told
    assert "waiting" not in told.lower()
    whole = await private.asked(harness.ana, harness.channel.id, "status")
    assert all(part in whole for part in ("its model is down", "archived", "Nothing is waiting"))


async def test_openings_of_home_at_once_ask_slack_once_for_each_channel(private: PrivateJudge) -> None:
    harness = private.harness
    before = len(harness.slack.calls)
    for _ in range(100):
        harness.workspace.open_home(harness.ana.id)
        harness.workspace.open_home(harness.ben.id)

    def published() -> int:
        return sum(call.method == "views.publish" for call in harness.slack.calls[before:])

    await harness.until(lambda: published() == 200)
    lists = [call for call in harness.slack.calls[before:] if call.method == "conversations.members"]
    assert len(lists) < 20


# --- traces that several channels show


async def test_a_member_of_one_channel_neither_sees_nor_forgets_what_another_said_of_the_trace(
    private: PrivateJudge,
) -> None:
    harness = private.harness
    await harness.show("tr-both")
    card = await harness.until(
        lambda: next((c for c in cards(harness, private.board) if c.ts != private.card.ts), None)
    )
    harness.react(card, "-1")
    harness.reply(card, "An answer must never name the Kestrel merger.")
    await harness.learned()
    for text in ("forget tr-both", "forget tr-both --yes"):
        answer = await private.asked(harness.ben, harness.channel.id, text)
        assert "Kestrel" not in answer
        assert "in every channel where it was shown" in answer
    assert len(harness.rules("secret")) == 2
    assert "is forgotten" in await private.asked(harness.ana, harness.channel.id, "forget tr-both --yes")


async def test_who_is_named_forgets_everywhere_and_is_shown_what_is_in_their_channels(tmp_path: Path) -> None:
    workspace = Workspace()
    ana, ben = workspace.add_user("ana", real_name="Ana Ruiz"), workspace.add_user("ben")
    board = workspace.add_channel("board", members=[ana.id])
    judges = [{}, {"name": "secret", "channel": board.id}]
    access = {"forget": [ben.id]}
    async with bot_in_workspace(tmp_path, workspace=workspace, judges=judges, access=access) as harness:
        await harness.show("tr-1")
        card = await harness.until(lambda: next(iter(cards(harness, board)), None))
        harness.react(card, "-1")
        harness.reply(card, RULE)
        await harness.learned()
        (preview,) = await harness.asked(harness.ben, "forget tr-1")
        assert "Falcon" not in preview
        assert "Ana Ruiz" not in preview
        assert "what belongs to it in channels that you are not in" in preview
        assert "is forgotten" in (await harness.asked(harness.ben, "forget tr-1 --yes"))[0]
        assert harness.rules("secret") == []


@pytest.mark.parametrize(
    "reference", ["{id}", "`{id}`", "{id} --yes", "https://x.slack.com/archives/{board}/p{stamp}"]
)
async def test_a_forbidden_an_unknown_and_a_forgotten_trace_are_answered_alike(
    private: PrivateJudge, reference: str
) -> None:
    harness = private.harness
    await harness.send({"trace_id": "tr-other", "inputs": "q", "outputs": "a", "judges": ["secret"]})
    await harness.learned()
    await private.asked(harness.ana, private.board.id, "forget tr-other --yes")
    stamp = private.card.ts.replace(".", "")
    answers = set()
    for trace_id, at in (
        ("tr-secret", stamp),
        ("tr-other", "1700000000000001"),
        ("tr-none", "1700000000000002"),
    ):
        typed = reference.format(id=trace_id, board=private.board.id, stamp=at)
        answer = await private.asked(harness.ben, harness.channel.id, f"forget {typed}")
        answers.add(answer.replace(trace_id, "ID").replace(at, "AT"))
    assert len(answers) == 1
    assert "I don't know a trace" in answers.pop()
    assert "secret" not in await private.asked(harness.ben, harness.channel.id, "forget tr-secre")
    assert "secret" not in await private.asked(harness.ben, harness.channel.id, "why tr-secre")
    assert "forgotten already" in await private.asked(harness.ana, private.board.id, "forget tr-other")
