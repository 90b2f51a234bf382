"""The status: whatever waits for long is told, with its reason."""

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import pytest

from bot.blocks.commands import status_message
from bot.config import Settings
from bot.reports.status import StatusReport
from bot.runtime.clock import from_ms, now_ms
from bot.runtime.health import HealthRegistry
from bot.runtime.reference_clock import ReferenceClock
from bot.runtime.work_in_hand import WorkInHand
from memalign.judge_memory import JudgeMemory
from storage.database import Database
from storage.records import AuditLine, Candidate, CandidateWindow, ForgetRequest
from tests.bot.bot_in_workspace import settings_for
from tests.factories import a_memory, a_trace
from tests.storage.records import button_event, note, posted


class Reporting:
    """A status report with a clock of its own for work in hand."""

    def __init__(self, database: Database, settings: Settings, memories: Mapping[str, JudgeMemory]) -> None:
        self.database = database
        self.health = HealthRegistry(WorkInHand(lambda: self.now))
        self.report = StatusReport(
            settings, database, memories, is_connected, self.health, ReferenceClock(self.own_ms), self.own_ms
        )
        self.now = 0.0

    def own_ms(self) -> int:
        return now_ms() + int(self.now * 1000)

    async def troubles(self) -> list[str]:
        return list((await self.report.read()).troubles)


async def is_connected() -> bool:
    return True


@pytest.fixture
async def reporting(database: Database, tmp_path: Path) -> Reporting:
    return Reporting(database, settings_for(tmp_path, "C1"), {"politeness": await a_memory()})


async def test_what_has_just_begun_is_no_trouble(reporting: Reporting) -> None:
    with reporting.health.work.doing("judging", "politeness", "judging a trace with openai:/m"):
        reporting.now = 19
        assert await reporting.troubles() == []


async def test_what_has_been_in_hand_for_long_is_told_until_it_ends(reporting: Reporting) -> None:
    with reporting.health.work.doing("judging", "politeness", "judging a trace with openai:/m"):
        reporting.now = 21
        assert await reporting.troubles() == [
            "politeness: judging a trace with openai:/m has taken 21 s so far"
        ]
    assert await reporting.troubles() == []


async def test_a_channel_is_called_by_its_judges(reporting: Reporting) -> None:
    with (
        reporting.health.work.doing("posting", "C1", "posting a message"),
        reporting.health.work.doing("posting", "C1", "posting a message"),
    ):
        reporting.now = 60
        (trouble,) = await reporting.troubles()
    assert "C1" not in trouble
    assert trouble.endswith("posting a message has taken 60 s so far (2 at once)")


async def test_a_trace_that_has_waited_long_for_its_turn_is_told(reporting: Reporting) -> None:
    await reporting.database.traces.add([(a_trace("tr-1"), ["politeness"])], now_ms() - 30_000, 10)
    (trouble,) = await reporting.troubles()
    assert trouble.startswith("politeness: a trace has waited 30 s for its turn")


async def test_of_a_judge_that_is_down_the_reason_is_told_and_not_the_queue(reporting: Reporting) -> None:
    await reporting.database.traces.add([(a_trace("tr-1"), ["politeness"])], now_ms() - 30_000, 10)
    reporting.health.report("judging", "politeness", "its model is down")
    assert await reporting.troubles() == ["politeness: its model is down"]


async def waiting_feedback(database: Database) -> None:
    await posted(database, judge="politeness", ts="1.1")
    await database.feedback.note("C1", "1.1", button_event("U1", "up", f"{now_ms() / 1000:.6f}"))


async def waiting_post(database: Database) -> None:
    await database.outbox.add(note("a"))


async def waiting_redaction(database: Database) -> None:
    await posted(database, judge="politeness", ts="1.1")
    await database.forgetting.delete_traces(["tr-1"])


async def waiting_request(database: Database) -> None:
    line = AuditLine(at_ms=now_ms(), what="forgotten", judge="", ids=("tr-1",))
    await database.forgetting.request(ForgetRequest(kind="trace", target="tr-1", notes=(line,)))


@pytest.mark.parametrize(
    ("wait", "sentence"),
    [
        (waiting_feedback, "politeness: feedback has waited 3"),
        (waiting_post, "C1: a message has waited 3"),
        (waiting_redaction, "C1: a message that shows what was forgotten has waited 3"),
        (waiting_request, "forgetting: a request to forget has waited 3"),
    ],
)
async def test_whatever_has_waited_for_long_is_told(
    reporting: Reporting, wait: Callable[[Database], Awaitable[None]], sentence: str
) -> None:
    await wait(reporting.database)
    reporting.now = 15
    assert await reporting.troubles() == []
    reporting.now = 30.5
    (trouble,) = await reporting.troubles()
    assert trouble.replace("the channel of politeness", "C1").startswith(sentence)


async def test_the_reason_of_what_was_put_off_before_a_restart_is_told(reporting: Reporting) -> None:
    later_ms = now_ms() + 3_600_000
    await reporting.database.traces.add([(a_trace("tr-2"), ["politeness"])], now_ms(), 10)
    await reporting.database.traces.postpone("tr-2", "politeness", later_ms, "its model is down")
    await waiting_post(reporting.database)
    await reporting.database.outbox.start("a")
    await reporting.database.outbox.hold("a", later_ms, "Slack asks to slow down")
    told = await reporting.troubles()
    assert [trouble.partition(": ")[2] for trouble in told] == [
        "its model is down",
        "Slack asks to slow down",
    ]


async def show_cards(reporting: Reporting, shown: int, answered: int, days_ago: int = 2) -> None:
    """Let cards be posted in C1, of which somebody answers some."""
    for number in range(shown):
        ts = f"{now_ms() / 1000 - days_ago * 24 * 3600 + number:.6f}"
        await posted(reporting.database, f"shown-{number}", "politeness", ts=ts)
        if number < answered:
            now = f"{now_ms() / 1000:.6f}"
            await reporting.database.feedback.note("C1", ts, button_event("U1", "up", now))


async def remarks(reporting: Reporting) -> tuple[str, ...]:
    return (await reporting.report.read()).remarks


async def test_a_channel_that_answers_little_is_told_of_as_no_trouble(
    database: Database, tmp_path: Path
) -> None:
    settings = settings_for(tmp_path, "C1", sampling={"max_per_day": 30})
    reporting = Reporting(database, settings, {"politeness": await a_memory()})
    await show_cards(reporting, 20, 2)
    sentence = (
        "The channel of politeness is shown 10 cards a day instead of 30, "
        "since people answered 2 of its last 20."
    )
    assert await remarks(reporting) == (sentence,)
    assert await reporting.troubles() == []
    assert (await reporting.report.read_about(())).remarks == ()
    shown = status_message(await reporting.report.read())
    assert sentence in str(shown.blocks)


@pytest.mark.parametrize(("shown", "answered", "days_ago"), [(20, 6, 2), (19, 0, 2), (30, 0, 0)])
async def test_of_a_channel_that_answers_or_has_had_no_time_to_nothing_is_told(
    reporting: Reporting, shown: int, answered: int, days_ago: int
) -> None:
    await show_cards(reporting, shown, answered, days_ago)
    assert await remarks(reporting) == ()


async def add_candidates(reporting: Reporting, ended_ms_ago: int, *trace_ids: str) -> CandidateWindow:
    end_ms = now_ms() - ended_ms_ago
    drawn = {
        place: [
            Candidate(
                trace_id=trace_id,
                judge="politeness",
                window_start_ms=end_ms - 3_600_000,
                window_end_ms=end_ms,
                rank=0.5,
                received_ms=end_ms - 60_000,
            )
        ]
        for place, trace_id in enumerate(trace_ids)
    }
    batch = [(a_trace(each), ()) for each in trace_ids]
    await reporting.database.traces.add(batch, now_ms(), 100, candidates=drawn)
    return CandidateWindow(judge="politeness", start_ms=end_ms - 3_600_000, end_ms=end_ms)


@pytest.mark.parametrize(
    ("trace_ids", "words"),
    [
        (["a"], "1 trace came since {}; it may get"),
        (["a", "b"], "2 traces came since {}; one of them may get"),
    ],
)
async def test_an_open_window_is_told_of_and_is_not_stuck(
    reporting: Reporting, trace_ids: list[str], words: str
) -> None:
    window = await add_candidates(reporting, -3_000_000, *trace_ids)
    start, end = (f"{from_ms(ms):%H:%M}" for ms in (window.start_ms, window.end_ms))
    assert await remarks(reporting) == (f"politeness: {words.format(start)} a card at {end}.",)
    assert await reporting.troubles() == []


async def test_a_window_whose_card_has_waited_long_is_told(reporting: Reporting) -> None:
    window = await add_candidates(reporting, 30_000, "a")
    (trouble,) = await reporting.troubles()
    assert trouble.startswith("politeness: the choice of a card has waited 3")
    await reporting.database.candidates.postpone(window, now_ms() + 60_000, "The model is down.")
    assert await reporting.troubles() == ["politeness: The model is down."]
    assert await remarks(reporting) == ()
