"""The log: text or JSON, at the level that is set, with ids alone."""

import io
import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bot.cli.logs import configure_logging
from bot.config import LogSettings, read_settings
from bot.runtime.activity_log import log_activity
from memalign.errors import SettingsError
from memalign.records import Json
from tests.bot.bot_in_workspace import BotInWorkspace, bot_in_workspace

WORDS = "the Falcon takeover"
REASON = "An answer must never name the Falcon takeover."


@contextmanager
def log_lines(
    monkeypatch: pytest.MonkeyPatch,
    environment: dict[str, str] | None = None,
    *,
    keeps_handlers: bool = False,
    **settings: Json,
) -> Iterator[io.StringIO]:
    """Configure the log, on a root logger without handlers unless they are kept, and give what is written."""
    root, stream = logging.getLogger(), io.StringIO()
    handlers, level = root.handlers[:], root.level
    if not keeps_handlers:
        root.handlers.clear()
    monkeypatch.setattr("sys.stderr", stream)
    monkeypatch.setattr("sys.excepthook", sys.excepthook)
    try:
        configure_logging(LogSettings.model_validate(settings), environment or {})
        yield stream
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)


def read_json(stream: io.StringIO) -> list[dict[str, Json]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def fail(words: str) -> None:
    try:
        try:
            raise KeyError(words)
        except KeyError as error:
            raise ValueError(f"cannot read {words}") from error
    except ValueError:
        logging.getLogger("bot.test").exception("error e1 in judging trace tr-1")


def test_json_has_an_object_a_line_with_ids_as_fields(monkeypatch: pytest.MonkeyPatch) -> None:
    with log_lines(monkeypatch, format="json") as stream:
        log_activity(
            logging.getLogger("bot.test"), "trace judged", judge="polite", trace_id="a\nb\x1b[2J", n=None
        )
        logging.getLogger("bot.test").warning("post %s waits", "p\u202e1")
    first, second = read_json(stream)
    assert first["message"] == "trace judged judge=polite trace_id=a\nb\x1b[2J"
    assert (first["level"], first["logger"]) == ("INFO", "bot.test")
    assert (first["activity"], first["judge"], first["trace_id"]) == ("trace judged", "polite", "a\nb\x1b[2J")
    assert first["time"].endswith("+00:00")
    assert second["message"] == "post p\u202e1 waits"
    assert stream.getvalue().isascii()


def test_text_has_the_same_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    with log_lines(monkeypatch) as stream:
        log_activity(logging.getLogger("bot.test"), "card posted", post_id="p-1", channel="C1\nERROR forged")
    [line] = stream.getvalue().splitlines()
    assert line.endswith("INFO bot.test: card posted post_id=p-1 channel=C1 ERROR forged")


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize("level", ["info", "error", "debug"])
def test_an_exception_is_told_without_what_it_says(
    monkeypatch: pytest.MonkeyPatch, form: str, level: str
) -> None:
    with log_lines(monkeypatch, format=form, level=level) as stream:
        fail(WORDS)
    assert WORDS not in stream.getvalue()
    for part in ("error e1", "ValueError", "KeyError", "test_logs.py", "in fail"):
        assert part in stream.getvalue()


def test_a_mistake_that_ends_the_program_is_a_line_without_its_words(monkeypatch: pytest.MonkeyPatch) -> None:
    with log_lines(monkeypatch, format="json") as stream:
        try:
            raise ValueError(WORDS)
        except ValueError as error:
            sys.excepthook(type(error), error, error.__traceback__)
    [line] = read_json(stream)
    assert (line["level"], WORDS in stream.getvalue()) == ("CRITICAL", False)
    assert "ValueError" in line["exc_info"]


@pytest.mark.parametrize(
    ("environment", "level", "written"),
    [
        ({}, "warning", ["WARNING"]),
        ({}, "info", ["INFO", "WARNING"]),
        ({"MEMALIGN_LOG_LEVEL": "ERROR"}, "info", []),
        ({"MEMALIGN_LOG_LEVEL": "debug"}, "warning", ["DEBUG", "INFO", "WARNING"]),
        ({"MEMALIGN_LOG_LEVEL": " "}, "warning", ["WARNING"]),
    ],
)
def test_the_environment_comes_before_the_settings(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], level: str, written: list[str]
) -> None:
    with log_lines(monkeypatch, environment, format="json", level=level) as stream:
        for number in (logging.DEBUG, logging.INFO, logging.WARNING):
            logging.getLogger("bot.test").log(number, "words")
            logging.getLogger("httpx2").log(min(number, logging.INFO), "chatter")
    assert [line["level"] for line in read_json(stream)] == written


def test_a_level_that_is_none_is_refused_in_words(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with (
        pytest.raises(SettingsError, match="MEMALIGN_LOG_LEVEL is 'loud'; expected one of debug, info"),
        log_lines(monkeypatch, {"MEMALIGN_LOG_LEVEL": "loud"}),
    ):
        pass
    judges = [{"name": "j", "channel": "C1", "instructions": "{{ inputs }}"}]
    file = tmp_path / "memalign.toml"
    with pytest.raises(SettingsError, match="'debug', 'info', 'warning' or 'error', found 'loud'"):
        read_settings({"judges": judges, "log": {"level": "loud"}}, file)
    with pytest.raises(SettingsError, match="'text' or 'json', found 'xml'"):
        read_settings({"judges": judges, "log": {"format": "xml"}}, file)
    assert read_settings({"judges": judges, "log": {"level": "INFO"}}, file).log.level == "info"


def test_a_repeated_warning_is_written_once_a_minute_and_activity_always(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with log_lines(monkeypatch, format="json") as stream:
        for _ in range(50):
            logging.getLogger("bot.test").warning("the store is full")
            log_activity(logging.getLogger("bot.test"), "trace judged", trace_id="tr-1")
    assert [line["level"] for line in read_json(stream)].count("WARNING") == 1
    assert [line["level"] for line in read_json(stream)].count("INFO") == 50


async def _three_flows(harness: BotInWorkspace) -> None:
    await harness.send({"trace_id": "tr-1", "inputs": WORDS, "outputs": f"Yes, {WORDS}."})
    card = await harness.card("tr-1")
    harness.react(card, "-1")
    harness.reply(card, REASON)
    await harness.learned()
    await harness.asked(harness.ben, "forget tr-1 --yes")
    await harness.until(lambda: harness.shown("tr-1") is None)


async def test_what_the_bot_did_is_told_by_ids_and_in_nobodys_words(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with log_lines(monkeypatch, format="json") as stream:
        async with bot_in_workspace(tmp_path) as harness:
            await _three_flows(harness)
            [rule] = [line["guidelines_added"] for line in read_json(stream) if "guidelines_added" in line]
    lines = read_json(stream)
    activities = [line.get("activity") for line in lines]
    for activity in (
        "traces received",
        "trace judged",
        "card posted",
        "votes counted",
        "lesson learned",
        "status posted",
        "trace forgotten",
        "message redacted",
    ):
        assert activity in activities
    assert rule
    assert {line["trace_id"] for line in lines if "trace_id" in line} == {"tr-1"}
    assert "Falcon" not in stream.getvalue()
    assert {line["logger"].partition(".")[0] for line in lines if line["level"] == "INFO"} <= {
        "bot",
        "memalign",
        "storage",
    }
