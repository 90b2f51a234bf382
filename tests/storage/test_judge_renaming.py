"""A judge is renamed: all that is kept of it goes on under the new name, whole or not at all."""

import asyncio
import re
import shutil
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from random import Random
from subprocess import PIPE, Popen

import pytest

from memalign.errors import StorageError
from memalign.ports import ChangeCause, MemoryChange
from memalign.records import Json, RolledBackCase, TraceTarget
from storage.database import Database
from storage.guideline_requests import GuidelineRequest
from storage.judge_places import JUDGE_PLACES
from storage.judge_renaming import StoredJudge
from storage.label_jobs import LabelledTrace
from storage.records import (
    AuditLine,
    Candidate,
    CandidateWindow,
    DigestMessage,
    EventSubscription,
    ForgetRequest,
    JudgePause,
    LocalHour,
    NoticeContent,
    Post,
    TraceOrigin,
)
from storage.verdicts import verdict_id_of
from tests.storage.records import (
    DAY,
    FOREVER_MS,
    NOON_MS,
    at,
    button_event,
    judged,
    note,
    posted,
    stored,
    trace,
    verdict,
)
from tests.storage.test_judge_settings import BEFORE as FINGERPRINT
from tests.storage.test_memories import episode, guideline

OLD, NEW = "polite", "tone"
ROOT = Path(__file__).parents[2]
TABLES_WITHOUT_JUDGES = {
    "marked_verdicts",
    "open_noise",
    "open_spans",
    "open_traces",
    "own_assessments",
    "reading_positions",
    "trace_origins",
    "traces_without_content",
    *(
        "card_counts",
        "channel_holds",
        "connector_names",
        "deliveries",
        "early_events",
        "excluded_people",
        "forgotten",
    ),
    *("forgotten_cards", "forgotten_people", "joins", "maintenance", "model_calls", "moments"),
    "muted_people",
    *("redactions", "reply_receipts", "sampling", "thread_posts", "unread_replies", "unsampled_traces"),
    *("vector_owners", "vectors"),
    # the judges that an application names for a trace are what it sent
    "traces",
    # the former names, which stand for the present ones
    "judge_names",
}


async def lived(db: Database, judge: str = OLD) -> str:
    """Leave something of a judge in every table; returns the id of a verdict with feedback."""
    subscription = EventSubscription(receiver="hook", types=("verdict.created",), judges=("other", judge))
    await db.outbound_events.subscribe([subscription])
    verdict_id = await posted(db, "tr-1", judge)
    await judged(db, "tr-2", judge)
    await db.feedback.note("C1", "100.1", button_event("U1", "down", at()))
    await db.thread_statuses.tell(await stored(db, verdict_id), [], is_declined=False)
    await db.thread_statuses.note_settings(judge, "settings")
    await db.traces.add([(trace("tr-3"), [judge]), (trace("tr-4"), [judge])], NOON_MS, 1000)
    (job, *_) = await db.traces.next_jobs(NOON_MS, 1)
    await db.traces.give_up(job, "refused")
    shown = replace(verdict("tr-5", judge), shown_guideline_ids=("g1",))
    await db.verdicts.keep(shown, channel="C1", judged_ms=NOON_MS, day=DAY)
    notice = Post(post_id="p1", channel="C1", content=NoticeContent(notice="paused", judge=judge))
    await db.preferences.pause(judge, JudgePause(at_ms=1, person="U1"), notice)
    drawn = Candidate(
        trace_id="tr-6",
        judge=judge,
        window_start_ms=NOON_MS,
        window_end_ms=NOON_MS + 1,
        rank=0.5,
        received_ms=NOON_MS,
    )
    hour = LocalHour(day=DAY, hour=12)
    await db.traces.add([(trace("tr-6"), [])], NOON_MS, 1000, candidates={0: [drawn]}, hour=hour)
    window = CandidateWindow(judge=judge, start_ms=NOON_MS, end_ms=NOON_MS + 1)
    await db.candidates.draw(window, DAY, 0.5, is_drawn=True)
    origin = TraceOrigin(trace_id="tr-7", connector="mlflow:1", reference="tr-7", read_ms=NOON_MS)
    labelled = LabelledTrace(trace=replace(trace("tr-7"), judges=(judge,)), origin=origin)
    await db.label_jobs.add([labelled], NOON_MS)
    await db.outbox.add_digest(f"C1:{judge}", "2023-W46", note("digest"))
    await db.digest_messages.note_shown(
        DigestMessage(post_id="digest", channel="C1", judge=judge, week="2023-W46", trace_ids=("tr-1",))
    )
    await db.guideline_requests.put(
        GuidelineRequest(request_id="r1", action="pin", person="U1", judge=judge, guideline_id="g1")
    )
    line = AuditLine(at_ms=NOON_MS, what="forgotten", judge=judge, ids=("tr-9",))
    await db.forgetting.request(ForgetRequest(kind="trace", target="tr-9", notes=(line,)))
    await db.judge_settings.note(judge, FINGERPRINT, note("unused"), NOON_MS)
    change = MemoryChange(
        put_episodes=(episode("tr-2"), episode("tr-1")),
        put_guidelines=(guideline("g2"), guideline("g1", "Greet people.")),
        undistilled=frozenset({"tr-2"}),
        put_rolled_back=(RolledBackCase(trace_id="tr-1", opinions=(("U1", "0f"),)),),
    )
    await db.memories.save(judge, change)
    return verdict_id


async def documents(db: Database) -> dict[str, list[tuple[str, Json]]]:
    """All documents by table."""

    def read() -> dict[str, list[tuple[str, Json]]]:
        tables = db.store.documents
        return {
            name: [(str(each.doc_id), dict(each)) for each in tables.table(name)] for name in tables.tables()
        }

    return await db.store.read(read)


def strings_in(value: Json) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for each in value.values():
                yield from strings_in(each)
        case list():
            for each in value:
                yield from strings_in(each)


async def tables_with(db: Database, judge: str) -> set[str]:
    """The tables in which a judge's name stands, in an id or a field."""
    return {
        name
        for name, rows in (await documents(db)).items()
        for doc_id, body in rows
        if judge in re.split("[\x00:]", doc_id) or judge in set(strings_in(body))
    }


def test_every_table_is_known_to_hold_a_judges_name_or_not() -> None:
    sources = "".join(path.read_text() for path in (ROOT / "storage").glob("*.py"))
    declared = set(re.findall(r"""(?:declare\(|Queue\(\s*documents,)\s*"(\w+)\"""", sources))
    assert declared == JUDGE_PLACES.keys() | TABLES_WITHOUT_JUDGES


async def test_a_judge_is_renamed_in_every_table(db: Database) -> None:
    await lived(db)
    assert await tables_with(db, OLD) == set(JUDGE_PLACES)

    await db.judges.rename(OLD, NEW, NOON_MS + 1)

    # the audit line of the renaming itself names both
    assert await tables_with(db, OLD) == {"audit", "judge_names"}
    assert {line.judge for line in await db.audit.between(0, FOREVER_MS)} == {NEW}


async def test_what_was_learned_said_and_decided_comes_back_under_the_new_name(db: Database) -> None:
    verdict_id = await lived(db)
    before = await db.memories.load(OLD)

    renamed = await db.judges.rename(OLD, NEW, NOON_MS)

    assert renamed == StoredJudge(name=NEW, guidelines=2, cases=2, verdicts=3)
    after = await db.memories.load(NEW)
    assert after == replace(before, first_name=OLD)
    assert list(after.episodes) == ["tr-2", "tr-1"]
    assert (await db.memories.load(OLD)).version == 0
    assert (await stored(db, verdict_id)).verdict.judge == NEW
    assert await db.verdicts.by_card("C1", "100.1") == await stored(db, verdict_id)
    assert await db.verdicts.of_judge(NEW, "tr-1") == await stored(db, verdict_id)
    assert {each.judge for each in await db.feedback.pending(FOREVER_MS, 0)} == {NEW}
    assert [(job.trace_id, job.judge) for job in await db.traces.next_jobs(NOON_MS, 9)] == [("tr-4", NEW)]
    assert set(await db.traces.refused()) == {NEW}
    assert set(await db.preferences.pauses()) == {NEW}
    assert set(await db.guideline_uses.of_judge(NEW)) == {"g1"}
    [window] = await db.candidates.due(NOON_MS + 1)
    assert window == CandidateWindow(judge=NEW, start_ms=NOON_MS, end_ms=NOON_MS + 1, seen=1, chance=0.5)
    assert await db.candidates.chances(NEW, DAY) == 0.5
    assert [each.trace_id for each, _ in await db.candidates.of_window(window)] == ["tr-6"]
    assert list(await db.traffic.of_judge(NEW)) == [DAY]
    assert not await db.outbox.add_digest(f"C1:{NEW}", "2023-W46", note("again"))
    assert await db.judge_names.renamed() == {OLD: NEW}


async def test_a_renamed_judge_goes_on_learning_and_judges_no_trace_twice(db: Database) -> None:
    verdict_id = await lived(db)
    await db.judges.rename(OLD, NEW, NOON_MS)
    marks = (await db.thread_statuses.get(verdict_id) or pytest.fail("no status")).marks

    assert not await db.verdicts.keep(verdict("tr-1", NEW), channel="C1", judged_ms=NOON_MS, day=DAY)
    await db.memories.save(NEW, MemoryChange(put_episodes=(episode("tr-1", "curt"),), from_version=1))

    status = await db.thread_statuses.get(verdict_id)
    assert status is not None
    assert status.marks == marks + 1


async def test_a_name_that_was_given_up_may_begin_anew_on_the_same_traces(db: Database) -> None:
    first = await lived(db)
    await db.judges.rename(OLD, NEW, NOON_MS)

    assert await db.verdicts.keep(verdict("tr-1", OLD), channel="C1", judged_ms=NOON_MS, day=DAY)

    second = await db.verdicts.of_judge(OLD, "tr-1")
    assert second is not None
    assert second.verdict_id not in {first, verdict_id_of(OLD, "tr-1")}
    assert (await stored(db, first)).verdict.judge == NEW
    assert (await db.memories.load(OLD)).first_name not in {"", OLD}


@pytest.mark.parametrize(
    ("renamings", "names"),
    [
        ([(OLD, NEW), (NEW, "manners")], {OLD: NEW, NEW: "manners"}),
        ([(OLD, NEW), (NEW, OLD)], {NEW: OLD}),
        ([(OLD, NEW), (NEW, "a:b"), ("a:b", "polit")], {OLD: NEW, NEW: "a:b", "a:b": "polit"}),
    ],
)
async def test_a_judge_is_renamed_again_and_back(
    db: Database, renamings: list[tuple[str, str]], names: dict[str, str]
) -> None:
    await lived(db)
    before = await db.memories.load(OLD)
    for old, new in renamings:
        await db.judges.rename(old, new, NOON_MS)
    assert await db.judge_names.renamed() == names
    assert await db.memories.load(renamings[-1][1]) == replace(before, first_name=OLD)


async def test_a_judge_of_a_name_that_begins_the_same_stays_as_it_is(db: Database) -> None:
    await db.memories.save("polite2", MemoryChange(put_episodes=(episode("tr-1"),)))
    await db.memories.save("pol", MemoryChange(put_episodes=(episode("tr-1"),)))
    await lived(db)
    await db.judges.rename(OLD, NEW, NOON_MS)
    assert [judge.name for judge in await db.judges.learned()] == ["pol", "polite2", NEW]


async def test_what_a_judge_of_the_new_name_was_shown_without_learning_stays_beside_it(db: Database) -> None:
    await lived(db)
    other = await posted(db, "tr-7", NEW, ts="100.7")
    await db.traces.add([(trace("tr-8"), [OLD, NEW])], NOON_MS, 1000)

    await db.judges.rename(OLD, NEW, NOON_MS)

    assert (await stored(db, other)).verdict.judge == NEW
    assert await db.verdicts.of_judge(NEW, "tr-7") == await stored(db, other)
    jobs = [job.trace_id for job in await db.traces.next_jobs(NOON_MS, 9)]
    assert sorted(jobs) == ["tr-4", "tr-8"]


async def test_a_name_under_which_something_was_learned_is_refused_and_nothing_changes(db: Database) -> None:
    await lived(db)
    await db.memories.save(NEW, MemoryChange(put_episodes=(episode("tr-8"),)))
    before = await documents(db)
    with pytest.raises(StorageError, match='"tone" has learned from one case itself, so "polite" cannot'):
        await db.judges.rename(OLD, NEW, NOON_MS)
    with pytest.raises(StorageError, match='Nothing is stored of a judge named "polit"'):
        await db.judges.rename("polit", "manners", NOON_MS)
    with pytest.raises(StorageError, match='Nothing is stored of a judge named "polit"'):
        await db.judges.rename("polit", NEW, NOON_MS)
    assert await documents(db) == before


async def test_a_name_whose_memory_was_rolled_back_to_nothing_is_refused_for_its_versions(
    db: Database,
) -> None:
    await lived(db)
    await db.memories.save(NEW, MemoryChange(put_episodes=(episode("tr-8"),)))
    back = MemoryChange(drop_episodes=frozenset({"tr-8"}), from_version=1)
    await db.memories.save(NEW, replace(back, cause=ChangeCause(kind="rollback", rollback_to=0)))
    before = await documents(db)
    with pytest.raises(StorageError, match='"tone" can go back to versions of its own, so "polite" cannot'):
        await db.judges.rename(OLD, NEW, NOON_MS)
    assert await documents(db) == before
    await db.judges.rename(NEW, "tone-2", NOON_MS)
    await db.judges.rename(OLD, NEW, NOON_MS)
    assert list((await db.memories.load_version("tone-2", 1)).episodes) == ["tr-8"]
    assert list((await db.memories.load_version(NEW, 1)).episodes) == ["tr-2", "tr-1"]


async def test_of_a_name_of_which_all_is_forgotten_no_version_is_taken_for_the_judges_own(
    db: Database,
) -> None:
    await lived(db)
    for version, name in enumerate(("tr-7", "tr-8", "tr-9")):
        await db.memories.save(NEW, MemoryChange(put_episodes=(episode(name),), from_version=version))
    targets = tuple(TraceTarget(trace_id=name) for name in ("tr-7", "tr-8", "tr-9"))
    forget = MemoryChange(drop_episodes=frozenset({"tr-7", "tr-8", "tr-9"}), from_version=3)
    await db.memories.save(NEW, replace(forget, cause=ChangeCause(kind="forget", forgets=targets)))
    log = [entry.version for entry in await db.memory_history.log(OLD)]

    await db.judges.rename(OLD, NEW, NOON_MS)

    assert [entry.version for entry in await db.memory_history.log(NEW)] == log
    assert (await db.memories.load(NEW)).number == log[0].number


# --- a kill, or a cut of power, in the middle

MANY = 400
CUT_EVERY = 20_011


async def grown(folder: Path) -> None:
    """Make a store in which the renaming takes many pages."""
    async with await Database.open(folder) as db:
        await lived(db)
        episodes = tuple(episode(f"e-{number}", "x" * 500) for number in range(MANY))
        await db.memories.save(OLD, MemoryChange(put_episodes=episodes, from_version=1))
        await db.traces.add([(trace(f"w-{number}"), [OLD]) for number in range(MANY)], NOON_MS, 10**6)


async def name_held(folder: Path) -> str:
    """The one name under which all is kept in a store."""
    async with await Database.open(folder) as db:
        tables = {name: await tables_with(db, name) for name in (OLD, NEW)}
        learned = await db.judges.learned()
    (judge,) = learned
    assert (judge.cases, judge.guidelines, judge.verdicts) == (MANY + 2, 2, 3)
    if judge.name == OLD:
        assert tables == {OLD: set(JUDGE_PLACES), NEW: set()}
    else:
        assert tables == {OLD: {"audit", "judge_names"}, NEW: {*JUDGE_PLACES, "judge_names"}}
    return judge.name


async def test_a_log_cut_anywhere_holds_the_renaming_or_nothing_of_it(folder: Path) -> None:
    await grown(folder)
    async with await Database.open(folder) as db:
        await db.judges.rename(OLD, NEW, NOON_MS)
        log = (folder / "memalign.db-wal").read_bytes()
        cut = folder.with_name("cut")
        held = []
        for end in range(0, len(log) + CUT_EVERY, CUT_EVERY):
            shutil.rmtree(cut, ignore_errors=True)
            shutil.copytree(folder, cut, ignore=shutil.ignore_patterns("*-wal", "*-shm"))
            (cut / "memalign.db-wal").write_bytes(log[:end])
            held.append(await name_held(cut))
    assert held == sorted(held)  # polite comes before tone
    assert set(held) == {OLD, NEW}


RENAMING = """
import asyncio, sys
from pathlib import Path
from storage.database import Database
async def main():
    async with await Database.open(Path(sys.argv[1])) as db:
        print("begin", flush=True)
        await db.judges.rename(sys.argv[2], sys.argv[3], 1)
        print("done", flush=True)
asyncio.run(main())
"""


async def test_a_kill_in_the_middle_leaves_all_under_one_name(tmp_path: Path) -> None:
    await grown(tmp_path / "grown")
    chance, outcomes = Random(11), []
    for number in range(8):
        folder = tmp_path / str(number)
        shutil.copytree(tmp_path / "grown", folder)
        outcomes.append(await asyncio.to_thread(_killed, folder, chance.uniform(0, 0.25)))
        assert await name_held(folder) in ({NEW} if outcomes[-1] else {OLD, NEW})
    assert not all(outcomes)


def _killed(folder: Path, seconds: float) -> bool:
    """Kill a renaming so long after it began; whether it had said that it was done."""
    with Popen([sys.executable, "-c", RENAMING, str(folder), OLD, NEW], cwd=ROOT, stdout=PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        with suppress(Exception):
            process.wait(seconds)
        process.kill()
        return b"done" in process.stdout.read()


def test_of_an_id_the_part_of_the_judge_alone_is_renamed() -> None:
    places = JUDGE_PLACES["jobs"]
    assert places.renamed_id("polite\x00polite", "polite", "tone") == "polite\x00tone"
    assert places.renamed_id("tr\x00politely", "polite", "tone") == "tr\x00politely"
