"""Commands at the terminal, by the help that each of them prints."""

import io
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import redirect_stdout, suppress
from dataclasses import dataclass
from unittest.mock import patch

from bot.__main__ import parser
from reference.tables import code, fence, table

WIDTH = "100"
ENTRY = re.compile(r"^ {4}(?P<name>[a-z][\w-]*)(?: +|\n {8,})(?P<summary>\S.*(?:\n {8,}\S.*)*)", re.MULTILINE)
"""A command in the help of those above it; a summary may go on on the next line."""
HAS_ACTIONS = re.compile(r"^usage: .* (?:COMMAND|ACTION) \.\.\.", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A command, or an action of one."""

    name: str
    """With `memalign`, as it is typed."""
    summary: str
    help: str


def all_commands() -> list[Command]:
    """Return the commands in the order of the help, each followed by its actions."""
    return list(_commands_below(()))


def descriptions() -> str:
    """Return a table of all commands, then the help of each."""
    commands = all_commands()
    rows = [(f"[{code(each.name)}](#{anchor(each.name)})", each.summary) for each in commands]
    parts = [table(("command", "does"), rows)]
    parts += [f"## {code(each.name)} {{#{anchor(each.name)}}}\n\n{fence(each.help)}" for each in commands]
    return "\n".join(parts)


def anchor(name: str) -> str:
    """Return the anchor of a command's heading."""
    return name.replace(" ", "-")


def help_of(path: Sequence[str]) -> str:
    """Return what a command prints with `--help`, on a terminal of fixed width."""
    printed = io.StringIO()
    with patch.dict(os.environ, {"COLUMNS": WIDTH}), redirect_stdout(printed), suppress(SystemExit):
        parser().parse_args([*path, "--help"])
    return printed.getvalue()


def _commands_below(path: Sequence[str]) -> Iterator[Command]:
    text = help_of(path)
    for entry in ENTRY.finditer(text) if HAS_ACTIONS.search(text) else ():
        below = (*path, entry["name"])
        summary = " ".join(entry["summary"].split())
        yield Command(name=" ".join(("memalign", *below)), summary=summary, help=help_of(below))
        yield from _commands_below(below)
