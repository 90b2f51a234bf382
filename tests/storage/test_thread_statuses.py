"""Statuses of threads in the store: marked by what they show, and emptied of words that are forgotten."""

import gzip
from dataclasses import replace
from pathlib import Path

import pytest

from memalign.ports import MemoryChange
from memalign.records import Guideline, Handling, Source
from storage.database import Database
from storage.engines.sqlite_file import FILE
from storage.records import ShownOpinion, ShownRule, StoredThreadStatus, ToldDoubt
from tests.storage.answers import VERDICTS
from tests.storage.records import NOON_MS, posted, status_post, stored

FIXTURES = Path(__file__).parent / "fixtures"
WORDS = "Never send people away."
LATE_MS = NOON_MS + 10**9


def shown(trace_id: str = "tr-1", person: str = "U1", **changes: object) -> ShownRule:
    opinion = ShownOpinion(trace_id=trace_id, person=person, time_ms=NOON_MS)
    rule = ShownRule(ids=("g1",), text=WORDS, earlier_text=WORDS, opinions=(opinion,), authors=(opinion,))
    return replace(rule, **changes)  # type: ignore[arg-type]


async def told(db: Database, trace_id: str, *rules: ShownRule) -> StoredThreadStatus:
    """A status that stands in Slack and shows these rules."""
    verdict_id = await posted(db, trace_id, ts=f"1.{trace_id[3:]}")
    status = await db.thread_statuses.tell(await stored(db, verdict_id), (), is_declined=False)
    await db.outbox.add(status_post(verdict_id))
    assert await db.thread_statuses.note_rendering(status, rules, "0f")
    await db.outbox.start(status_post(verdict_id).post_id)
    await db.outbox.done(status_post(verdict_id).post_id, f"2.{trace_id[3:]}")
    return await current(db, verdict_id)


async def current(db: Database, verdict_id: str) -> StoredThreadStatus:
    status = await db.thread_statuses.get(verdict_id)
    assert status is not None
    return status


async def due(db: Database) -> list[str]:
    return [status.trace_id for status in await db.thread_statuses.due(LATE_MS)]


async def test_a_change_of_a_guideline_marks_the_threads_that_show_it_and_no_other(db: Database) -> None:
    await told(db, "tr-1", shown())
    await told(db, "tr-2", shown("tr-2", ids=("g2", "g1")))
    await told(db, "tr-3", shown("tr-3", ids=("g3",)))
    assert await due(db) == []
    rule = Guideline(id="g1", text="x", sources=(Source(trace_id="tr-9", person="U1", quote="x"),))
    await db.memories.save("polite", MemoryChange(put_guidelines=(rule,)))
    assert sorted(await due(db)) == ["tr-1", "tr-2"]


def supported(*trace_ids: str, person: str = "U1", **changes: object) -> MemoryChange:
    """A change after which a rule rests on these traces."""
    sources = tuple(Source(trace_id=trace_id, person=person, quote=WORDS) for trace_id in trace_ids)
    rule = replace(Guideline(id="g1", text=WORDS, sources=sources), **changes)  # type: ignore[arg-type]
    return MemoryChange(put_guidelines=(rule,))


@pytest.mark.parametrize(
    ("changes", "marked"),
    [
        ({}, ["tr-3"]),
        ({"person": "U2"}, ["tr-1", "tr-2", "tr-3"]),
        ({"overruled": True}, ["tr-1", "tr-2", "tr-3"]),
        ({"edited_by": Handling(person="U1", time_ms=1)}, ["tr-1", "tr-2", "tr-3"]),
    ],
)
async def test_one_more_case_of_a_rule_marks_its_own_thread_unless_others_tell_another_thing_now(
    db: Database, changes: dict[str, object], marked: list[str]
) -> None:
    await db.memories.save("polite", supported("tr-1", "tr-2"))
    for trace_id in ("tr-1", "tr-2", "tr-3"):
        await told(db, trace_id, shown(trace_id))
    change = supported("tr-1", "tr-2", "tr-3", **changes)  # type: ignore[arg-type]
    await db.memories.save("polite", replace(change, from_version=1))
    assert sorted(await due(db)) == marked


async def test_what_was_told_when_it_changed_again_is_still_due(db: Database) -> None:
    status = await told(db, "tr-1", shown())
    await db.thread_statuses.wake(status.verdict_id)
    first = await current(db, status.verdict_id)
    await db.thread_statuses.wake(status.verdict_id)
    assert not await db.thread_statuses.note_rendering(first, (shown(),))
    await db.thread_statuses.edited(first, "0e")
    assert await due(db) == ["tr-1"]
    await db.thread_statuses.edited(await current(db, status.verdict_id), "0d")
    assert await due(db) == []


async def test_words_of_a_forgotten_person_leave_every_thread(db: Database) -> None:
    status = await told(db, "tr-1", shown(person="U2"))
    other = await told(db, "tr-2", shown("tr-9", "U1"))
    await db.forgetting.delete_person("U1", LATE_MS)
    assert [rule.text for rule in (await current(db, status.verdict_id)).rules] == [WORDS]
    [rule] = (await current(db, other.verdict_id)).rules
    assert (rule.text, rule.earlier_text, rule.opinions, rule.authors) == ("", "", (), ())
    assert await due(db) == ["tr-2"]


async def test_words_that_rest_on_a_forgotten_trace_leave_other_threads_and_its_own_goes(
    db: Database,
) -> None:
    own = await told(db, "tr-1", shown())
    other = await told(db, "tr-2", shown("tr-1"))
    await db.forgetting.delete_traces(["tr-1"])
    assert await db.thread_statuses.get(own.verdict_id) is None
    assert [rule.text for rule in (await current(db, other.verdict_id)).rules] == [""]
    redactions = {each.ts: each.kind for each in await db.forgetting.redactions_due(LATE_MS)}
    assert redactions["2.1"] == "forgotten_reply"


async def test_words_that_were_forgotten_while_they_were_made_into_a_message_are_not_kept(
    db: Database,
) -> None:
    status = await told(db, "tr-2")
    await db.forgetting.delete_traces(["tr-1"])
    await db.thread_statuses.wake(status.verdict_id)
    marked = await current(db, status.verdict_id)
    gone = shown(taken_back="not_followed")
    assert not await db.thread_statuses.note_rendering(marked, (gone,))
    assert [rule.text for rule in (await current(db, status.verdict_id)).rules] == [""]


@pytest.fixture
def old(folder: Path) -> Path:
    """A folder with the store of memalign 0.1.0."""
    folder.mkdir()
    (folder / FILE).write_bytes(gzip.decompress((FIXTURES / "store-0.1.0.db.gz").read_bytes()))
    return folder


async def test_what_an_earlier_version_told_threads_is_taken_over_once(old: Path) -> None:
    async with await Database.open(old) as db:
        before = {each: await db.feedback.thread_posts(each) for each in VERDICTS}
        told = {verdict_id: posts for verdict_id, posts in before.items() if posts}
        assert told
        assert await db.outbox.take_over_thread_posts() == len(told)
        for verdict_id, posts in told.items():
            status = await current(db, verdict_id)
            ids = {rule_id for post in posts for rule_id in post.guideline_ids}
            assert status.message_ts == posts[-1].message_ts
            assert {rule_id for rule in status.rules for rule_id in rule.ids} == ids
            assert status.is_due
            assert await db.feedback.thread_posts(verdict_id) == ()
        assert await db.outbox.take_over_thread_posts() == 0


async def test_a_guideline_in_doubt_is_told_in_one_thread_and_again_after_a_decision(db: Database) -> None:
    doubt, later = ToldDoubt(guideline_id="g1"), ToldDoubt(guideline_id="g1", since_ms=5)
    verdict_ids = [await posted(db, f"tr-{number}", ts=f"1.{number}") for number in range(3)]
    verdicts = [await stored(db, each) for each in verdict_ids]

    for verdict, doubts in zip(verdicts, [(doubt,), (doubt,), (doubt, later)], strict=True):
        await db.thread_statuses.tell(verdict, (), is_declined=False, doubts=doubts)
    again = await db.thread_statuses.tell(verdicts[0], (), is_declined=False, doubts=(doubt,))

    assert again.doubts == (doubt,)
    assert [(await current(db, each)).doubts for each in verdict_ids] == [(doubt,), (), (later,)]


async def test_a_change_of_a_guideline_in_doubt_marks_the_thread_that_tells_of_it(db: Database) -> None:
    status = await told(db, "tr-1")
    verdict = await stored(db, status.verdict_id)
    await db.thread_statuses.tell(verdict, (), is_declined=False, doubts=(ToldDoubt(guideline_id="g1"),))
    await db.thread_statuses.edited(await current(db, status.verdict_id), "0f")
    assert await due(db) == []

    await db.memories.save("polite", supported("tr-9", doubtful=True))

    assert await due(db) == ["tr-1"]
