"""Supervision of background parts."""

import asyncio
import logging
import re

import pytest

from bot.runtime.health import HealthRegistry
from bot.runtime.supervisor import first_known, supervise
from memalign.errors import MemAlignError, StorageError


class FlakyPart:
    """Fails with each of its errors, one a run, then ends."""

    def __init__(self, *errors: BaseException) -> None:
        self._errors = list(errors)
        self.runs = 0

    async def run(self) -> None:
        self.runs += 1
        if self._errors:
            raise self._errors.pop(0)


class Pauses:
    """Waits for nothing; keeps what was said of the part's health at each pause."""

    def __init__(self, health: HealthRegistry) -> None:
        self._health = health
        self.seconds: list[float] = []
        self.reasons: list[str | None] = []

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)
        self.reasons.append(self._health.reason("background", "judging"))
        await asyncio.sleep(0)


FULL = StorageError("The disk is full.")


@pytest.mark.parametrize(
    "error", [FULL, ExceptionGroup("tasks", [FULL]), KeyError("a bug"), asyncio.CancelledError()]
)
async def test_a_part_that_fails_is_run_again_until_it_ends(error: BaseException) -> None:
    health, part = HealthRegistry(), FlakyPart(error, error)
    pauses = Pauses(health)
    await supervise("judging", part.run, health, pause=pauses)
    assert (part.runs, len(pauses.seconds), health.problems()) == (3, 2, ())


async def test_the_reason_is_reported_while_the_part_waits() -> None:
    health = HealthRegistry()
    pauses = Pauses(health)
    await supervise("judging", FlakyPart(FULL).run, health, pause=pauses)
    assert pauses.reasons == ["The disk is full."]


async def test_a_bug_is_reported_with_the_id_under_which_it_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    health = HealthRegistry()
    pauses = Pauses(health)
    with caplog.at_level(logging.ERROR):
        await supervise("judging", FlakyPart(KeyError("a bug")).run, health, pause=pauses)
    [reason] = pauses.reasons
    error_id = re.fullmatch(r"an unexpected error \(error (\w{8})\); see the log", reason or "")
    assert error_id is not None
    assert error_id[1] in caplog.text
    assert "KeyError" in caplog.text


async def test_each_failure_in_a_row_lengthens_the_pause() -> None:
    health = HealthRegistry()
    pauses = Pauses(health)
    await supervise("judging", FlakyPart(*[FULL] * 5).run, health, pause=pauses)
    assert all(later >= earlier for earlier, later in zip(pauses.seconds, pauses.seconds[2:], strict=False))
    assert pauses.seconds[-1] > pauses.seconds[0]


async def test_a_cancelled_part_is_not_run_again() -> None:
    health, started = HealthRegistry(), asyncio.Event()

    async def run() -> None:
        started.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(supervise("judging", run, health))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize(
    ("error", "known"),
    [
        (FULL, FULL),
        (ExceptionGroup("outer", [ExceptionGroup("inner", [FULL])]), FULL),
        (ExceptionGroup("mixed", [FULL, KeyError("a bug")]), None),
        (KeyError("a bug"), None),
    ],
)
def test_a_group_is_told_by_a_sentence_only_if_it_holds_no_bug(
    error: Exception, known: MemAlignError | None
) -> None:
    assert first_known(error) is known
