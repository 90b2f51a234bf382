"""Answers of model services, read up to a size: a service that never stops writing must not fill the memory."""

from httpx2 import Response

MAX_ANSWER_BYTES = 10_000_000
"""Most bytes of an answer, unpacked; about 2,500,000 tokens, or 256 vectors of 1,536 numbers written as text."""
_FRAMING_HEADERS = {"content-encoding", "content-length", "transfer-encoding"}
"""Headers of the bytes on the wire; they are not true of an answer that has been read."""


class OversizeAnswerError(Exception):
    """An answer is longer than `MAX_ANSWER_BYTES`; the rest of it was not read."""


async def read_bounded(response: Response) -> Response:
    """Read an answer of a service, and close its stream.

    Args:
        response: An answer of which nothing but the head has been read.

    Returns:
        The same answer with its body, unpacked.

    Raises:
        OversizeAnswerError: If the body is longer than `MAX_ANSWER_BYTES`.
    """
    body = bytearray()
    try:
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > MAX_ANSWER_BYTES:
                raise OversizeAnswerError
    finally:
        await response.aclose()
    headers = [
        (name, value) for name, value in response.headers.multi_items() if name not in _FRAMING_HEADERS
    ]
    return Response(response.status_code, headers=headers, content=bytes(body), request=response.request)
