"""Compressed bodies: unpacked up to a limit, however much is in them.

Not by aiohttp, which unpacks all of a request in the event loop, also what comes after it was refused: 8 MB of gzip
hold 8 GB of zeros, and some four seconds of work.
"""

import zlib

from bot.web.request_error import RequestError

_GZIP_BITS, _ZLIB_BITS, _RAW_BITS = 16 + zlib.MAX_WBITS, zlib.MAX_WBITS, -zlib.MAX_WBITS
_DEFLATE_METHOD = 8
"""Low half of the first byte of zlib's form (RFC 1950); some send DEFLATE without it (RFC 1951)."""


def unpacked(body: bytes | bytearray, encoding: str, max_bytes: int) -> bytes:
    """Unpack a body.

    Args:
        body: as it was sent.
        encoding: the header Content-Encoding, in any case; empty for none.
        max_bytes: so much is unpacked, and one byte more where there is more.

    Raises:
        RequestError: the encoding is not known (415), or the body is not in it (400).
    """
    match encoding.strip().lower():
        case "" | "identity":
            return bytes(body)
        case "gzip" | "x-gzip":
            bits = _GZIP_BITS
        case "deflate":
            bits = _ZLIB_BITS if body[:1] and body[0] & 0x0F == _DEFLATE_METHOD else _RAW_BITS
        case _:
            raise RequestError(415, "Send the body as it is, or with Content-Encoding gzip or deflate.")
    try:
        return _inflated(bytes(body), bits, max_bytes)
    except zlib.error:
        raise RequestError(400, "The body is not what its header Content-Encoding says.") from None


def _inflated(body: bytes, bits: int, max_bytes: int) -> bytes:
    """Return what is in one or several members (RFC 1952). Raises `zlib.error`."""
    pieces: list[bytes] = []
    room = max_bytes + 1
    while body and room > 0:
        stream = zlib.decompressobj(bits)
        pieces.append(stream.decompress(body, room))
        room -= len(pieces[-1])
        if room > 0 and not stream.eof:
            raise zlib.error("the body ends too early")
        body = stream.unused_data
    return b"".join(pieces)
