"""The trace that a text names: its id as it is, before anything that could be read into it."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from bot.forgetting.trace_reference import TraceReferences, spellings_from_slack, spellings_of
from memalign.errors import UnknownTraceError
from memalign.records import TraceTarget
from storage.database import Database
from tests.storage.records import NOON_MS, trace

Spell = Callable[[str], list[str]]


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    async with await Database.open(tmp_path) as ready:
        yield ready


async def named(database: Database, spellings: list[str], *known: str) -> str:
    await database.traces.add([(trace(trace_id), []) for trace_id in known], NOON_MS, 100)
    return (await TraceReferences(database, {}).resolve(spellings)).trace_id


@pytest.mark.parametrize(
    ("text", "trace_id"),
    [
        ("tr-1", "tr-1"),
        (" tr-1  ", "tr-1"),
        ("`tr-1`", "tr-1"),
        ("&lt;x&gt;", "<x>"),
        ("q=1&amp;amp;p=2", "q=1&amp;p=2"),
        ("a&amp;b", "a&b"),
        ("x&amp;copy;y", "x&copy;y"),
        ("&amp;lt;x&amp;gt;", "&lt;x&gt;"),
        ("run.example.com", "run.example.com"),
        ("<http://run.example.com|run.example.com>", "run.example.com"),
        ("<http://run.example.com>", "http://run.example.com"),
        ("<https://run.example.com/?a=1&amp;b=2>", "https://run.example.com/?a=1&b=2"),
        ("run 7 of <http://example.com|example.com>", "run 7 of example.com"),
        ("<mailto:a@example.com|a@example.com>", "a@example.com"),
        ("two  blanks", "two  blanks"),
        (":tada:", ":tada:"),
        ("``", "``"),
        (
            "https://x.slack.com/archives/C1/p1700000000000000",
            "https://x.slack.com/archives/C1/p1700000000000000",
        ),
    ],
)
async def test_what_somebody_typed_in_slack_is_looked_up_as_an_id(
    database: Database, text: str, trace_id: str
) -> None:
    assert await named(database, spellings_from_slack(text), trace_id) == trace_id


@pytest.mark.parametrize("trace_id", ["<x>", "&lt;x&gt;", "&amp;lt;x&amp;gt;", "x"])
async def test_ids_that_differ_in_escaping_alone_are_told_apart(database: Database, trace_id: str) -> None:
    known = ("<x>", "&lt;x&gt;", "&amp;lt;x&amp;gt;", "x")
    typed = trace_id.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert await named(database, spellings_from_slack(typed), *known) == trace_id
    assert await named(database, spellings_of(trace_id)) == trace_id


async def test_an_id_that_begins_like_another_is_told_apart(database: Database) -> None:
    known = ("tr", "tr-1", "tr-1 ", "tr-10")
    for trace_id in known:
        assert await named(database, spellings_of(trace_id), *known) == trace_id


@pytest.mark.parametrize(
    ("text", "trace_id"), [("&lt;x&gt;", "<x>"), ("`tr-1`", "tr-1"), ("<https://a.b/c>", "https://a.b/c")]
)
async def test_at_a_terminal_a_copy_from_slack_is_understood(
    database: Database, text: str, trace_id: str
) -> None:
    assert await named(database, spellings_of(text), trace_id) == trace_id


@pytest.mark.parametrize("spell", [spellings_of, spellings_from_slack])
@pytest.mark.parametrize("text", ["<x>", "tr", "tr-", "TR-1", "x y", ""])
async def test_an_unknown_id_is_not_taken_for_a_similar_one(
    database: Database, spell: Spell, text: str
) -> None:
    with pytest.raises(UnknownTraceError, match="I don't know a trace"):
        await named(database, spell(text), "x", "tr-1", "x  y")


async def test_what_was_forgotten_is_said_to_be_so(database: Database) -> None:
    await database.traces.add([(trace("<x>"), [])], NOON_MS, 100)
    await database.forgetting.delete_traces(["<x>"])
    with pytest.raises(UnknownTraceError, match="The trace “<x>” was forgotten already"):
        await named(database, spellings_from_slack("&lt;x&gt;"))


async def test_a_link_that_is_no_id_leads_to_a_card_or_nowhere(database: Database) -> None:
    link = "<https://x.slack.com/archives/C1/p1700000000000000?thread_ts=1.2&amp;cid=C1>"
    with pytest.raises(UnknownTraceError, match="leads to no card"):
        await named(database, spellings_from_slack(link))


async def test_only_a_known_id_is_found(database: Database) -> None:
    await database.traces.add([(trace("--yes"), [])], NOON_MS, 100)
    references = TraceReferences(database, {})
    assert await references.find_id(["--yes"]) == TraceTarget(trace_id="--yes")
    assert await references.find_id(["tr-1 --yes"]) is None
