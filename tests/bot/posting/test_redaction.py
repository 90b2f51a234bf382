"""Redaction: what Slack shows of forgotten content gets a note in its place."""

from zoneinfo import ZoneInfo

import pytest

from bot.posting.message_edits import MessageEdits
from bot.posting.redaction import MessageRedactor
from bot.runtime.health import HealthRegistry
from bot.slack.identity import IdentityLookup
from bot.slack.users import People
from storage.database import Database
from storage.records import RedactionKind
from tests.bot.fakes import CUT, ODD_ANSWERS, Answer, FakeSlack, refusal, running, until
from tests.storage.records import FOREVER_MS, posted


class Redacting:
    """A redactor on a store and a fake Slack."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.slack = FakeSlack()
        self.health = HealthRegistry()
        self.redactor = MessageRedactor(
            self.slack,
            database,
            self.health,
            People(self.slack, IdentityLookup(self.slack)),
            ZoneInfo("UTC"),
            MessageEdits(),
        )

    async def left(self) -> list[str]:
        """The ts of the messages that are still to be redacted."""
        return [redaction.ts for redaction in await self.database.forgetting.redactions_due(FOREVER_MS)]


@pytest.fixture
async def redacting(database: Database) -> Redacting:
    """Two forgotten traces, whose cards `1.1` and `2.1` Slack still shows."""
    for number in (1, 2):
        await posted(database, f"tr-{number}", ts=f"{number}.1")
    await database.forgetting.delete_traces(["tr-1", "tr-2"])
    return Redacting(database)


async def test_each_message_is_replaced_once(redacting: Redacting) -> None:
    await redacting.redactor.redact_now()
    await redacting.redactor.redact_now()
    assert [call["ts"] for call in redacting.slack.of("chat.update")] == ["1.1", "2.1"]
    assert (await redacting.left(), redacting.health.problems()) == ([], ())


@pytest.mark.parametrize("answer", ODD_ANSWERS.values(), ids=ODD_ANSWERS)
async def test_an_odd_answer_leaves_its_message_for_later_and_stops_no_other(
    redacting: Redacting, answer: Answer | Exception
) -> None:
    redacting.slack.answers["chat.update"].append(answer)
    await redacting.redactor.redact_now()
    assert await redacting.left() == ["1.1"]
    [redaction] = await redacting.database.forgetting.redactions_due(FOREVER_MS)
    assert (redaction.attempts, redaction.not_before_ms > 0) == (1, True)


@pytest.mark.parametrize("answer", ODD_ANSWERS.values(), ids=ODD_ANSWERS)
async def test_while_a_message_stands_health_says_why(
    redacting: Redacting, answer: Answer | Exception
) -> None:
    redacting.slack.answers["chat.update"].extend([answer] * 2)
    await redacting.redactor.redact_now()
    reason = redacting.health.reason("redacting messages", "C1")
    assert reason is not None
    assert reason.startswith("a message that shows what was forgotten still stands: Slack ")


@pytest.mark.parametrize(
    ("failure", "calls"),
    [
        (CUT, 3),
        (refusal("internal_error"), 3),
        (refusal("not_in_channel"), 3),
        (refusal("ratelimited", status=429, retry_after=60), 1),
    ],
)
async def test_while_a_channel_takes_no_change_its_other_messages_cost_no_call_and_no_write(
    redacting: Redacting, failure: Answer | Exception, calls: int
) -> None:
    numbers = range(3, 20)
    for number in numbers:
        await posted(redacting.database, f"tr-{number}", ts=f"{number}.1")
    await posted(redacting.database, "elsewhere", channel="C2", ts="99.1")
    await redacting.database.forgetting.delete_traces([*(f"tr-{number}" for number in numbers), "elsewhere"])
    redacting.slack.answers["chat.update"].extend([failure] * calls)
    await redacting.redactor.redact_now()
    redactions = await redacting.database.forgetting.redactions_due(FOREVER_MS)
    assert {each.channel for each in redactions} == {"C1"}
    assert sorted(each.attempts for each in redactions) == [0] * (19 - calls) + [1] * calls
    assert [call["channel"] for call in redacting.slack.of("chat.update")] == ["C1"] * calls + ["C2"]


async def test_messages_are_redacted_once_slack_is_there_again(redacting: Redacting) -> None:
    redacting.slack.answers["chat.update"].extend([CUT] * 4)
    async with running(redacting.redactor.run) as part:
        await until(lambda: nothing_left(redacting), part)
    assert redacting.health.problems() == ()


async def nothing_left(redacting: Redacting) -> bool:
    await redacting.redactor.redact_now()
    return not await redacting.left()


async def test_a_bug_leaves_its_message_for_later_and_stops_no_other(redacting: Redacting) -> None:
    redacting.slack.answers["chat.update"].append(KeyError("a bug"))
    await redacting.redactor.redact_now()
    assert await redacting.left() == ["1.1"]
    assert len(redacting.slack.of("chat.update")) == 2


@pytest.mark.parametrize("code", ["message_not_found", "cant_update_message", "edit_window_closed"])
async def test_a_message_that_nobody_can_change_is_not_tried_again(redacting: Redacting, code: str) -> None:
    redacting.slack.answers["chat.update"].append(refusal(code))
    await redacting.redactor.redact_now()
    assert (await redacting.left(), redacting.health.problems()) == ([], ())


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("forgotten", "Forgotten on"),
        ("forgotten_reply", "together with the card"),
        ("expired", "older than I keep traces"),
        ("taken_back", "Taken back"),
    ],
)
async def test_the_note_says_why_the_content_is_gone(
    database: Database, kind: RedactionKind, words: str
) -> None:
    redacting = Redacting(database)
    await posted(database, "tr-1", ts="1.1")
    await database.forgetting.delete_traces(["tr-1"], None, kind)
    await redacting.redactor.redact_now()
    [update] = redacting.slack.of("chat.update")
    assert words in update["text"]
    assert "tr-1" not in str(update)


async def test_what_arrived_after_it_was_forgotten_is_deleted(database: Database) -> None:
    redacting = Redacting(database)
    await posted(database, "tr-1", ts="1.1")
    await database.forgetting.delete_traces(["tr-1"], None, "remove")
    await redacting.redactor.redact_now()
    assert [call["ts"] for call in redacting.slack.of("chat.delete")] == ["1.1"]
    assert redacting.slack.of("chat.update") == []
