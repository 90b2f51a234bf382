"""Assessments in a tracing tool: what is to be written, changed and deleted follows from verdicts and forgetting."""

from dataclasses import replace

from memalign.records import Trace, Verdict
from storage.connectors import own_id_of
from storage.database import Database
from storage.records import AssessmentRow, TraceOrigin
from storage.verdicts import verdict_id_of

TOOL = "mlflow:0f"
VERDICT_ID = verdict_id_of("polite", "tr-1")
NOW_MS = 1_800_000_000_000


def row(person: str = "", content_hash: str = "a") -> AssessmentRow:
    """An assessment as it should stand in the tool."""
    return AssessmentRow(
        own_id=own_id_of(VERDICT_ID, person),
        connector=TOOL,
        reference="tr-1",
        trace_id="tr-1",
        verdict_id=VERDICT_ID,
        person=person,
        content_hash=content_hash,
    )


async def judged(db: Database, *, has_origin: bool = True) -> None:
    """Store a trace of the tool with its verdict."""
    if has_origin:
        origin = TraceOrigin(trace_id="tr-1", connector=TOOL, reference="tr-1", read_ms=NOW_MS)
        assert await db.connectors.claim({"tr-1": origin}) == {"tr-1"}
    await db.traces.add([(Trace(trace_id="tr-1", inputs="q", outputs="a"), ["polite"])], NOW_MS, 100)
    verdict = Verdict(judge="polite", trace_id="tr-1", value=True, rationale="fine")
    await db.verdicts.keep(verdict, channel="C1", judged_ms=NOW_MS, day="2027-01-15")


async def settled(db: Database, *rows: AssessmentRow) -> None:
    """Let the verdict's assessments be these."""
    for verdict_id, mark in await db.connectors.marked(TOOL, 10):
        await db.connectors.settle(verdict_id, mark, rows)


async def due(db: Database) -> list[tuple[str, str]]:
    """Return person and state of what is to be done."""
    return [(each.person, each.state) for each in await db.connectors.due(TOOL, NOW_MS, 10)]


async def test_a_verdict_on_a_trace_of_a_tool_is_marked_and_others_are_not(db: Database) -> None:
    await judged(db)
    assert [verdict_id for verdict_id, _ in await db.connectors.marked(TOOL, 10)] == [VERDICT_ID]


async def test_a_verdict_on_a_trace_that_came_otherwise_is_marked_once_the_tool_is_known_to_have_it(
    db: Database,
) -> None:
    await judged(db, has_origin=False)
    assert await db.connectors.marked(TOOL, 10) == []
    origin = TraceOrigin(trace_id="tr-1", connector=TOOL, reference="tr-1", read_ms=NOW_MS)
    assert await db.connectors.claim({"tr-1": origin}) == set()
    assert [verdict_id for verdict_id, _ in await db.connectors.marked(TOOL, 10)] == [VERDICT_ID]


async def test_only_what_differs_is_to_be_written(db: Database) -> None:
    await judged(db)
    await settled(db, row(), row("U1"))
    assert await due(db) == [("", "due"), ("U1", "due")]
    await db.connectors.written(row(), "a-1")
    await db.connectors.written(row("U1"), "a-2")
    assert await due(db) == []
    await db.verdicts.redact(VERDICT_ID, "other words")
    await settled(db, row(content_hash="b"))
    assert await due(db) == [("", "due"), ("U1", "deleting")]
    [changed, taken_back] = await db.connectors.due(TOOL, NOW_MS, 10)
    assert (changed.remote_id, taken_back.remote_id) == ("a-1", "a-2")


async def test_what_changes_while_it_is_written_is_written_again(db: Database) -> None:
    await judged(db)
    await settled(db, row())
    await db.verdicts.redact(VERDICT_ID, "other words")
    await settled(db, row(content_hash="b"))
    await db.connectors.written(row(), "a-1")
    [waiting] = await db.connectors.due(TOOL, NOW_MS, 10)
    assert (waiting.remote_id, waiting.content_hash) == ("a-1", "b")


async def test_a_mark_of_a_later_change_outlives_what_was_derived_before_it(db: Database) -> None:
    await judged(db)
    [(verdict_id, mark)] = await db.connectors.marked(TOOL, 10)
    await db.verdicts.redact(VERDICT_ID, "other words")
    await db.connectors.settle(verdict_id, mark, [row()])
    assert await due(db) == []
    assert len(await db.connectors.marked(TOOL, 10)) == 1


async def test_a_forgotten_trace_keeps_its_rows_until_the_tool_has_deleted_what_they_name(
    db: Database,
) -> None:
    await judged(db)
    await settled(db, row(), row("U1"))
    await db.connectors.written(row(), "a-1")
    await db.forgetting.delete_traces(["tr-1"])
    assert await due(db) == [("", "deleting"), ("U1", "deleting")]
    assert await db.connectors.number_deleting(TOOL) == 2
    for each in await db.connectors.due(TOOL, NOW_MS, 10):
        await db.connectors.deleted(each)
    assert await due(db) == []
    assert await db.connectors.origin("tr-1") is None


async def test_a_trace_that_was_written_while_it_was_forgotten_is_deleted_in_the_tool(
    db: Database,
) -> None:
    await judged(db)
    await settled(db, row())
    await db.forgetting.delete_traces(["tr-1"])
    await db.connectors.written(row(), "a-1")
    [waiting] = await db.connectors.due(TOOL, NOW_MS, 10)
    assert (waiting.state, waiting.remote_id) == ("deleting", "a-1")


async def test_what_expires_stays_in_the_tool(db: Database) -> None:
    await judged(db)
    await settled(db, row())
    await db.connectors.written(row(), "a-1")
    await db.forgetting.delete_traces(["tr-1"], kind="expired")
    assert await due(db) == []


async def test_what_the_tool_refuses_waits_for_a_change(db: Database) -> None:
    await judged(db)
    await settled(db, row())
    await db.connectors.give_up(row(), "too long")
    assert await due(db) == []
    await db.verdicts.redact(VERDICT_ID, "shorter")
    await settled(db, replace(row(), content_hash="b"))
    assert await due(db) == [("", "due")]
