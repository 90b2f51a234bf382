"""Forgetting that was asked for is finished, whatever happens in its middle; and nothing of it is left."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.runtime.clock import now_ms
from bot.sandbox import Workspace
from memalign.memory.embedding_cache import VectorCache
from memalign.models import connect_embedder
from memalign.ports import Vector
from storage.database import Database
from storage.records import AuditLine, ForgetRequest
from tests.bot.bot_in_workspace import BotInWorkspace, bot_in_workspace, words
from tests.secrets import search

QUESTION = 'Where is my Grüße-"parcel"?'
ANSWER = "Wherever you lost it, dear Zoë."
REASON = "An answer should never blame the customer for a lost parcel."


@pytest.fixture
async def harness(tmp_path: Path) -> AsyncIterator[BotInWorkspace]:
    async with bot_in_workspace(tmp_path) as ready:
        yield ready


async def taught(harness: BotInWorkspace, trace_id: str = "tr-1") -> None:
    await harness.send({"trace_id": trace_id, "inputs": {"question": QUESTION}, "outputs": ANSWER})
    card = await harness.card(trace_id)
    harness.react(card, "-1")
    harness.reply(card, REASON)
    await harness.learned()


async def vectors_of_parts(harness: BotInWorkspace) -> list[Vector]:
    """The vectors, as the store keeps them, of what the application was given and of what it made."""
    (episode,) = harness.bot.memories["politeness"].episodes.values()
    cache = VectorCache(connect_embedder("local:/wordllama", 256), harness.bot.database.memories)
    return list((await cache.known(episode.case_text)).values())


async def test_no_byte_of_a_forgotten_trace_is_in_any_file_or_line_of_the_log(
    harness: BotInWorkspace, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    await taught(harness)
    vectors = await vectors_of_parts(harness)
    secrets = [QUESTION, ANSWER, REASON, "Grüße", "Zoë", "blame the customer"]
    before = search(tmp_path, secrets, vectors)
    assert len(vectors) == 2
    assert REASON.encode() in {needle for _, needle in before.found}
    assert any(len(needle) == 64 for _, needle in before.found)
    caplog.clear()
    await harness.asked(harness.ana, "forget tr-1 --yes")
    after = search(tmp_path, secrets, vectors)
    assert after.found == ()
    assert after.size > 10_000
    logged = [
        record.getMessage() for record in caplog.records if not record.name.startswith(("slack", "tests"))
    ]
    assert not any(secret in line for line in logged for secret in secrets)


async def test_a_forgotten_trace_is_not_taken_again(harness: BotInWorkspace) -> None:
    await taught(harness)
    card = harness.shown("tr-1")
    assert card is not None
    await harness.asked(harness.ana, "forget tr-1 --yes")
    report = await harness.send({"trace_id": "tr-1", "inputs": QUESTION, "outputs": ANSWER})
    assert report["accepted"] == 0
    assert "was forgotten" in report["rejected"][0]["error"]
    harness.react(card, "+1")
    harness.slack.faults.redeliver_last()
    await harness.learned()
    assert harness.labels() == {}


async def interrupted(folder: Path, kind: str, target: str, who: str) -> None:
    """Leave behind what a kill does just after somebody's confirmation was acknowledged."""
    note = AuditLine(at_ms=now_ms(), what="forgotten", judge="politeness", person=who, ids=(target,))
    async with await Database.open(folder / "store") as db:
        await db.forgetting.request(
            ForgetRequest(kind="trace" if kind == "trace" else "person", target=target, notes=(note,))
        )


@pytest.mark.parametrize("kind", ["trace", "person"])
async def test_what_was_interrupted_is_finished_at_the_next_start(tmp_path: Path, kind: str) -> None:
    workspace = Workspace()
    async with bot_in_workspace(tmp_path, workspace=workspace) as harness:
        await taught(harness)
        ana = harness.ana.id
    await interrupted(tmp_path, kind, "tr-1" if kind == "trace" else ana, ana)
    async with bot_in_workspace(tmp_path, workspace=workspace) as harness:
        database = harness.bot.database
        await harness.until_async(lambda: nothing_unfinished(database))
        assert await database.vacuum()  # the request ends with the rows; the vacuum goes on after it in steps
        if kind == "trace":
            await harness.until(lambda: harness.shown("tr-1") is None)
            assert search(tmp_path / "store", [ANSWER]).found == ()
        lines = await database.audit.between(0, now_ms() + 1)
        assert [line.person for line in lines if line.what == "forgotten"] == [ana]
        assert search(tmp_path / "store", [REASON]).found == ()


async def nothing_unfinished(database: Database) -> bool:
    return not await database.forgetting.requests()


async def test_the_card_is_covered_once_slack_takes_it(harness: BotInWorkspace) -> None:
    await taught(harness)
    harness.slack.faults.fail_next("chat.update", error="is_archived", times=3)
    await harness.asked(harness.ana, "forget tr-1 --yes")
    assert harness.shown("tr-1") is not None
    status = "\n".join(await harness.asked(harness.ana, "status"))
    assert "still stands" in status
    assert "archived" in status
    await harness.until(lambda: harness.shown("tr-1") is None)


async def test_old_traces_that_nobody_answered_go_and_answered_ones_stay(tmp_path: Path) -> None:
    workspace = Workspace()
    async with bot_in_workspace(tmp_path, workspace=workspace) as harness:
        await harness.show("tr-old", outputs="An answer nobody cared for.")
        await taught(harness, "tr-answered")
        erased = await harness.bot.database.forgetting.delete_expired(now_ms() + 1, 10, now_ms())
        assert erased == 1
        assert await harness.bot.database.traces.is_forgotten("tr-old")
        assert await harness.bot.database.vacuum()
        assert search(tmp_path / "store", ["An answer nobody cared for."]).found == ()
        assert await harness.bot.database.traces.get("tr-answered") is not None
        await harness.until(lambda: "older than I keep" in channel_text(harness))


def channel_text(harness: BotInWorkspace) -> str:
    return "\n".join(
        words(message.blocks, message.text) for message in harness.workspace.messages(harness.channel.id)
    )
