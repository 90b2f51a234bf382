"""Reading of one number from a text; what could also mean another number, or none, is not read."""

import math
import re

from memalign.text_folding import narrow, strip_marks

_DIGITS = r"(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:e[+-]?\d+)?"
_UNITS = r"stars?|points?|sterne?n?|punkte?n?|étoiles?|estrellas?|puntos?|点|星|분|점|★|⭐️?"
_NUMBER = re.compile(
    rf"(?P<number>[+-]?{_DIGITS})"
    r"(?:\s*(?P<percent>%)"
    rf"|\s*(?:/|out of|of|von|sur|de)\s*(?P<scale>{_DIGITS})(?:\s*(?:{_UNITS}))?"
    rf"|\s*(?:{_UNITS}))?",
    re.IGNORECASE,
)
_THOUSANDS = re.compile(r"[1-9]\d{0,2},\d{3}")


def read_number(text: str, scale_end: float | None = None) -> float | None:
    """Read a text that is one number, perhaps with its unit or scale: `.85`, `４`, `3,5`, `4 stars`, `2/5`.

    Args:
        text: The text, with any marks around it.
        scale_end: The highest label; `2/5` is 2 where it is 5, and `85%` is 85 where it is 100 and 0.85 where it is 1.

    Returns:
        The number, a whole one as int; None where the text is none, or leaves a doubt: `1,000` (a thousand, or one),
        `2/5` and `85%` on another scale, a range, an infinity.
    """
    match = _NUMBER.fullmatch(strip_marks(narrow(text)))
    number = _value(match["number"]) if match else None
    if match is None or number is None:
        return None
    if match["percent"]:
        return _percentage(number, scale_end)
    if match["scale"]:
        return number if _value(match["scale"]) == scale_end else None
    return number


def finite(number: float) -> float | None:
    """Keep a number that can be a label.

    Args:
        number: An int or a float.

    Returns:
        The number as it is; None if it is not finite, or too large for a float.
    """
    try:
        return number if math.isfinite(number) else None
    except OverflowError:
        return None


def _value(text: str) -> float | None:
    if _THOUSANDS.fullmatch(text.lstrip("+-")):
        return None
    text = text.replace(",", ".")
    number = finite(float(text))
    if number is None:
        return None
    return int(text) if text.lstrip("+-").isdigit() else number


def _percentage(number: float, scale_end: float | None) -> float | None:
    if scale_end == 100:
        return number
    return number / 100 if scale_end == 1 else None
