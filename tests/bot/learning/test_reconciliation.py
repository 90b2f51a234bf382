"""The reconciler: cards are read again after a start or a gap, and what differs is stored."""

from pathlib import Path

import pytest

from bot.config import RedactionSettings, Settings
from bot.learning.card_reader import CardReader
from bot.learning.reconciliation import CardReconciler
from bot.redaction.redactor import Redactor
from bot.runtime.clock import now_ms
from bot.runtime.health import HealthRegistry
from bot.slack.errors import SlackCallError
from memalign.records import Json
from storage.database import Database
from storage.verdicts import card_post_id_of
from tests.bot.bot_in_workspace import settings_for
from tests.bot.fakes import CUT, ODD_ANSWERS, Answer, FakeSlack, Wakes, refusal, running, until
from tests.storage.records import judged

JUDGE = "politeness"
HELD = {"reactions": [{"name": "-1", "users": ["ana"], "count": 1}]}


class Reconciling:
    """A reconciler on a store and a fake Slack, whose connection the test makes and breaks."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self.database = database
        self.slack = FakeSlack()
        self.slack.reactions = HELD["reactions"]
        self.health = HealthRegistry()
        self.learning = Wakes()
        self.connection: object | None = object()
        reader = CardReader(self.slack, database, Redactor(RedactionSettings()).event)
        self.reconciler = CardReconciler(
            settings, database, reader, self._session, self.health, self.learning, card_seconds=0.0
        )

    async def _session(self) -> object | None:
        return self.connection

    async def card(self, trace_id: str, judge: str = JUDGE, channel: str = "C1") -> str:
        """A card of now; its verdict's id."""
        verdict_id = await judged(self.database, trace_id, judge, channel, judged_ms=now_ms())
        ts = f"{now_ms() / 1000 - 60 + int(trace_id[3:]):.6f}"
        await self.database.outbox.start(card_post_id_of(verdict_id))
        await self.database.outbox.done(card_post_id_of(verdict_id), ts)
        return verdict_id

    async def voters(self, verdict_id: str) -> list[str]:
        events = await self.database.feedback.of(verdict_id)
        return [person for person, known in events.items() if known.reactions["-1"].value]

    def read(self) -> list[Json]:
        """The calls by which cards were read."""
        return self.slack.of("reactions.get")


@pytest.fixture
def reconciling(database: Database, tmp_path: Path) -> Reconciling:
    return Reconciling(database, settings_for(tmp_path, "C1"))


async def test_a_thumb_given_meanwhile_is_stored_and_learning_is_woken(reconciling: Reconciling) -> None:
    verdict_id = await reconciling.card("tr-1")
    async with running(reconciling.reconciler.run) as part:
        await until(reconciling.reconciler.is_up_to_date, part)
    assert await reconciling.voters(verdict_id) == ["ana"]
    assert (reconciling.learning.count, len(reconciling.read())) == (1, 1)


async def test_a_card_with_nothing_new_wakes_nobody(reconciling: Reconciling) -> None:
    reconciling.slack.reactions = []
    await reconciling.card("tr-1")
    async with running(reconciling.reconciler.run) as part:
        await until(reconciling.reconciler.is_up_to_date, part)
    assert reconciling.learning.count == 0


async def test_nothing_is_read_while_there_is_no_connection(reconciling: Reconciling) -> None:
    await reconciling.card("tr-1")
    reconciling.connection = None
    async with running(reconciling.reconciler.run):
        assert not await reconciling.reconciler.is_up_to_date()
    assert reconciling.read() == []


async def test_after_each_gap_the_cards_are_read_again(reconciling: Reconciling) -> None:
    await reconciling.card("tr-1")
    async with running(reconciling.reconciler.run) as part:
        await until(reconciling.reconciler.is_up_to_date, part)
        reconciling.connection = object()
        await until(reconciling.reconciler.is_up_to_date, part)
    assert len(reconciling.read()) == 2


@pytest.mark.parametrize("method", ["reactions.get", "conversations.replies"])
@pytest.mark.parametrize(
    "answer", [*ODD_ANSWERS.values(), Answer(data={"ok": True})], ids=[*ODD_ANSWERS, "no message"]
)
async def test_an_odd_answer_about_one_card_leaves_it_for_later_and_stops_no_other(
    reconciling: Reconciling, method: str, answer: Answer | Exception
) -> None:
    reconciling.slack.answers[method].append(answer)
    reader = CardReader(reconciling.slack, reconciling.database, Redactor(RedactionSettings()).event)
    first, second = [
        await reconciling.database.verdicts.get(await reconciling.card(f"tr-{n}")) for n in (1, 2)
    ]
    assert first is not None
    assert second is not None
    with pytest.raises(SlackCallError):
        await reader.read(first)
    assert await reader.read(second)
    assert await reconciling.voters(first.verdict_id) == []


@pytest.mark.parametrize("failure", [CUT, ODD_ANSWERS["200 JSON that is none"], KeyError("a bug")], ids=repr)
async def test_what_failed_once_is_read_later_and_health_is_well_again(
    reconciling: Reconciling, failure: Exception
) -> None:
    verdict_ids = [await reconciling.card(f"tr-{number}") for number in (1, 2)]
    reconciling.slack.answers["reactions.get"].append(failure)
    async with running(reconciling.reconciler.run) as part:
        await until(lambda: reconciling.health.reason("reading cards", JUDGE), part)
        await until(reconciling.reconciler.is_up_to_date, part)
    assert [await reconciling.voters(verdict_id) for verdict_id in verdict_ids] == [["ana"], ["ana"]]
    assert reconciling.health.problems() == ()


async def test_a_judge_whose_channel_is_closed_to_the_bot_holds_up_no_other(
    database: Database, tmp_path: Path
) -> None:
    judges = [{}, {"name": "brevity", "channel": "C2"}]
    reconciling = Reconciling(database, settings_for(tmp_path, "C1", judges=judges))
    await reconciling.card("tr-1")
    other = await reconciling.card("tr-2", "brevity", "C2")
    reconciling.slack.answers["reactions.get"].append(refusal("not_in_channel"))
    async with running(reconciling.reconciler.run) as part:
        await until(lambda: reconciling.voters(other), part)
        assert reconciling.health.subjects("reading cards") == {JUDGE}
        assert "invite" in (reconciling.health.reason("reading cards", JUDGE) or "")


@pytest.mark.parametrize("code", ["message_not_found", "thread_not_found"])
async def test_a_card_that_is_gone_is_not_waited_for(reconciling: Reconciling, code: str) -> None:
    await reconciling.card("tr-1")
    reconciling.slack.answers["reactions.get"].append(refusal(code))
    async with running(reconciling.reconciler.run) as part:
        await until(reconciling.reconciler.is_up_to_date, part)
    assert reconciling.health.problems() == ()


async def test_a_card_in_a_channel_that_its_judge_has_left_is_not_waited_for(
    database: Database, tmp_path: Path
) -> None:
    reconciling = Reconciling(database, settings_for(tmp_path, "C2"))
    await reconciling.card("tr-1", channel="C1")
    reconciling.slack.answers["reactions.get"].append(refusal("channel_not_found"))
    async with running(reconciling.reconciler.run) as part:
        await until(reconciling.reconciler.is_up_to_date, part)
    assert reconciling.health.problems() == ()
