"""The judge that a command names before its other words. Pure."""

from collections.abc import Iterable

from bot.config import JudgeSettings


def name_by_word(judges: Iterable[JudgeSettings]) -> dict[str, str]:
    """Return the names and titles by which people call judges, with the name that each stands for."""
    known = tuple(judges)
    return {judge.title: judge.name for judge in known} | {judge.name: judge.name for judge in known}


def split_judge(text: str, judges: Iterable[str]) -> tuple[str | None, str]:
    """Return the judge whose name a text begins with, whatever its case, and the rest; None for no judge.

    Where the names of several are the beginning, the longest is meant. A colon may follow it.
    """
    line = " ".join(text.split())
    for name in sorted(judges, key=len, reverse=True):
        opening, rest = line[: len(name)], line[len(name) :]
        if opening.casefold() == name.casefold() and (not rest or rest[0] in " :"):
            return name, rest.lstrip(" :")
    return None, line
