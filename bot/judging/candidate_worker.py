"""Windows: at the end of each, a card is chosen among its candidates, and the others are let go."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from bot.config import JudgeSettings, Settings
from bot.judging.blind_cards import BlindCards
from bot.judging.card_pace import card_chance, is_drawn, windows_later
from bot.judging.chosen_card import CandidateTrace, CardChoice, ChosenCard, at_chance
from bot.judging.daily_cap import CardPlace, DailyCap
from bot.judging.hash_fraction import hash_fraction
from bot.runtime.activity_log import log_activity
from bot.runtime.circuit_breaker import CircuitBreaker, asked_pause_ms
from bot.runtime.clock import backoff_ms, now_ms
from bot.runtime.health import HealthRegistry, unexpected
from bot.runtime.metrics import Metrics
from bot.runtime.wake_event import WakeEvent
from memalign.errors import (
    ForgottenMeanwhileError,
    InputError,
    MemAlignError,
    ModelError,
    ModelUnavailableError,
    RequestFailedError,
    RequestRefusedError,
)
from storage.database import Database
from storage.records import CandidateWindow, NewCard

log = logging.getLogger(__name__)

COMPONENT = "judging"
MAX_REFUSALS = 2
"""Times that a model may refuse what a window holds, or fail at it alone, before the window is given up."""
WindowPlace = tuple[str, int, int]
"""Judge, start and end."""


class CandidateWorker:
    """Takes the windows that have ended, one of each judge at a time, and hands their cards to the outbox."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        choose: CardChoice,
        health: HealthRegistry,
        metrics: Metrics,
        wake_posting: Callable[[], None],
        cap: DailyCap,
        breaker: CircuitBreaker,
        blind_cards: BlindCards,
        stored_version: Callable[[str], int],
        *,
        renamed_perhaps: Collection[str] = (),
        time_ms: Callable[[], int] = now_ms,
    ) -> None:
        """Let the windows of judges that may have another name now go on waiting.

        `stored_version` returns the version of the memory that a judge has now.
        """
        self._settings = settings
        self._database = database
        self._choose = choose
        self._health = health
        self._metrics = metrics
        self._wake_posting = wake_posting
        self._cap = cap
        self._breaker = breaker
        self._blind_cards = blind_cards
        self._stored_version = stored_version
        self._renamed_perhaps = renamed_perhaps
        self._time_ms = time_ms
        self._wake_event = WakeEvent()
        self._in_hand: set[str] = set()
        """Judges whose window is being done."""
        self._choices: Counter[str] = Counter()
        """Judge -> cards chosen since the start."""
        self._choices_at_failure: dict[WindowPlace, int] = {}
        """Window -> that number when the service failed at its traces last."""
        self._own_failures: Counter[WindowPlace] = Counter()
        """Window -> failures though others got cards since the one before."""

    def wake(self) -> None:
        """Look for ended windows now."""
        self._wake_event.set()

    async def run(self) -> None:
        """Give windows their cards until cancelled."""
        self._in_hand.clear()
        async with asyncio.TaskGroup() as tasks:
            while True:
                for window in await self._next_windows():
                    self._in_hand.add(window.judge)
                    tasks.create_task(self._work(window))
                await self._wake_event.wait(1)

    async def _next_windows(self) -> list[CandidateWindow]:
        """Return of each judge that is free the ended window that is oldest."""
        oldest: dict[str, CandidateWindow] = {}
        if self._health.work.is_closed:
            return []
        for window in await self._database.candidates.due(self._time_ms()):
            oldest.setdefault(window.judge, window)
        return [
            window
            for judge, window in oldest.items()
            if judge not in self._in_hand
            and judge not in self._renamed_perhaps
            and not self._breaker.is_open(judge)
        ]

    async def _work(self, window: CandidateWindow) -> None:
        try:
            await self._give_card(window)
        except ForgottenMeanwhileError as error:
            await self._report_and_postpone(window, str(error))
        except RequestRefusedError as error:
            await self._wait_or_give_up(window, error, window.attempts + 1)
        except RequestFailedError as error:
            await self._wait_for_model(window, error)
        except ModelError as error:
            self._breaker.record_failure(
                window.judge,
                asked_pause_ms(error.retry_after) if isinstance(error, ModelUnavailableError) else 0,
            )
            await self._report_and_postpone(window, str(error))
        except InputError as error:  # waiting would not give the traces what they lack
            log.warning("no card is chosen: %s", error)
            await self._database.candidates.close(window)
        except MemAlignError as error:
            await self._report_and_postpone(window, str(error))
        except Exception:  # a bug at one window must not stop the others
            await self._report_and_postpone(window, unexpected(f"choosing a card of {window.judge}"))
        finally:
            self._in_hand.discard(window.judge)
            self._wake_event.set()

    async def _give_card(self, window: CandidateWindow) -> None:
        judge = self._settings.find_judge(window.judge)
        found = await self._database.candidates.of_window(window)
        candidates = [CandidateTrace(trace=trace, rate=each.rate) for trace, each in found]
        if judge is None or not candidates or judge.name in await self._database.preferences.pauses():
            await self._database.candidates.close(window)
            return
        async with self._cap.place(judge, self._time_ms()) as place:
            if place is None:
                await self._database.candidates.close(window)
            elif chance := window.chance or await self._draw(window, place):
                await self._choose_card(window, judge, candidates, place, chance)

    async def _draw(self, window: CandidateWindow, place: CardPlace) -> float:
        """Draw by lot whether a window is given a card; returns its chance if so, and 0 if it was let go."""
        now, judge = self._time_ms(), window.judge
        before = await self._database.candidates.chances(judge, place.day)
        waiting = await self._database.candidates.number_undrawn(judge, now)
        arrived = sum((await self._database.traffic.of_judge(judge)).get(place.day, ()))
        # fewer are left where others were shown at once; by the draw alone they lag behind by less than one
        left = min(place.plan.cards - before, place.left + 1)
        chance = card_chance(left, waiting, windows_later(place.plan, now, arrived))
        start = hash_fraction("pace", judge, place.day, key=await self._database.traces.sampling_key())
        drawn = is_drawn(before, chance, start)
        await self._database.candidates.draw(window, place.day, chance, is_drawn=drawn)
        return chance if drawn else 0.0

    async def _choose_card(
        self,
        window: CandidateWindow,
        judge: JudgeSettings,
        candidates: Sequence[CandidateTrace],
        place: CardPlace,
        chance: float,
    ) -> None:
        memory_version = self._stored_version(judge.name)
        with self._health.work.doing(COMPONENT, judge.name, f"choosing a trace with {judge.model}"):
            chosen = await self._choose(judge.name, candidates, window.seen)
        self._choices[judge.name] += 1
        if self._breaker.record_success(judge.name):
            await self._database.traces.release_now(judge.name)
        card = replace(await self._card(judge, chosen, place, chance), memory_version=memory_version)
        await self._database.candidates.close(window, [card])
        self._health.report(COMPONENT, judge.name, None)
        self._metrics.count_verdict(judge.name)
        log_activity(log, "card chosen", judge=judge.name, trace_id=chosen.verdict.trace_id)
        self._wake_posting()

    async def _card(
        self, judge: JudgeSettings, chosen: ChosenCard, place: CardPlace, chance: float
    ) -> NewCard:
        return NewCard(
            verdict=chosen.verdict,
            channel=judge.channel,
            judged_ms=self._time_ms(),
            day=place.day,
            room=place.room,
            selection=at_chance(chosen.selection, chance),
            shadows=chosen.shadows,
            resembles_case=chosen.resembles_case,
            is_blind=await self._blind_cards.includes(judge, chosen.verdict.trace_id),
        )

    async def _wait_for_model(self, window: CandidateWindow, error: RequestFailedError) -> None:
        """Put off a window at whose traces the service fails; it is at fault where windows got cards meanwhile."""
        place, choices = (window.judge, window.start_ms, window.end_ms), self._choices[window.judge]
        is_own = choices > self._choices_at_failure.get(place, choices)
        self._choices_at_failure[place] = choices
        if is_own:
            self._own_failures[place] += 1
            await self._wait_or_give_up(window, error, self._own_failures[place])
            return
        self._breaker.record_failure(window.judge, asked_pause_ms(error.retry_after))
        # another window is tried first then
        await self._report_and_postpone(window, str(error), backoff_ms(window.attempts))

    async def _wait_or_give_up(self, window: CandidateWindow, error: ModelError, failures: int) -> None:
        """Put off a window that is at fault itself; the second time it gets no card."""
        if failures < MAX_REFUSALS:
            await self._report_and_postpone(window, str(error))
            return
        log.warning("a window of %s gets no card: %s", window.judge, error)
        await self._database.candidates.close(window)
        self._health.report(COMPONENT, window.judge, None)

    async def _report_and_postpone(
        self, window: CandidateWindow, reason: str, behind_others_ms: int = 0
    ) -> None:
        self._health.report(COMPONENT, window.judge, reason)
        log.warning("a card of %s waits: %s", window.judge, reason)
        not_before = max(
            self._time_ms() + backoff_ms(window.attempts), self._breaker.open_until_ms(window.judge)
        )
        await self._database.candidates.postpone(window, not_before + behind_others_ms, reason)
