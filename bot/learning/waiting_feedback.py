"""Feedback that could not be learned yet. While a model or Slack is down, waiting costs no write to the store."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bot.runtime.circuit_breaker import CircuitBreaker
from storage.records import PendingFeedback

LONGEST_PAUSE_MS = 300_000
"""Longest pause before what failed is tried again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _HeldFeedback:
    circuit: str
    judge: str
    reason: str


class WaitingFeedback:
    """Keeps feedback that failed from being tried again before the circuit that it waits for lets it through.

    A circuit is a judge, for what its models failed at, or a single verdict. After a restart all is tried anew.
    """

    def __init__(self) -> None:
        self._breaker = CircuitBreaker(LONGEST_PAUSE_MS)
        self._waits: dict[str, _HeldFeedback] = {}
        """By verdict."""

    def record_failure(
        self,
        circuit: str,
        pending: Iterable[PendingFeedback] = (),
        reason: str = "",
        *,
        at_least_ms: int = 0,
    ) -> None:
        """Open the circuit, and let this feedback wait for it; `at_least_ms` is the pause that a service asks for."""
        self._breaker.record_failure(circuit, at_least_ms)
        for each in pending:
            self.hold(circuit, each, reason)

    def hold(self, circuit: str, pending: PendingFeedback, reason: str) -> None:
        """Let feedback wait for the circuit."""
        self._waits[pending.verdict_id] = _HeldFeedback(circuit=circuit, judge=pending.judge, reason=reason)

    def record_success(self, circuit: str) -> None:
        """Close the circuit."""
        self._breaker.record_success(circuit)

    def release(self, pending: Iterable[PendingFeedback]) -> None:
        """Let this feedback wait no more; its circuit keeps what it knows of failures."""
        for each in pending:
            self._waits.pop(each.verdict_id, None)

    def settle(self, pending: PendingFeedback) -> None:
        """Note that the feedback is learned."""
        self._breaker.record_success(pending.verdict_id)

    def is_open(self, circuit: str) -> bool:
        """Return whether the circuit is to be left alone for now."""
        return self._breaker.is_open(circuit)

    def reason(self, judge: str) -> str | None:
        """Return why feedback for the judge waits, None when none does."""
        return next((wait.reason for wait in self._waits.values() if wait.judge == judge), None)

    def due(self, pending: Sequence[PendingFeedback]) -> list[PendingFeedback]:
        """Return the feedback that is new, or whose circuit lets it through.

        `pending` is all that is not learned yet; what is not among it was forgotten, or has just changed.
        """
        ids = {each.verdict_id for each in pending}
        self._waits = {verdict_id: wait for verdict_id, wait in self._waits.items() if verdict_id in ids}
        return [each for each in pending if not self._is_held(each)]

    def _is_held(self, pending: PendingFeedback) -> bool:
        wait = self._waits.get(pending.verdict_id)
        return wait is not None and self.is_open(wait.circuit)
