"""Uses of guidelines are counted as verdicts come and go, also in a store of an earlier version."""

from pathlib import Path

from memalign.records import Verdict
from storage.database import Database
from storage.guideline_requests import GuidelineRequest
from storage.guideline_uses import GuidelineUse
from tests.storage.test_cited_evidence import turn_back

JUDGE = "politeness"


async def judged(database: Database, trace_id: str, judged_ms: int, *guideline_ids: str) -> None:
    verdict = Verdict(
        judge=JUDGE, trace_id=trace_id, value=True, rationale="kind", shown_guideline_ids=guideline_ids
    )
    await database.verdicts.keep(verdict, channel="C1", judged_ms=judged_ms, day="2026-11-20")


async def test_each_verdict_counts_once_for_each_guideline_it_was_shown(tmp_path: Path) -> None:
    async with await Database.open(tmp_path) as database:
        await judged(database, "tr-1", 1_000, "g-1", "g-2")
        await judged(database, "tr-2", 2_000, "g-1")
        await judged(database, "tr-2", 3_000, "g-1")

        assert await database.guideline_uses.of_judge(JUDGE) == {
            "g-1": GuidelineUse(verdicts=2, last_ms=2_000),
            "g-2": GuidelineUse(verdicts=1, last_ms=1_000),
        }
        assert await database.guideline_uses.of_judge("another") == {}


async def test_a_verdict_counts_for_the_guidelines_that_led_it_until_it_is_forgotten(tmp_path: Path) -> None:
    async with await Database.open(tmp_path) as database:
        for trace_id, cited in (("tr-1", ("g-1",)), ("tr-2", ("g-1", "g-2")), ("tr-3", ())):
            verdict = Verdict(
                judge=JUDGE,
                trace_id=trace_id,
                value=True,
                rationale="kind",
                guideline_ids=cited,
                shown_guideline_ids=("g-1", "g-2"),
            )
            await database.verdicts.keep(verdict, channel="C1", judged_ms=1_000, day="2026-11-20")
        before = await database.guideline_uses.of_judge(JUDGE)
        await database.forgetting.delete_traces(["tr-1"])
        after = await database.guideline_uses.of_judge(JUDGE)

    assert before == {
        "g-1": GuidelineUse(verdicts=3, led=2, last_ms=1_000),
        "g-2": GuidelineUse(verdicts=3, led=1, last_ms=1_000),
    }
    assert after == {name: GuidelineUse(verdicts=2, led=1, last_ms=1_000) for name in ("g-1", "g-2")}


async def test_forgotten_verdicts_count_no_more(tmp_path: Path) -> None:
    async with await Database.open(tmp_path) as database:
        await judged(database, "tr-1", 1_000, "g-1", "g-2")
        await judged(database, "tr-2", 2_000, "g-1")

        await database.forgetting.delete_traces(["tr-1"])

        assert await database.guideline_uses.of_judge(JUDGE) == {
            "g-1": GuidelineUse(verdicts=1, last_ms=2_000)
        }


async def test_a_store_of_an_earlier_version_is_counted_once(tmp_path: Path) -> None:
    async with await Database.open(tmp_path) as database:
        await judged(database, "tr-1", 1_000, "g-1")
        await judged(database, "tr-2", 2_000, "g-1")
        counted = await database.guideline_uses.of_judge(JUDGE)
    turn_back(tmp_path, version=2)

    for _ in range(2):
        async with await Database.open(tmp_path) as database:
            assert await database.guideline_uses.of_judge(JUDGE) == counted


async def test_a_request_outlives_a_restart_until_it_is_finished(tmp_path: Path) -> None:
    request = GuidelineRequest(
        request_id="r-1", action="edit", person="ana", judge=JUDGE, guideline_id="g-1", text="Be kind."
    )
    async with await Database.open(tmp_path) as database:
        await database.guideline_requests.put(request)
        await database.guideline_requests.put(request)
    async with await Database.open(tmp_path) as database:
        assert await database.guideline_requests.unfinished() == [request]
        await database.guideline_requests.finish("r-1")
        assert await database.guideline_requests.unfinished() == []


async def test_a_forgotten_person_asks_for_nothing_any_more(tmp_path: Path) -> None:
    async with await Database.open(tmp_path) as database:
        for person in ("ana", "ben"):
            await database.guideline_requests.put(
                GuidelineRequest(
                    request_id=person, action="add", person=person, judge=JUDGE, text=f"A rule of {person}."
                )
            )

        await database.forgetting.delete_person("ana", 1_000)

        assert [each.person for each in await database.guideline_requests.unfinished()] == ["ben"]
    assert "A rule of ana." not in all_bytes(tmp_path)


def all_bytes(folder: Path) -> str:
    files = (file for file in folder.rglob("*") if file.is_file())
    return "".join(file.read_bytes().decode("latin-1") for file in files)
