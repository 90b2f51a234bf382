"""A collector of OpenTelemetry's: each verdict goes there as a log event, by OTLP over HTTP."""

from collections.abc import Mapping
from http import HTTPStatus
from urllib.parse import unquote

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse

from bot.config import OtlpSettings
from bot.outbound.errors import EventRejectedError
from bot.outbound.evaluation_results import EvaluationResults
from bot.outbound.http_sender import HttpSender
from memalign.errors import SettingsError
from storage.keys import digest
from storage.records import EventSubscription, OutboundEvent

PROTOBUF = "application/x-protobuf"


class OtlpLogs:
    """The collector of `[otlp]`."""

    def __init__(
        self, name: str, settings: OtlpSettings, headers: Mapping[str, str], results: EvaluationResults
    ) -> None:
        self.name = name
        self._headers = {**headers, "Content-Type": PROTOBUF}
        self._results = results
        self._sender = HttpSender(
            f"{settings.endpoint}/v1/logs", "[otlp] endpoint", "the variable named by [otlp] headers_env"
        )
        self.subscription = EventSubscription(
            receiver=collector_key(settings),
            types=("verdict.created",),
            judges=tuple(settings.judges),
        )

    async def deliver(self, event: OutboundEvent) -> bool:
        """Send a verdict; see `bot.outbound.receiver.EventReceiver`."""
        body = await self._results.of(event.change)
        if body is None:
            return False
        status, answer = await self._sender.post(body, self._headers)
        if status == HTTPStatus.BAD_REQUEST:  # OTLP: the client must not send it again
            raise EventRejectedError("it cannot read an event (400)")
        self._sender.require_success(status)
        _require_acceptance(answer)
        return True

    async def close(self) -> None:
        """Close the connections."""
        await self._sender.close()


def read_headers(variable: str, value: str) -> dict[str, str]:
    """Read headers as OTEL_EXPORTER_OTLP_HEADERS has them: `name=value,name=value`, percent-encoded.

    Args:
        variable: the environment variable that holds them; empty: there are none.
        value: its value.

    Raises:
        SettingsError: if it is missing, or no list of headers. The value is not shown.
    """
    if not variable:
        return {}
    pairs = [pair.partition("=") for pair in value.split(",") if pair.strip()]
    headers = {name.strip(): unquote(text.strip()) for name, _, text in pairs}
    is_broken = any("\r" in text or "\n" in text for text in headers.values())
    if not headers or is_broken or not all(name.strip() and equals for name, equals, _ in pairs):
        raise SettingsError(
            f"{variable} is missing, or no list of headers such as authorization=Bearer%20TOKEN; "
            "[otlp] headers_env names it. Set it in the environment or in the file .env."
        )
    return headers


def _require_acceptance(answer: bytes) -> None:
    """Raise `EventRejectedError` where the collector took the request, but not the event in it."""
    try:
        response = ExportLogsServiceResponse.FromString(answer)
    except DecodeError:  # it answers in another form, and has taken the request
        return
    if response.partial_success.rejected_log_records:
        raise EventRejectedError("it does not keep an event")


def collector_key(settings: OtlpSettings) -> str:
    """Return the key by which the store knows the collector."""
    return f"otlp:{digest(settings.endpoint)[:20]}"
