"""Slack's rules between the limits of one input: the lower one is not above the upper one."""

import re
from decimal import Decimal

from bot.sandbox.web_api.validators import complain

_NUMERAL = re.compile(r"-?\d+(\.\d+)?")
_WHOLE_NUMERAL = re.compile(r"-?\d+")


def length_range(value: object, pointer: str, complaints: list[str]) -> None:
    """Refuse a text input whose shortest text is longer than its longest."""
    if not isinstance(value, dict):
        return
    low, high = value.get("min_length"), value.get("max_length")
    if isinstance(low, int) and isinstance(high, int) and low > high:
        complain(complaints, "min_length cannot be greater than max_length", pointer)


def number_range(value: object, pointer: str, complaints: list[str]) -> None:
    """Refuse a number input whose limits are no numerals, are crossed, or leave out its initial value."""
    if not isinstance(value, dict):
        return
    whole = value.get("is_decimal_allowed") is False
    names = ("min_value", "max_value", "initial_value")
    numbers = {name: _number(value.get(name), whole=whole) for name in names}
    for name in names:
        if value.get(name) and numbers[name] is None:
            complain(complaints, f"must be a {'whole ' if whole else ''}number", f"{pointer}/{name}")
    low, high, initial = (numbers[name] for name in names)
    if low is not None and high is not None and low > high:
        complain(complaints, "min_value cannot be greater than max_value", pointer)
    elif initial is not None and (
        (low is not None and initial < low) or (high is not None and initial > high)
    ):
        complain(complaints, "must be from min_value to max_value", f"{pointer}/initial_value")


def _number(text: object, *, whole: bool) -> Decimal | None:
    pattern = _WHOLE_NUMERAL if whole else _NUMERAL
    return Decimal(text) if isinstance(text, str) and pattern.fullmatch(text) else None
