"""The command line: `memalign COMMAND`. Each command is one function of `bot.cli`."""

import argparse
import asyncio
import importlib
import sys
from collections.abc import Sequence
from datetime import UTC
from pathlib import Path

from bot.runtime.clock import week_bounds
from memalign.errors import MemAlignError

CONFIG = Path("memalign.toml")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command; exit with 0 when done, 1 for a problem told in one sentence, 2 for wrong usage."""
    options = parser().parse_args(arguments)
    module, function = options.command_at.split(":")
    command = getattr(importlib.import_module(module), function)
    try:
        asyncio.run(command(options))
    except MemAlignError as error:
        sys.exit(f"memalign: {error}")
    except BaseExceptionGroup as group:
        known = _first(group)
        if known is None:
            raise
        sys.exit(f"memalign: {known}")
    except BrokenPipeError:  # the reader, such as head, has seen enough
        sys.stderr.close()
    except KeyboardInterrupt:
        sys.exit(130)


def _first(group: BaseExceptionGroup[BaseException]) -> MemAlignError | None:
    """The sentence for a person, where a group of errors holds nothing else."""
    known, others = group.split(MemAlignError)
    if known is None or others is not None:
        return None
    first: BaseException = known
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    return first if isinstance(first, MemAlignError) else None


def port(text: str) -> int:
    """A TCP port. Raises `ArgumentTypeError`."""
    if text.isdecimal() and int(text) <= 65535:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text} is no port; expected a number from 0 to 65535")


def week(text: str) -> str:
    """An ISO week. Raises `ArgumentTypeError`."""
    try:
        week_bounds(text, UTC)
    except ValueError:
        raise argparse.ArgumentTypeError(f"there is no week {text}; write it like 2026-W47") from None
    return text


def parser() -> argparse.ArgumentParser:
    """All commands and their options."""
    top = argparse.ArgumentParser(
        prog="memalign", description="A Slack bot with which a team teaches its LLM judge."
    )
    commands = top.add_subparsers(metavar="COMMAND", required=True)

    def add(name: str, at: str, words: str, *, config: bool = True) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=words, description=words)
        command.set_defaults(command_at=at)
        if config:
            command.add_argument(
                "--config",
                type=Path,
                default=CONFIG,
                metavar="FILE",
                help="the settings (default: memalign.toml)",
            )
        return command

    demo = add(
        "demo", "bot.sandbox.demo.demo:demo", "the embedded workspace and bot, on real traces", config=False
    )
    demo.add_argument("--port", type=port, default=8765, metavar="N", help="the page's port (default: 8765)")
    demo.add_argument("--data", type=Path, metavar="DIR", help="keep the demo's data here, and go on from it")
    demo.add_argument("--no-browser", action="store_true", help="do not open the page")
    demo.add_argument(
        "--replay", type=int, metavar="N", help="let the recorded people answer N traces, then end"
    )

    add("run", "bot.cli.run:run", "the bot against Slack")
    add("check", "bot.cli.check:check", "try tokens, scopes, channels, models and storage; changes nothing")

    align = add(
        "align", "bot.cli.align:align", "teach a judge from a file of feedback, without Slack", config=False
    )
    align.add_argument("feedback", type=Path, metavar="FEEDBACK.jsonl")
    align.add_argument("--judge", type=Path, required=True, metavar="JUDGE.toml")
    align.add_argument("--out", type=Path, required=True, metavar="ALIGNED.json")

    judge = add("judge", "bot.cli.judge:judge", "judge a file of traces, without Slack", config=False)
    judge.add_argument("traces", type=Path, metavar="TRACES.jsonl")
    judge.add_argument("--aligned", type=Path, required=True, metavar="ALIGNED.json")
    judge.add_argument("--out", type=Path, metavar="VERDICTS.jsonl", help="default: standard output")

    guidelines = add("guidelines", "bot.cli.reading:guidelines", "what judges have learned, and from whom")
    guidelines.add_argument("judge", nargs="?", metavar="JUDGE")

    forget = add("forget", "bot.cli.forget:forget", "take back what was learned from traces, and erase them")
    whom = forget.add_mutually_exclusive_group(required=True)
    whom.add_argument(
        "traces", nargs="*", default=[], metavar="TRACE", help="a trace id, or a link to its card"
    )
    whom.add_argument("--person", metavar="USER", help="take back all that this Slack user id said and voted")

    digest = add("digest", "bot.cli.reading:digest", "how far judge and people agree")
    digest.add_argument(
        "--week", type=week, metavar="2026-W47", help="an ISO week (default: the week so far)"
    )
    digest.add_argument("--format", choices=("text", "json"), default="text")

    export = add(
        "export", "bot.cli.reading:export", "all feedback, guidelines and episodes, to standard output"
    )
    export.add_argument("--judge", metavar="JUDGE")
    export.add_argument("--format", choices=("jsonl", "mlflow"), default="jsonl")

    backup = add("backup", "bot.cli.backup:backup", "copy the store to a file, also while the bot runs")
    backup.add_argument("file", type=Path, metavar="FILE")

    restore = add("restore", "bot.cli.backup:restore", "bring a backup back, into an empty data folder")
    restore.add_argument("file", type=Path, metavar="FILE")
    return top


if __name__ == "__main__":
    main()
