"""Storing the evidence that led a judge beside all it was shown; verdicts of earlier versions name nothing."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from memalign.records import Json
from storage.database import Database
from storage.engines.sqlite_file import FILE
from storage.guideline_uses import GuidelineUse
from storage.table_rows import pack, unpack
from storage.verdicts import verdict_id_of
from tests.storage.records import DAY, verdict

SHOWN = replace(
    verdict(),
    shown_guideline_ids=("g-1", "g-2"),
    guideline_wordings=("g-1", "g-3"),
    retrieved_trace_ids=("tr-8", "tr-9"),
    similarities=(0.5, 0.25),
)


async def keep(folder: Path, **fields: Json) -> None:
    async with await Database.open(folder) as database:
        await database.verdicts.keep(replace(SHOWN, **fields), channel="C1", judged_ms=7, day=DAY)


def turn_back(folder: Path, version: int) -> None:
    """Write the store as versions 2 and 3 did: `guideline_ids` were all that the judge was shown; 2 counted no uses."""
    with closing(sqlite3.connect(folder / FILE)) as connection, connection:
        for position, raw in connection.execute("SELECT position, body FROM verdicts").fetchall():
            body = unpack(raw)
            new = body["verdict"]
            old = {name: new[name] for name in new if name not in ("shown_guideline_ids", "cited_trace_ids")}
            body["verdict"] = {**old, "guideline_ids": new["shown_guideline_ids"]}
            connection.execute("UPDATE verdicts SET body = ? WHERE position = ?", (pack(body), position))
        if version < 3:
            connection.execute("DROP TABLE guideline_uses")
        connection.execute(f"PRAGMA user_version = {version}")


async def test_a_verdict_keeps_what_led_it_apart_from_what_it_was_shown(tmp_path: Path) -> None:
    await keep(tmp_path, guideline_ids=("g-2",), cited_trace_ids=("tr-9",))

    async with await Database.open(tmp_path) as database:
        stored = await database.verdicts.get(verdict_id_of("polite", "tr-1"))

    assert stored is not None
    assert stored.verdict == replace(SHOWN, guideline_ids=("g-2",), cited_trace_ids=("tr-9",))


async def test_a_forgotten_case_leaves_the_evidence_of_other_verdicts_which_only_count_it(
    tmp_path: Path,
) -> None:
    await keep(tmp_path, cited_trace_ids=("tr-9",))
    verdict_id = verdict_id_of("polite", "tr-1")

    async with await Database.open(tmp_path) as database:
        for trace_id in ("tr-9", "tr-7", "tr-8"):
            await database.forgetting.delete_traces([trace_id])
            if trace_id == "tr-9":
                after_first = await database.verdicts.get(verdict_id)
        stored = await database.verdicts.get(verdict_id)
        found = await database.verdicts.shown_evidence({"tr-8", "tr-9"}, ())

    assert after_first is not None
    assert stored is not None
    assert after_first.verdict == replace(SHOWN, retrieved_trace_ids=("tr-8",), similarities=(0.5,))
    assert (after_first.forgotten_cases, after_first.forgotten_cited_cases) == (1, 1)
    assert stored.verdict == replace(SHOWN, retrieved_trace_ids=(), similarities=())
    assert (stored.forgotten_cases, stored.forgotten_cited_cases) == (2, 1)
    assert found == []
    assert not any(name in (tmp_path / FILE).read_bytes() for name in (b"tr-8", b"tr-9"))


async def test_a_case_in_many_verdicts_leaves_them_some_at_a_time(tmp_path: Path) -> None:
    async with await Database.open(tmp_path) as database:
        for number in range(5):
            verdict_on = replace(SHOWN, trace_id=f"tr-1{number}", cited_trace_ids=("tr-9",))
            await database.verdicts.keep(verdict_on, channel="C1", judged_ms=7, day=DAY)
        numbers = [await database.verdicts.remove_case("tr-9", 2) for _ in range(4)]
        kept = await database.verdicts.page()

    assert numbers == [2, 2, 1, 0]
    assert [(each.forgotten_cases, each.forgotten_cited_cases) for each in kept] == [(1, 1)] * 5


async def test_a_case_forgotten_while_the_judge_had_it_before_it_is_counted_only(tmp_path: Path) -> None:
    async with await Database.open(tmp_path) as database:
        await database.forgetting.delete_traces(["tr-9"])
    await keep(tmp_path, cited_trace_ids=("tr-9",))
    async with await Database.open(tmp_path) as database:
        stored = await database.verdicts.get(verdict_id_of("polite", "tr-1"))

    assert stored is not None
    assert stored.verdict == replace(SHOWN, retrieved_trace_ids=("tr-8",), similarities=(0.5,))
    assert (stored.forgotten_cases, stored.forgotten_cited_cases) == (1, 1)


async def test_similarities_that_are_not_known_stay_so_when_a_case_is_forgotten(tmp_path: Path) -> None:
    await keep(tmp_path, similarities=())

    async with await Database.open(tmp_path) as database:
        await database.forgetting.delete_traces(["tr-9"])
        stored = await database.verdicts.get(verdict_id_of("polite", "tr-1"))

    assert stored is not None
    assert stored.verdict == replace(SHOWN, retrieved_trace_ids=("tr-8",), similarities=())


@pytest.mark.parametrize("read_only", [False, True])
@pytest.mark.parametrize("version", [2, 3])
async def test_guidelines_of_an_earlier_version_are_those_that_were_shown_and_none_that_led(
    tmp_path: Path, read_only: bool, version: int
) -> None:
    await keep(tmp_path)
    turn_back(tmp_path, version)

    async with await Database.open(tmp_path, read_only=read_only) as database:
        stored = await database.verdicts.get(verdict_id_of("polite", "tr-1"))
        by_rule = await database.verdicts.shown_evidence((), {"g-2"})
        uses = await database.guideline_uses.of_judge("polite")

    assert stored is not None
    assert stored.verdict == SHOWN
    assert by_rule == [stored]
    assert uses == {name: GuidelineUse(verdicts=1, last_ms=7) for name in ("g-1", "g-2")}
