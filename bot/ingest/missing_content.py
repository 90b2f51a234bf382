"""Traces that tell of a model and hold no words: counted, and told in the status with the remedy."""

from collections.abc import Callable

from bot.plain_text import pluralise
from bot.runtime.clock import now_ms
from bot.runtime.health import HealthRegistry
from bot.runtime.supervisor import COMPONENT as BACKGROUND
from storage.database import Database
from storage.records import TracesWithoutContent

SUBJECT = "traces from OpenTelemetry"
TOLD_MS = 86_400_000
"""The status tells of them until none has come for a day. Set by hand."""


class MissingContent:
    """The count of traces without content, over restarts, and what the status says of it."""

    def __init__(
        self, database: Database, health: HealthRegistry, time_ms: Callable[[], int] = now_ms
    ) -> None:
        self._database = database
        self._health = health
        self._time_ms = time_ms
        self._told_until_ms = 0
        self.number = 0
        """Such traces since the start."""

    async def restore(self) -> None:
        """Tell again what was told before a restart. Raises `StorageError`."""
        count = await self._database.open_traces.without_content()
        if count is not None and count.last_ms > self._time_ms() - TOLD_MS:
            self._tell(count.number, count.last_ms)

    def tell(self, number: int, count: TracesWithoutContent) -> None:
        """Tell of so many more, and of all in the store's count."""
        self.number += number
        self._tell(count.number, count.last_ms)

    def fade(self) -> None:
        """Tell no more once none has come for long."""
        if self._told_until_ms and self._time_ms() >= self._told_until_ms:
            self._told_until_ms = 0
            self._health.report(BACKGROUND, SUBJECT, None)

    def _tell(self, number: int, last_ms: int) -> None:
        self._told_until_ms = last_ms + TOLD_MS
        self._health.report(
            BACKGROUND,
            SUBJECT,
            f"{pluralise(number, 'trace')} came without a question or an answer, and cannot be judged. "
            "Where the application runs, set OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=SPAN_ONLY and "
            "OTEL_SEMCONV_STABILITY_OPT_IN=gen_ai_latest_experimental, or what your instrumentation's manual names",
        )
