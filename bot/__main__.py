"""The command line: `memalign COMMAND`. Each command is a function of `bot.cli`, imported when it is called."""

import argparse
import asyncio
import importlib
import re
import sys
from collections.abc import Sequence
from datetime import date, timedelta
from importlib.metadata import version
from io import TextIOWrapper
from pathlib import Path
from typing import NoReturn

from bot.conversion.sources import SOURCES
from bot.plain_text import nearest
from bot.runtime.clock import named_week
from bot.runtime.supervisor import first_known
from bot.visible_text import visible
from memalign.errors import MemAlignError

DEFAULT_CONFIG = Path("memalign.toml")


EPILOG = """\
examples:
  memalign demo
  memalign run --config memalign.toml
  memalign align feedback.jsonl --judge judge.toml --out aligned.json
  memalign convert export.csv --judge politeness --out traces.jsonl
  memalign judge traces.jsonl --aligned aligned.json --labels feedback.jsonl --min-agreement 0.8

environment (a .env file beside the settings is read, too):
  SLACK_BOT_TOKEN         the bot token (xoxb-...)
  SLACK_APP_TOKEN         for Socket Mode (xapp-...)
  SLACK_SIGNING_SECRET    for HTTP mode, instead of SLACK_APP_TOKEN
  SLACK_API_URL           another address of Slack's Web API
  OPENAI_API_KEY, OPENAI_BASE_URL, ANTHROPIC_API_KEY, ANTHROPIC_BASE_URL
                          for models openai:/... and anthropic:/...
  MEMALIGN_DATABASE_URL   a PostgreSQL database for the store, before [storage]
  MEMALIGN_INGEST_TOKEN   what applications that send traces must show
  MEMALIGN_MAX_WORKERS    model calls at once (default: 8)
  MEMALIGN_LOG_LEVEL      debug, info, warning or error
"""


GUIDELINE_ACTIONS = {
    "add": "add a rule in your own words",
    "edit": "put a guideline into your own words",
    "retire": "take a guideline out of use, until somebody restores it",
    "restore": "take a retired guideline back into use",
    "pin": "let a guideline come first, and never be left out for room",
    "unpin": "undo a pin",
    "approve": "let a guideline that waits for approval be used",
    "undo": "undo the last decision on a guideline",
}
"""Actions of `memalign guideline`, each with its summary."""
INVALID_CHOICE = re.compile(r"invalid choice: '(?P<word>[^']*)' \(choose from (?P<known>.*)\)")


class CommandParser(argparse.ArgumentParser):
    """A parser that names the command which a mistyped one is most like."""

    def error(self, message: str) -> NoReturn:
        """Exit with 2 and the sentence."""
        wrong = INVALID_CHOICE.search(message)
        meant = nearest(wrong["word"], re.findall(r"[\w-]+", wrong["known"])) if wrong else None
        super().error(f"{message}; did you mean {meant}?" if meant else message)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command. Exit with 0 when done, 1 for a problem (told on standard error), 2 for wrong usage."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # whatever the locale; and what is stored may hold half an emoji, which UTF-8 cannot say
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    options = parser().parse_args(arguments)
    module, name = options.function.split(":")
    command = getattr(importlib.import_module(module), name)
    try:
        asyncio.run(command(options))
    except MemAlignError as error:
        sys.exit(f"memalign: {visible(str(error))}")
    except BaseExceptionGroup as group:
        known = first_known(group)
        if known is None:
            raise
        sys.exit(f"memalign: {visible(str(known))}")
    except BrokenPipeError:  # the reader, such as head, has seen enough
        sys.stderr.close()
    except KeyboardInterrupt:
        sys.exit(130)


def port(text: str) -> int:
    """Parse a TCP port. Raises `ArgumentTypeError`."""
    if text.isdecimal() and int(text) <= 65535:
        return int(text)
    raise argparse.ArgumentTypeError(f"“{text}” is not a port; expected a number from 0 to 65535")


def count(text: str) -> int:
    """Parse a number from 0. Raises `ArgumentTypeError`."""
    if text.isdecimal() and len(text) < 10:
        return int(text)
    raise argparse.ArgumentTypeError(f"“{text}” is not a whole number from 0 to 999,999,999")


def positive(text: str) -> int:
    """Parse a number from 1. Raises `ArgumentTypeError`."""
    if text.isdecimal() and len(text) < 10 and int(text) > 0:
        return int(text)
    raise argparse.ArgumentTypeError(f"“{text}” is not a whole number from 1 to 999,999,999")


def share(text: str) -> float:
    """Parse a share from 0 to 1. Raises `ArgumentTypeError`."""
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if 0 <= number <= 1:
        return number
    raise argparse.ArgumentTypeError(f"“{text}” is not a share; expected a number from 0 to 1, such as 0.8")


def judge_name(text: str) -> str:
    """Check a judge's name. Raises `ArgumentTypeError`."""
    if text and text == text.strip() and text.isprintable():
        return text
    raise argparse.ArgumentTypeError("a judge's name has no blanks at its ends, and is one line")


def week(text: str) -> str:
    """Check the name of a week. Raises `ArgumentTypeError`."""
    if text.strip() and named_week(text, date.max - timedelta(days=14)):
        return text
    raise argparse.ArgumentTypeError(f"there is no week {text}; write it like 2026-W47, or last")


def parser() -> argparse.ArgumentParser:
    """Return the parser of all commands and their options."""
    top = CommandParser(
        prog="memalign",
        description="A Slack bot with which a team teaches its LLM judge.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"memalign {version('memalign')}")
    commands = Commands(top)
    add_bot_commands(commands)
    add_batch_commands(commands)
    add_conversion(commands)
    add_memory_commands(commands)
    add_report_commands(commands)
    add_store_commands(commands)
    return top


class Commands:
    """The commands of a parser."""

    def __init__(self, top: argparse.ArgumentParser, metavar: str = "COMMAND") -> None:
        self._commands = top.add_subparsers(metavar=metavar, required=True)

    def add(self, name: str, function: str, summary: str) -> argparse.ArgumentParser:
        """Add a command; `function` is `module:name`, imported when the command is called."""
        command = self._commands.add_parser(name, help=summary, description=summary)
        command.set_defaults(function=function)
        return command

    def add_with_settings(self, name: str, function: str, summary: str) -> argparse.ArgumentParser:
        """Add a command that reads the settings."""
        command = self.add(name, function, summary)
        command.add_argument(
            "--config",
            type=Path,
            default=DEFAULT_CONFIG,
            metavar="FILE",
            help=f"the settings (default: {DEFAULT_CONFIG})",
        )
        return command


def add_bot_commands(commands: Commands) -> None:
    """Add the commands that run the bot or try its settings."""
    demo = commands.add(
        "demo", "bot.sandbox.demo.demo:demo", "the embedded workspace and bot, on real traces"
    )
    demo.add_argument("--port", type=port, default=8765, metavar="N", help="the page's port (default: 8765)")
    demo.add_argument("--data", type=Path, metavar="DIR", help="keep the demo's data here, and go on from it")
    demo.add_argument("--no-browser", action="store_true", help="do not open the page")
    demo.add_argument(
        "--replay", type=int, metavar="N", help="let the recorded people answer N traces, then end"
    )
    commands.add_with_settings("run", "bot.cli.run:run", "the bot against Slack")
    commands.add_with_settings(
        "check", "bot.cli.check:check", "try tokens, scopes, channels, models and storage; changes nothing"
    )


def add_batch_commands(commands: Commands) -> None:
    """Add the commands that work on files, without Slack or a store."""
    align = commands.add(
        "align", "bot.cli.align:align", "teach a judge from a file of feedback, without Slack"
    )
    align.add_argument(
        "feedback",
        type=Path,
        metavar="FEEDBACK.jsonl",
        help="lines with trace_id, inputs, outputs, label, and perhaps rationale and annotator; - for standard input",
    )
    align.add_argument(
        "--judge", type=Path, required=True, metavar="JUDGE.toml", help="a settings file with one [[judges]]"
    )
    align.add_argument(
        "--out", type=Path, required=True, metavar="ALIGNED.json", help="the judge, with what it learned"
    )
    align.add_argument(
        "--resume", action="store_true", help="go on with what --out has learned (it is so without it, too)"
    )
    add_call_limits(align)

    judge = commands.add("judge", "bot.cli.judge:judge", "judge a file of traces, without Slack")
    judge.add_argument(
        "traces",
        type=Path,
        metavar="TRACES.jsonl",
        help="lines with trace_id, inputs and outputs, and perhaps label; - for standard input",
    )
    source = judge.add_mutually_exclusive_group(required=True)
    source.add_argument(
        "--aligned", type=Path, metavar="ALIGNED.json", help="what memalign align has written"
    )
    source.add_argument(
        "--judge", metavar="NAME", help="a judge of the settings, with what it has learned in the bot's store"
    )
    judge.add_argument(
        "--memory-version",
        type=count,
        metavar="N",
        help="the version of its memory (default: as it is now); memalign memory log shows them",
    )
    judge.add_argument(
        "--labels",
        type=Path,
        metavar="FEEDBACK.jsonl",
        help="people's labels to compare the verdicts with (default: those in TRACES.jsonl)",
    )
    judge.add_argument(
        "--min-agreement", type=share, metavar="0.8", help="exit with 1 where the verdicts agree less"
    )
    judge.add_argument(
        "--resume",
        action="store_true",
        help="go on after the last line of --out, and stop if it holds verdicts of another judge or other traces; "
        "without it, they are kept",
    )
    judge.add_argument("--out", type=Path, metavar="VERDICTS.jsonl", help="default: standard output")
    judge.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="the settings: with --judge those of the bot (default: memalign.toml); with --aligned those of "
        "[redaction] and [models] (default: built-in redaction, models as aligned)",
    )
    add_call_limits(judge)


def add_call_limits(command: argparse.ArgumentParser) -> None:
    """Add the options that bound model calls."""
    command.add_argument(
        "--concurrency",
        type=positive,
        metavar="N",
        help="model calls at once (default: MEMALIGN_MAX_WORKERS, or 8)",
    )
    command.add_argument(
        "--tokens-per-minute",
        type=positive,
        metavar="N",
        help="most tokens of all model calls within any minute, prompts and answers together (default: no limit)",
    )


def add_conversion(commands: Commands) -> None:
    """Add the command that makes trace lines of exports."""
    convert = commands.add(
        "convert",
        "bot.cli.convert:convert",
        "exports of other tools, and tables, as lines that align, judge and POST /traces take",
    )
    convert.add_argument(
        "files",
        type=Path,
        nargs="+",
        metavar="FILE",
        help="JSON, JSON lines, CSV or Parquet, also in gzip; traces, and labels where they stand in a file apart",
    )
    convert.add_argument(
        "--from",
        dest="source",
        choices=SOURCES,
        metavar="TOOL",
        help=f"{', '.join(SOURCES)} (default: looks)",
    )
    convert.add_argument("--out", type=Path, metavar="TRACES.jsonl", help="default: standard output")
    convert.add_argument(
        "--judge",
        type=judge_name,
        metavar="NAME",
        help="the judge of all labels (default: each label's own name)",
    )
    convert.add_argument(
        "--score",
        action="append",
        default=[],
        metavar="NAME",
        help="take labels of this name only; may be repeated",
    )
    convert.add_argument(
        "--columns",
        action="append",
        default=[],
        metavar="FIELD=COLUMN,…",
        help="which column of a table is what, such as inputs=QUESTION,outputs=ANSWER (default: by usual names)",
    )


def add_memory_commands(commands: Commands) -> None:
    """Add the commands that show what judges have learned, and take it back."""
    guidelines = commands.add_with_settings(
        "guidelines", "bot.cli.reading:guidelines", "what judges have learned, and from whom"
    )
    guidelines.add_argument("judge", nargs="?", metavar="JUDGE")

    add_guideline_actions(
        commands.add("guideline", "", "add, edit, retire, restore, pin or approve a guideline")
    )

    add_version_commands(commands.add("memory", "", "the versions of what a judge has learned"))

    forget = commands.add_with_settings(
        "forget", "bot.cli.forget:forget", "take back what was learned from traces, and erase them"
    )
    target = forget.add_mutually_exclusive_group(required=True)
    target.add_argument(
        "traces", nargs="*", default=[], metavar="TRACE", help="a trace id, or a link to its card"
    )
    target.add_argument(
        "--person", metavar="USER", help="take back everything this Slack user id said and voted on"
    )
    asking = forget.add_mutually_exclusive_group()
    asking.add_argument("--yes", action="store_true", help="do not ask (without a terminal it never asks)")
    asking.add_argument("--dry-run", action="store_true", help="only show what would go")

    commands.add_with_settings(
        "forgotten", "bot.cli.status:forgotten", "what was forgotten, by whom and when"
    )


def add_version_commands(memory: argparse.ArgumentParser) -> None:
    """Add the commands on the versions of a judge's memory."""
    actions = Commands(memory, "ACTION")
    log = actions.add_with_settings(
        "log", "bot.cli.memory:log", "who changed the memory, when, and what came and went; newest first"
    )
    log.add_argument("judge", metavar="JUDGE")
    log.add_argument("--limit", type=count, metavar="N", help="the newest N versions (default: all)")
    log.add_argument("--format", choices=("text", "json"), default="text")

    diff = actions.add_with_settings(
        "diff", "bot.cli.memory:diff", "what differs between a version and now, or between two versions"
    )
    diff.add_argument("judge", metavar="JUDGE")
    diff.add_argument(
        "version", nargs="?", type=count, metavar="VERSION", help="default: the one before the last change"
    )
    diff.add_argument("version2", nargs="?", type=count, metavar="VERSION2", help="default: now")

    rollback = actions.add_with_settings(
        "rollback", "bot.cli.memory:rollback", "go back to a version; that makes a new one, and can be undone"
    )
    rollback.add_argument("judge", metavar="JUDGE")
    rollback.add_argument(
        "version",
        nargs="?",
        type=count,
        metavar="VERSION",
        help="default: undo the last change that people made",
    )
    asking = rollback.add_mutually_exclusive_group()
    asking.add_argument("--yes", action="store_true", help="do not ask (without a terminal it never asks)")
    asking.add_argument("--dry-run", action="store_true", help="only show what would change")


def add_guideline_actions(guideline: argparse.ArgumentParser) -> None:
    """Add what can be done with a guideline, each as a command of its own."""
    actions = Commands(guideline, "ACTION")
    for name, summary in GUIDELINE_ACTIONS.items():
        action = actions.add_with_settings(name, "bot.cli.guideline:carry_out", summary)
        action.set_defaults(action=name, id="", text=[])
        action.add_argument("judge", metavar="JUDGE")
        if name != "add":
            action.add_argument(
                "id", metavar="ID", help="as memalign guidelines shows it; its beginning is enough"
            )
        if name in ("add", "edit"):
            action.add_argument("text", nargs="+", metavar="TEXT", help="the rule in your words")


def add_report_commands(commands: Commands) -> None:
    """Add the commands that print figures and data of the bot's store."""
    commands.add_with_settings("status", "bot.cli.status:status", "whether anything is stuck, and why")
    digest = commands.add_with_settings("digest", "bot.cli.digest:digest", "how far judge and people agree")
    digest.add_argument(
        "--week", type=week, metavar="2026-W47", help="an ISO week, or last (default: the week so far)"
    )
    digest.add_argument("--format", choices=("text", "json"), help="on standard output (default: text)")
    digest.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help="a file to hand on, by its ending: .md and .html to read, .csv a row for each verdict, .png the charts",
    )
    digest.add_argument("--theme", choices=("light", "dark"), help="of a .png (default: light)")

    report = commands.add_with_settings(
        "report", "bot.cli.report:report", "one page on a judge, to hand on for an audit or a model review"
    )
    report.add_argument("judge", nargs="?", metavar="JUDGE", help="not needed where there is only one")
    report.add_argument(
        "--out", type=Path, required=True, metavar="FILE.html", help="replaced if it is there"
    )

    export = commands.add_with_settings(
        "export", "bot.cli.reading:export", "all feedback, guidelines and cases, to standard output"
    )
    export.add_argument("--judge", metavar="JUDGE")
    export.add_argument(
        "--person", metavar="USER", help="only what this Slack user id said, and rules from it"
    )
    export.add_argument("--format", choices=("jsonl", "mlflow"), default="jsonl")


def add_store_commands(commands: Commands) -> None:
    """Add the commands that change the bot's store as a whole, or copy it to a file and back."""
    rename = commands.add_with_settings(
        "rename-judge",
        "bot.cli.rename_judge:rename_judge",
        "keep all that a judge has learned under another name",
    )
    rename.add_argument("old", type=judge_name, metavar="OLD", help="the name up to now")
    rename.add_argument("new", type=judge_name, metavar="NEW", help="the name in the settings from now on")

    backup = commands.add_with_settings(
        "backup", "bot.cli.backup:backup", "copy the store to a file, also while the bot runs"
    )
    backup.add_argument("file", type=Path, metavar="FILE")

    move = commands.add_with_settings(
        "move",
        "bot.cli.move:move",
        "carry the store over to PostgreSQL, or back to a folder, while no bot runs",
    )
    move.add_argument("--to", required=True, metavar="URL", help="postgresql://..., or the path of a folder")

    restore = commands.add_with_settings(
        "restore", "bot.cli.backup:restore", "bring a backup back, into an empty data folder"
    )
    restore.add_argument("file", type=Path, metavar="FILE")


if __name__ == "__main__":
    main()
