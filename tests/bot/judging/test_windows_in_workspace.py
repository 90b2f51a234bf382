"""A running bot whose judges expect more traces than they may show: cards come at the ends of windows."""

import asyncio
from datetime import timedelta
from pathlib import Path

from bot.runtime.clock import from_ms, now_ms
from bot.sandbox import Workspace
from memalign.records import Json
from storage.database import Database
from storage.records import LocalHour
from tests.bot.bot_in_workspace import JUDGE, BotInWorkspace, bot_in_workspace

WINDOWS_A_DAY = 43_200
"""Of two seconds each."""
SAMPLING = {"rate": 1.0, "max_per_day": WINDOWS_A_DAY}


async def note_busy_days(database: Database) -> None:
    """Note as much traffic for yesterday, in each hour, as makes today one of windows."""
    yesterday = (from_ms(now_ms()) - timedelta(days=1)).date().isoformat()

    def count() -> None:
        for hour in range(24):
            database.traffic.count(LocalHour(day=yesterday, hour=hour), {JUDGE: WINDOWS_A_DAY})

    await database.store.write(count)


async def prepared(folder: Path) -> None:
    async with await Database.open(folder / "store") as database:
        await note_busy_days(database)


def a_trace(number: int) -> Json:
    return {"trace_id": f"tr-{number}", "inputs": "Can you help me?", "outputs": f"Answer {number}."}


async def cards(harness: BotInWorkspace) -> list[str]:
    """Return the traces that are shown in the channel."""
    payloads = [
        (message.metadata or {}).get("event_payload", {})
        for message in harness.workspace.messages(harness.channel.id)
    ]
    return [payload["trace_id"] for payload in payloads if "trace_id" in payload]


async def test_of_each_window_one_trace_is_shown(tmp_path: Path) -> None:
    await prepared(tmp_path)
    async with bot_in_workspace(tmp_path, sampling=SAMPLING) as harness:
        answer = await harness.send(*map(a_trace, range(40)))
        assert answer == {"accepted": 40, "duplicates": 0, "rejected": []}
        await harness.until_async(lambda: shown(harness, 1))
        await harness.send(*map(a_trace, range(40, 80)))
        await harness.until_async(lambda: shown(harness, 2))
        answer = await harness.send(*map(a_trace, range(80)))
        assert answer["duplicates"] == 80
        # nothing of them opens a window
        await asyncio.sleep(3)
        first, second = await cards(harness)
        assert (int(first[3:]) < 40, int(second[3:]) >= 40) == (True, True)
        for trace_id in (first, second):
            [stored] = await harness.bot.database.verdicts.of_trace(trace_id)
            assert 0 < stored.selection.probability < 1
        known = [each for each in range(80) if await harness.bot.database.traces.get(f"tr-{each}")]
        assert known == [int(first[3:]), int(second[3:])]


async def shown(harness: BotInWorkspace, number: int) -> bool:
    return len(await cards(harness)) == number


async def test_a_window_that_ended_while_the_bot_was_down_gets_its_card(tmp_path: Path) -> None:
    await prepared(tmp_path)
    workspace = Workspace()
    async with bot_in_workspace(tmp_path, workspace=workspace, sampling=SAMPLING) as harness:
        await harness.send(*map(a_trace, range(20)))
    await asyncio.sleep(2.5)
    async with bot_in_workspace(tmp_path, workspace=workspace, sampling=SAMPLING) as harness:
        await harness.until_async(lambda: shown(harness, 1))
        [(trace_id)] = await cards(harness)
        assert await harness.bot.database.traces.get(trace_id) is not None


async def test_without_a_day_before_cards_go_at_once_up_to_the_cap(tmp_path: Path) -> None:
    sampling = {"rate": 1.0, "max_per_day": 5}
    async with bot_in_workspace(tmp_path, sampling=sampling) as harness:
        await harness.send(*map(a_trace, range(40)))
        await harness.until_async(lambda: shown(harness, 5))
        assert await harness.bot.database.traces.waiting() == 0
        [stored] = await harness.bot.database.verdicts.of_trace((await cards(harness))[0])
        assert (stored.selection.probability, stored.selection.reason) == (1.0, "all")


async def test_a_candidate_is_forgotten_and_paused_judges_have_none(tmp_path: Path) -> None:
    await prepared(tmp_path)
    # the whole day is one window
    sampling = {"rate": 1.0, "max_per_day": 1}
    async with bot_in_workspace(tmp_path, sampling=sampling) as harness:
        await harness.send(a_trace(1), a_trace(2))
        assert any("2 traces came since 00:00" in line for line in await harness.asked(harness.ana, "status"))
        await harness.asked(harness.ana, "forget tr-1 --yes")
        await harness.until_async(lambda: is_gone(harness, "tr-1"))
        assert await harness.bot.database.traces.get("tr-2") is not None
        await harness.asked(harness.ana, "pause")
        assert await is_gone(harness, "tr-2")
        assert await harness.bot.database.candidates.open_windows(now_ms()) == []


async def is_gone(harness: BotInWorkspace, trace_id: str) -> bool:
    return await harness.bot.database.traces.get(trace_id) is None
