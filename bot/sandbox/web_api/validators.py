"""Rules for the shape of a JSON value, with complaints worded and addressed as Slack's are.

A rule looks at one value and adds what is wrong to a list; an empty list means the value is acceptable.
"""

import math
from collections.abc import Callable, Mapping
from typing import TypeAlias

Rule: TypeAlias = Callable[[object, str, list[str]], None]
"""Takes the value, where it stands (a JSON pointer) and the list of complaints."""

NOTHING: Mapping[str, Rule] = {}


def complain(complaints: list[str], what: str, pointer: str) -> None:
    """Add one complaint about the value at `pointer`."""
    complaints.append(f"[ERROR] {what} [json-pointer:{pointer}]")


def string(maximum: int, minimum: int = 1) -> Rule:
    """Allow text of `minimum` to `maximum` characters."""

    def check(value: object, pointer: str, complaints: list[str]) -> None:
        if not isinstance(value, str):
            complain(complaints, "must be a string", pointer)
        elif len(value) > maximum:
            complain(complaints, f"must be less than {maximum + 1} characters", pointer)
        elif len(value) < minimum:
            complain(complaints, f"must be more than {minimum - 1} characters", pointer)

    return check


def flag(value: object, pointer: str, complaints: list[str]) -> None:
    """Allow true and false."""
    if not isinstance(value, bool):
        complain(complaints, "must be a boolean", pointer)


def whole_number(minimum: int, maximum: int) -> Rule:
    """Allow an integer in a range, both ends included."""

    def check(value: object, pointer: str, complaints: list[str]) -> None:
        if not isinstance(value, int) or isinstance(value, bool):
            complain(complaints, "must be an integer", pointer)
        elif not minimum <= value <= maximum:
            complain(complaints, f"must be from {minimum} to {maximum}", pointer)

    return check


def any_number(value: object, pointer: str, complaints: list[str]) -> None:
    """Allow every finite number."""
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        complain(complaints, "must be a number", pointer)


def nullable(rule: Rule) -> Rule:
    """Allow null, and what `rule` allows."""

    def check(value: object, pointer: str, complaints: list[str]) -> None:
        if value is not None:
            rule(value, pointer, complaints)

    return check


def choice(*allowed: str) -> Rule:
    """Allow one of a few words."""

    def check(value: object, pointer: str, complaints: list[str]) -> None:
        if not isinstance(value, str) or value not in allowed:
            complain(complaints, f"must be one of {', '.join(allowed)}", pointer)

    return check


def anything(value: object, pointer: str, complaints: list[str]) -> None:
    """Allow every value: parts the sandbox does not look into."""


def array(rule: Rule, maximum: int, minimum: int = 1) -> Rule:
    """Allow a list of `minimum` to `maximum` items that each obey `rule`."""

    def check(value: object, pointer: str, complaints: list[str]) -> None:
        if not isinstance(value, list):
            complain(complaints, "must be an array", pointer)
            return
        if len(value) > maximum:
            complain(complaints, f"no more than {maximum} items allowed", pointer)
        if len(value) < minimum:
            complain(complaints, f"must have at least {minimum} items", pointer)
        for index, item in enumerate(value):
            rule(item, f"{pointer}/{index}", complaints)

    return check


def record(required: Mapping[str, Rule], optional: Mapping[str, Rule] = NOTHING) -> Rule:
    """Allow an object with these keys and no others."""

    def check(value: object, pointer: str, complaints: list[str]) -> None:
        if not isinstance(value, dict):
            complain(complaints, "must be an object", pointer)
            return
        for key in required.keys() - value.keys():
            complain(complaints, f"missing required field: {key}", pointer)
        for key, part in value.items():
            rule = required.get(key) or optional.get(key)
            if rule is None:
                complain(complaints, f"invalid additional property: {key}", pointer)
            else:
                rule(part, f"{pointer}/{key}", complaints)

    return check


def tagged(table: Mapping[str, Rule], allowed: frozenset[str] | None = None) -> Rule:
    """Allow an object whose `type` names one of the rules in `table` (or the `allowed` ones of them)."""

    def check(value: object, pointer: str, complaints: list[str]) -> None:
        kind = value.get("type") if isinstance(value, dict) else None
        rule = table.get(kind) if isinstance(kind, str) else None
        if rule is None or (allowed is not None and kind not in allowed):
            complain(complaints, f"unsupported type: {kind}", f"{pointer}/type")
        else:
            rule(value, pointer, complaints)

    return check


def both(*rules: Rule) -> Rule:
    """Allow what every one of the rules allows."""

    def check(value: object, pointer: str, complaints: list[str]) -> None:
        for rule in rules:
            rule(value, pointer, complaints)

    return check
