"""Forgetting reaches every version of a memory, and a roll-back after it brings nothing forgotten back."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.forgetting.quotes import REDACTED_RATIONALE
from bot.plain_text import TERMINAL
from memalign.records import ForgetTarget, PersonTarget, TraceTarget
from tests.bot.forgetting.learned_store import CHANNEL, JUDGE, LearnedStore, learned_store
from tests.storage.records import DAY, NOON_MS, places_of, trace, verdict

REASON = "It leaves the reader without any next step"
TARGETS: list[ForgetTarget] = [TraceTarget(trace_id="tr-1"), PersonTarget(person="ana")]


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[LearnedStore]:
    async with learned_store(tmp_path) as ready:
        await ready.teach("tr-1", {"ana": REASON})
        await ready.teach("tr-2", {"ben": "rude"})
        yield ready


@pytest.mark.parametrize("target", TARGETS)
async def test_what_only_an_earlier_version_holds_is_forgotten_too(
    store: LearnedStore, tmp_path: Path, target: ForgetTarget
) -> None:
    await store.memory.versions.roll_back(0, "ben")
    assert list(places_of([REASON.encode()], tmp_path)) != []
    await store.service.forget(target, "cem")
    assert list(places_of([REASON.encode()], tmp_path)) == []
    assert (await store.database.memories.load_version(JUDGE, 1)).guidelines == ()
    await store.memory.versions.roll_back(2, "ben")
    assert REASON not in repr(store.memory.state)
    assert [text for text, _ in store.rules()] == ["rude"]


@pytest.mark.parametrize("target", TARGETS)
async def test_a_rationale_that_quotes_a_rule_of_an_earlier_version_is_redacted(
    store: LearnedStore, target: ForgetTarget
) -> None:
    (rule, _) = store.memory.guidelines
    words = "Every answer should point somebody to whatever comes after it"
    await store.memory.editor.edit(rule.id, words, "ben")
    await store.database.traces.add([(trace("tr-4"), [])], NOON_MS, 10)
    quoting = replace(verdict("tr-4", JUDGE, rationale=f"As said: {words}."), shown_guideline_ids=(rule.id,))
    assert await store.database.verdicts.keep(quoting, channel=CHANNEL, judged_ms=NOON_MS, day=DAY)
    await store.memory.versions.roll_back(0, "ben")
    await store.service.forget(target, None)
    [stored] = await store.database.verdicts.of_trace("tr-4")
    assert stored.verdict.rationale == REDACTED_RATIONALE


@pytest.mark.parametrize(("by", "told"), [("cem", ("cem",)), (None, (TERMINAL,)), ("ana", ("ana",))])
async def test_the_log_tells_who_had_a_trace_forgotten(
    store: LearnedStore, by: str | None, told: tuple[str, ...]
) -> None:
    await store.service.forget(TARGETS[0], by)
    newest = (await store.database.memory_history.log(JUDGE, 1))[0].version
    assert (newest.kind, newest.people, newest.cases_forgotten) == ("forget", told, 1)


async def test_the_log_does_not_name_a_person_who_had_themselves_forgotten(
    store: LearnedStore, tmp_path: Path
) -> None:
    await store.service.forget(TARGETS[1], "ana")
    log = await store.database.memory_history.log(JUDGE)
    assert [entry.version.people for entry in log] == [(), ("ben",), ("forgotten",)]
    assert list(places_of([REASON.encode()], tmp_path)) == []
