"""Forgetting a trace or a person: preview, one request, execution, and the rest of it after a failure."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.forgetting.quotes import REDACTED_RATIONALE
from bot.forgetting.resume import resume_forgetting
from memalign.errors import StorageError, UnknownTraceError
from memalign.records import ForgetTarget, PersonTarget, TraceTarget
from storage.verdicts import card_post_id_of
from tests.bot.forgetting.learned_store import CHANNEL, JUDGE, LearnedStore, learned_store
from tests.storage.records import DAY, NOON_MS, at, reaction_event, trace, verdict

TRACE, ANA = TraceTarget(trace_id="tr-1"), PersonTarget(person="ana")


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[LearnedStore]:
    async with learned_store(tmp_path) as ready:
        await teach(ready)
        yield ready


async def teach(store: LearnedStore) -> None:
    await store.teach("tr-1", {"ana": "curt", "ben": "rude"})
    await store.teach("tr-2", {"ana": "cold", "cem": "rude"})


async def audit(store: LearnedStore) -> list[tuple[str, str, str | None, tuple[str, ...]]]:
    lines = await store.database.audit.between(0, 9 * NOON_MS)
    return [(line.what, line.judge, line.person, line.ids) for line in lines if "guideline" not in line.what]


async def test_a_preview_says_what_goes_and_changes_nothing(store: LearnedStore) -> None:
    rules = store.rules()
    preview = await store.service.preview(await store.service.find(TRACE))
    part = preview.judges["politeness"]
    assert ([rule.text for rule in part.retired], [rule.text for rule in part.waiting]) == (
        ["curt"],
        ["rude"],
    )
    assert (preview.people, preview.verdicts, preview.cases) == (("ana", "ben"), 1, 1)
    assert store.rules() == rules
    assert await store.database.forgetting.requests() == []
    assert store.calls.cancelled == []


async def test_a_preview_of_a_person_counts_their_verdicts_and_cases(store: LearnedStore) -> None:
    preview = await store.service.preview(await store.service.find(ANA))
    assert (preview.people, preview.verdicts, preview.cases) == (("ana",), 2, 2)
    assert (preview.retired, preview.waiting) == (2, 0)


@pytest.mark.parametrize("target", [TRACE, ANA])
async def test_a_request_is_stored_once_and_outlives_the_process(
    tmp_path: Path, target: ForgetTarget
) -> None:
    async with learned_store(tmp_path) as store:
        await teach(store)
        scope = await store.service.find(target)
        await store.service.request(scope, "ana")
        await store.service.request(scope, "ben")
        assert store.rules()
    async with learned_store(tmp_path) as store:
        [_] = await store.database.forgetting.requests()
        await resume_forgetting(store.database, store.service)
        assert await store.database.forgetting.requests() == []
        [(_, _, person, _)] = await audit(store)
        assert person == "ana"


@pytest.mark.parametrize("target", [TRACE, ANA])
async def test_forgetting_writes_one_request(store: LearnedStore, target: ForgetTarget) -> None:
    await store.service.forget(target, "ana")
    assert store.store_calls.names.count("request") == 1


async def test_a_trace_is_forgotten_everywhere(store: LearnedStore) -> None:
    result = await store.service.forget(TRACE, "ana")
    assert (result.cases, result.retired, result.left, result.distilled) == (1, 1, 0, ["rude"])
    assert store.rules() == [("cold", ("tr-2",)), ("rude", ("tr-2",))]
    assert await store.database.traces.get("tr-1") is None
    assert await audit(store) == [("forgotten", "politeness", "ana", ("tr-1",))]
    assert (set(store.calls.cancelled), store.calls.redactions) == ({"tr-1"}, 1)


async def test_a_person_is_forgotten_everywhere_and_what_others_said_is_learned_again(
    store: LearnedStore,
) -> None:
    result = await store.service.forget(ANA, None)
    assert (result.cases, result.retired, result.verdicts) == (2, 2, 2)
    assert store.rules() == []
    assert await store.database.feedback.of_person("ana") == []
    assert {waiting.trace_id for waiting in await store.database.feedback.pending(9 * NOON_MS, 0)} == {
        "tr-1",
        "tr-2",
    }
    assert await audit(store) == [("person_forgotten", "", None, ("ana",))]
    assert (store.calls.invalidated, store.calls.redactions) == ([{"tr-1", "tr-2"}], 1)


async def test_forgetting_a_person_redacts_a_rationale_that_quotes_them_also_on_a_trace_of_their_own(
    store: LearnedStore,
) -> None:
    reason = "It leaves the reader without any next step"
    await store.teach("tr-3", {"ana": reason})
    await store.database.traces.add([(trace("tr-4"), [])], NOON_MS, 10)
    quoting = replace(
        verdict("tr-4", JUDGE, rationale=f"As in case 1: {reason}."), retrieved_trace_ids=("tr-3",)
    )
    assert await store.database.verdicts.keep(quoting, channel=CHANNEL, judged_ms=NOON_MS, day=DAY)
    [stored] = await store.database.verdicts.of_trace("tr-4")
    post_id = card_post_id_of(stored.verdict_id)
    assert await store.database.outbox.start(post_id)
    assert await store.database.outbox.done(post_id, "400.1")
    assert await store.database.feedback.note(CHANNEL, "400.1", reaction_event("ana", "-1", True, at()))
    await store.service.forget(ANA, "ana")
    redacted = await store.database.verdicts.get(stored.verdict_id)
    assert redacted is not None
    assert (redacted.verdict.rationale, redacted.verdict.value) == (REDACTED_RATIONALE, True)


async def test_forgetting_again_is_refused_for_a_trace_and_takes_nothing_of_a_person(
    store: LearnedStore,
) -> None:
    for target in (TRACE, ANA):
        await store.service.forget(target, None)
    with pytest.raises(UnknownTraceError, match="forgotten already"):
        await store.service.forget(TRACE, None)
    assert (await store.service.forget(ANA, None)).is_empty


async def test_what_only_the_memory_knows_can_be_forgotten(store: LearnedStore) -> None:
    await store.database.forgetting.delete_traces(["tr-1"])
    await store.service.forget(TRACE, None)
    assert store.rules() == [("cold", ("tr-2",)), ("rude", ("tr-2",))]


async def test_an_unknown_trace_is_not_found(store: LearnedStore) -> None:
    with pytest.raises(UnknownTraceError, match="I don't know a trace “tr-9”"):
        await store.service.find(TraceTarget(trace_id="tr-9"))


@pytest.mark.parametrize("target", [TRACE, ANA])
async def test_after_a_failure_at_any_step_the_rest_is_done_at_the_next_start(
    tmp_path: Path, target: ForgetTarget
) -> None:
    async with learned_store(tmp_path / "whole") as store:
        await teach(store)
        await store.service.forget(target, "ana")
        expected = await state(store)
    for step in range(1, 100):
        folder = tmp_path / str(step)
        if await is_done_in_spite_of_failure(folder, target, step):
            break
        async with learned_store(folder) as store:
            is_requested = bool(await store.database.forgetting.requests())
            await resume_forgetting(store.database, store.service)
            await store.memory.learn()
            if is_requested:
                assert await state(store) == expected, step
            else:
                assert len(store.rules()) == 3, step
    assert step > 5


async def is_done_in_spite_of_failure(folder: Path, target: ForgetTarget, step: int) -> bool:
    """Forget, while one call to the store fails; False when that ended it."""
    async with learned_store(folder) as store:
        await teach(store)
    async with learned_store(folder, fails_at=step) as store:
        try:
            await store.service.forget(target, "ana")
        except StorageError:
            return False
        return True


async def state(store: LearnedStore) -> object:
    """Return the rows that are left, and the lines of the audit."""
    feedback = {
        stored.verdict.trace_id: sorted(await store.database.feedback.of(stored.verdict_id))
        for trace_id in ("tr-1", "tr-2")
        for stored in await store.database.verdicts.of_trace(trace_id)
    }
    return feedback, store.rules(), sorted(store.memory.episodes), await audit(store)
