"""The rate of tokens, on a clock that jumps to the next event, so that minutes pass at once."""

import asyncio
import random
import selectors
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from itertools import pairwise

import pytest

from memalign.errors import SettingsError
from memalign.models.call_limits import call_limits
from memalign.models.endpoint import max_concurrency
from memalign.models.token_rate import TokenRate


class JumpingSelector(selectors.SelectSelector):
    """Waits for nothing, and counts the time that it would have waited."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self.seconds += timeout or 0.0
        return super().select(0)


class JumpingLoop(asyncio.SelectorEventLoop):
    """An event loop whose time passes by itself."""

    def __init__(self) -> None:
        self.jumping = JumpingSelector()
        super().__init__(self.jumping)

    def time(self) -> float:
        return self.jumping.seconds


@dataclass(frozen=True)
class Call:
    start: float
    end: float
    tokens: int


def run(work: Coroutine[None, None, None]) -> float:
    """Run to the end; the seconds that it took on the loop's clock."""
    loop = JumpingLoop()
    try:
        loop.run_until_complete(work)
        return loop.time()
    finally:
        loop.close()


async def make_calls(
    rate_of: int, workers: int, calls: int, cost: Callable[[], tuple[int, int, float]], done: list[Call]
) -> None:
    """Make calls by so many workers; `cost` is the prompt's estimate, the real tokens, and the seconds of a call."""
    rate, slots, loop = TokenRate(rate_of), asyncio.Semaphore(workers), asyncio.get_running_loop()

    async def make() -> None:
        prompt, tokens, seconds = cost()
        async with slots, rate.room("some:/model", prompt, 1_000) as spent:
            start = loop.time()
            await asyncio.sleep(seconds)
            spent.tokens = tokens
            done.append(Call(start, loop.time(), tokens))

    await asyncio.gather(*(make() for _ in range(calls)))


def most_in_a_minute(calls: list[Call], moment: Callable[[Call], float]) -> int:
    """The most tokens within any minute, where each call counts at a moment."""
    times = sorted((moment(call), call.tokens) for call in calls)
    return max(sum(tokens for time, tokens in times if begin <= time < begin + 60) for begin, _ in times)


@pytest.mark.parametrize("rate", [3_000, 20_000, 200_000])
@pytest.mark.parametrize("seconds", [0.2, 5.0, 40.0])
def test_no_minute_has_more_than_the_rate_and_one_call(rate: int, seconds: float) -> None:
    draw = random.Random(f"{rate} {seconds}")
    done: list[Call] = []

    def cost() -> tuple[int, int, float]:
        prompt = draw.randint(200, 900)
        return (
            prompt,
            int(prompt * draw.uniform(0.7, 1.3)) + draw.randint(20, 300),
            seconds * draw.uniform(0.5, 2),
        )

    run(make_calls(rate, 32, 400, cost, done))

    largest = max(call.tokens for call in done)
    assert len(done) == 400
    for moment in (lambda call: call.start, lambda call: call.end, lambda call: (call.start + call.end) / 2):
        assert most_in_a_minute(done, moment) <= rate + largest


def test_most_of_the_rate_is_used() -> None:
    done: list[Call] = []
    took = run(make_calls(6_000, 16, 300, lambda: (200, 300, 1.0), done))
    assert took <= 300 * 300 / 6_000 * 60 * 1.15


def test_a_call_above_the_rate_goes_alone() -> None:
    done: list[Call] = []
    run(make_calls(100, 8, 4, lambda: (500, 600, 2.0), done))
    starts = [call.start for call in sorted(done, key=lambda call: call.start)]
    assert [later - earlier for earlier, later in pairwise(starts)] == pytest.approx([62.0] * 3, abs=0.1)


def test_calls_below_the_rate_do_not_wait() -> None:
    done: list[Call] = []
    assert run(make_calls(1_000_000, 8, 80, lambda: (100, 150, 1.0), done)) == 10.0


def test_a_call_that_fails_gives_its_room_back_after_a_minute() -> None:
    async def fail_and_call() -> None:
        rate = TokenRate(1_000)
        with pytest.raises(ValueError, match="no"):
            async with rate.room("some:/model", 100, 900):
                raise ValueError("no")
        async with rate.room("some:/model", 100, 900) as cost:
            cost.tokens = 150
        async with rate.room("some:/model", 100, 900):
            pass

    assert run(fail_and_call()) == pytest.approx(60.0, abs=0.1)


def test_limits_hold_inside_their_context_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEMALIGN_MAX_WORKERS", "5")
    with call_limits(concurrency=3):
        assert max_concurrency() == 3
    assert max_concurrency() == 5


@pytest.mark.parametrize("limit", ["concurrency", "tokens_per_minute"])
def test_a_limit_below_1_is_told(limit: str) -> None:
    with (
        pytest.raises(SettingsError, match=f"{limit} is 0; give a whole number of at least 1"),
        call_limits(**{limit: 0}),
    ):
        pass
