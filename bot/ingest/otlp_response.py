"""Answers to `POST /v1/traces`, in the form of the request.

https://opentelemetry.io/docs/specs/otlp/#otlphttp-response: 200 with `partial_success` where spans were refused, else
a `google.rpc.Status` with a message for people; exporters send again after 429 and 503 alone.
"""

from collections.abc import Mapping

from aiohttp import web

from bot.ingest.otlp_protobuf import response_bytes, status_bytes
from memalign.records import Json

PROTOBUF_TYPE = "application/x-protobuf"
PROTOBUF_TYPES = (PROTOBUF_TYPE, "application/protobuf", "application/vnd.google.protobuf")


def success_response(content_type: str, rejected: int, message: str) -> web.Response:
    """Return 200, with what was refused.

    Args:
        content_type: that of the request.
        rejected: spans that were refused.
        message: the reasons; empty for none.
    """
    if content_type in PROTOBUF_TYPES:
        return web.Response(body=response_bytes(rejected, message), content_type=PROTOBUF_TYPE)
    partial: dict[str, Json] = {"rejectedSpans": str(rejected), "errorMessage": message}
    return web.json_response({"partialSuccess": partial} if rejected or message else {})


def error_response(
    content_type: str, status: int, message: str, headers: Mapping[str, str] | None = None
) -> web.Response:
    """Return a refusal of the whole request.

    Args:
        content_type: that of the request.
        status: of HTTP.
        message: a sentence for people.
        headers: further headers, such as `Retry-After`.
    """
    if content_type in PROTOBUF_TYPES:
        return web.Response(
            body=status_bytes(message), status=status, content_type=PROTOBUF_TYPE, headers=headers
        )
    return web.json_response({"message": message}, status=status, headers=headers)
