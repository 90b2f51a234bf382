"""The words that stand where something was taken out."""

import re
from collections.abc import Callable
from typing import Final

EMAIL: Final = "[e-mail address]"
PHONE: Final = "[phone number]"
CARD: Final = "[card number]"
IBAN: Final = "[IBAN]"
KEY: Final = "[key]"
NAME: Final = "[name]"
REMOVED: Final = "[removed]"
"""In the place of a dropped field, and of what a team's own pattern matches."""
ALL_MARKERS: Final = (EMAIL, PHONE, CARD, IBAN, KEY, NAME, REMOVED)

MARKER = re.compile("(" + "|".join(map(re.escape, ALL_MARKERS)) + ")")


def replace_between_markers(text: str, replace: Callable[[str], str]) -> str:
    """Apply a replacement to the stretches between markers; the markers themselves stay as they are."""
    pieces = MARKER.split(text)
    return "".join(piece if place % 2 else replace(piece) for place, piece in enumerate(pieces))
