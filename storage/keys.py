"""Document ids that sort: several parts in one string, compared part by part."""

import hashlib
import re
from decimal import Decimal

LAST = "\U0010ffff"
"""Sorts after every text a key part may begin with."""
_EVENT_TIME = re.compile(r"\d+(\.\d+)?")
_SEPARATOR = "\x00"
_ORIGINALS = {"\x01\x01": "\x00", "\x01\x02": "\x01"}
_ESCAPED = re.compile("\x01[\x01\x02]")


def key(*parts: str) -> str:
    """Join the parts so that no two lists of parts share a key and shorter parts sort first."""
    return _SEPARATOR.join(_plain(part) for part in parts)


def parts_of(joined: str) -> list[str]:
    """Return the parts that `key` joined."""
    return [_original(part) for part in joined.split(_SEPARATOR)]


def below(*parts: str) -> tuple[str, str]:
    """Return bounds (from, up to) of all keys that begin with these parts and have more."""
    prefix = key(*parts) + _SEPARATOR
    return prefix, prefix + LAST


def exactly(place: str) -> tuple[str, str]:
    """Return bounds (from, up to) of this one key."""
    return place, just_after(place)


def just_after(place: str) -> str:
    """Return the smallest key behind this one."""
    return place + _SEPARATOR


def stamp(number: int) -> str:
    """Write a time in milliseconds, or a counter, so that it sorts as a number does."""
    return f"{max(number, 0):015d}"


def encode(text: str) -> bytes:
    """Return UTF-8 that also takes half a surrogate pair, which JSON allows and traces contain."""
    return text.encode("utf-8", "surrogatepass")


def decode(raw: bytes) -> str:
    """Return the text that `encode` was given."""
    return raw.decode("utf-8", "surrogatepass")


def digest(text: str) -> str:
    """Return the SHA-256, hexadecimal; also of text that UTF-8 cannot say (half a surrogate pair)."""
    return hashlib.sha256(encode(text)).hexdigest()


def event_ms(at: str) -> int:
    """Milliseconds since 1970 of a Slack event time such as `1700000000.000100`."""
    return int(Decimal(at) * 1000)


def is_event_time(text: str) -> bool:
    """Return whether a text has the form of a Slack event time."""
    return _EVENT_TIME.fullmatch(text) is not None


def _plain(part: str) -> str:
    if "\x00" in part or "\x01" in part:
        return part.replace("\x01", "\x01\x02").replace("\x00", "\x01\x01")
    return part


def _original(part: str) -> str:
    return part if "\x01" not in part else _ESCAPED.sub(lambda found: _ORIGINALS[found[0]], part)
