"""A trace is forgotten through every door, whatever its id looks like."""

import html
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from bot.sandbox import Workspace
from bot.web.local_control import ask_to_forget
from tests.bot.bot_in_workspace import BotInWorkspace, bot_in_workspace

ODD_IDS = [
    "<x>",
    "&lt;x&gt;",
    "q=1&amp;p=2",
    "a&b",
    "run.example.com",
    "https://run.example.com/a?b=1&c=2",
    "<http://run.example.com|run.example.com>",
    "https://demo.slack.com/archives/C0000000001/p1700000000000000",
    "two  blanks",
    "--yes",
    "--person",
    "tr-1 --yes",
    "--person me",
    "x --person y",
    "—yes",
    "line\u2028separator",
    "no-break\u00a0\u00a0blanks",
    "tr",
    "tr-1",
    "me",
    "<@U0000000001>",
    "`code`",
    "*bold* _it_ ~no~",
    ":tada:",
    "\U0001f469\u200d\U0001f680",
    "Übung\u00a0…",
    "x" * 500,
]

Door = Callable[[BotInWorkspace, str], Awaitable[str]]


@pytest.fixture
async def harness(tmp_path: Path) -> AsyncIterator[BotInWorkspace]:
    async with bot_in_workspace(tmp_path) as ready:
        await ready.send(*({"trace_id": name, "inputs": "Hello?", "outputs": "Go away."} for name in ODD_IDS))
        for trace_id in ODD_IDS:
            await ready.card(trace_id)
        yield ready


async def typed(harness: BotInWorkspace, trace_id: str) -> str:
    return (await harness.asked(harness.ana, f"forget {trace_id}"))[0]


async def shortcut(harness: BotInWorkspace, trace_id: str) -> str:
    card = await harness.card(trace_id)
    return await harness.ephemeral_answer(
        harness.slack.interactions.shortcut(harness.ana.id, card.channel, card.ts, "forget_trace")
    )


async def known(harness: BotInWorkspace) -> set[str]:
    return {name for name in ODD_IDS if await harness.bot.database.traces.get(name)}


@pytest.mark.parametrize("preview", [typed, shortcut])
async def test_a_preview_and_its_button_forget_the_trace(harness: BotInWorkspace, preview: Door) -> None:
    for place, trace_id in enumerate(ODD_IDS):
        assert f"Forget trace {shown(trace_id)}?" in await preview(harness, trace_id)
        asking = harness.slack.ephemerals[-1]
        done = await harness.ephemeral_answer(
            harness.slack.interactions.click(harness.ana.id, asking.channel, asking.ts, "forget_confirm")
        )
        assert f"Trace {shown(trace_id)} is forgotten" in done
        assert await known(harness) == set(ODD_IDS[place + 1 :])


async def test_a_command_with_yes_forgets_the_trace(harness: BotInWorkspace) -> None:
    # a whole text that is an id is never taken for an option: "tr-1 --yes" goes before "tr-1"
    for place, trace_id in enumerate(ODD_IDS):
        [answer] = await harness.asked(harness.ana, f"forget {trace_id} --yes")
        assert f"Trace {shown(trace_id)} is forgotten" in answer
        assert await known(harness) == set(ODD_IDS[place + 1 :])


async def test_a_command_with_yes_only_shows_a_trace_whose_id_ends_so(harness: BotInWorkspace) -> None:
    [answer] = await harness.asked(harness.ana, "forget tr-1 --yes")
    assert "Forget trace tr-1 --yes?" in answer
    assert await known(harness) == set(ODD_IDS)


async def test_the_endpoint_forgets_the_trace(harness: BotInWorkspace, tmp_path: Path) -> None:
    for place, trace_id in enumerate(ODD_IDS):
        [forgotten] = await ask_to_forget(tmp_path / "store", [trace_id], None)
        assert forgotten["trace_id"] == trace_id
        assert await known(harness) == set(ODD_IDS[place + 1 :])


async def test_cards_of_odd_ids_are_redacted(tmp_path: Path) -> None:
    async with bot_in_workspace(tmp_path, workspace=Workspace()) as harness:
        await harness.send({"trace_id": "<x>", "inputs": "Hello?", "outputs": "Go away."})
        await harness.card("<x>")
        await harness.asked(harness.ana, "forget <x> --yes")
        await harness.until(lambda: harness.shown("<x>") is None)
        assert not await known(harness)


def shown(trace_id: str) -> str:
    """The id as a message has it: escaped, cut, and in one line."""
    escaped = html.escape(trace_id, quote=False).replace("\u2028", " ")
    return escaped if len(escaped) <= 300 else escaped[:299] + "…"
