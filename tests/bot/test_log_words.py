"""The log at its most talkative level, in both forms: a secret word goes through everything, and is in no line."""

import asyncio
import gc
import io
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.cli.logs import statement_of
from bot.config import Secrets
from bot.connectors.errors import ToolError
from bot.connectors.tool_client import ToolClient
from bot.slack.client import single_try_client
from bot.slack.errors import SlackUnreachableError
from memalign.records import Json
from tests.bot.bot_in_workspace import BotInWorkspace, bot_in_workspace
from tests.bot.cli.test_logs import log_lines
from tests.model_server import Fault, ModelServer, running_model_server

SECRET = "Kestrelgate"
MODEL = "openai:/m"
REMOTE = {"reflection_lm": MODEL, "embedding_model": "openai:/e", "embedding_dim": 8}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelServer]:
    with running_model_server() as running:
        monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
        monkeypatch.setenv("OPENAI_BASE_URL", f"{running.url}/v1")
        yield running


@pytest.fixture(params=["text", "json"])
def stream(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    with log_lines(monkeypatch, {"MEMALIGN_LOG_LEVEL": "debug"}, format=request.param) as written:
        yield written


def a_secret_trace(trace_id: str) -> Json:
    return {
        "trace_id": trace_id,
        "inputs": {"question": f"Tell me of {SECRET}"},
        "outputs": f"{SECRET} is late.",
        "metadata": {"note": SECRET},
        "expectations": {"answer": SECRET},
        "url": f"https://tool.example/{SECRET}",
    }


async def _people_say_it(harness: BotInWorkspace) -> None:
    """By reply, edit, question, rule, and commands that exist or do not."""
    await harness.send(a_secret_trace("tr-1"))
    card = await harness.card("tr-1")
    harness.react(card, "-1")
    ts = harness.reply(card, f"An answer must never name {SECRET}.")
    harness.workspace.edit(harness.ana.id, card.channel, ts, f"Never name {SECRET} at all.")
    harness.reply(card, f"Why {SECRET}?", by=harness.ben)
    await harness.learned()
    for text in (
        f"teach Always explain {SECRET}.",
        f"why {SECRET}",
        f"{SECRET} please",
        f"guidelines {SECRET}",
        f"digest {SECRET}",
        "forget tr-1 --yes",
    ):
        await harness.asked(harness.ben, text)


async def _applications_send_it(harness: BotInWorkspace) -> None:
    """In bodies that are broken in many ways."""
    for body in (
        f'{{"{SECRET}',
        f'["{SECRET}"]',
        f'{{"{SECRET}": 1}}',
        f'{{"inputs": "{SECRET}", "judges": ["{SECRET}"]}}',
    ):
        await harness.post(body.encode())
    await harness.get(f"/{SECRET}?{SECRET}=1")
    port = int(harness.bot.url.rsplit(":", 1)[1])
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"POST /traces HTTP/1.1\r\nHost: localhost\r\n{SECRET}\r\n\r\n".encode())
    await writer.drain()
    writer.close()


async def _models_say_it(harness: BotInWorkspace, server: ModelServer) -> None:
    """In refusals, in answers that are none, and in verdicts."""
    quoting = f'{{"error": {{"message": "no: {SECRET}", "code": "{SECRET}"}}}}'
    server.faults.extend(Fault(status=status, body=quoting) for status in (400, 422, 500, 200, 403))
    server.faults.append(Fault(status=200, body=f"<html>{SECRET}</html>"))
    server.answers.extend(
        (
            SECRET,
            f'{{"value": "{SECRET}", "rationale": "{SECRET}"}}',
            f'{{"value": "{SECRET}"}}',
            "{" + SECRET,
        )
    )
    await harness.send(*(a_secret_trace(f"m-{number}") for number in range(3)))
    await harness.until(lambda: not server.faults and not server.answers)


async def test_the_words_of_people_applications_and_models_are_in_no_line(
    stream: io.StringIO, tmp_path: Path, server: ModelServer, capfd: pytest.CaptureFixture[str]
) -> None:
    async with bot_in_workspace(tmp_path, judge={"model": MODEL}, memory=REMOTE) as harness:
        await _people_say_it(harness)
        await _applications_send_it(harness)
        await _models_say_it(harness, server)
    printed = capfd.readouterr()
    text = stream.getvalue()
    assert "DEBUG" in text
    assert "trace forgotten" in text
    assert SECRET not in text
    assert SECRET not in printed.out + printed.err


async def test_slack_in_http_mode_says_it_in_vain(stream: io.StringIO, tmp_path: Path) -> None:
    async with bot_in_workspace(tmp_path, http=True) as harness:
        await _people_say_it(harness)
        await harness.post(f"payload={SECRET}".encode(), "application/x-www-form-urlencoded")
    assert "trace judged" in stream.getvalue()
    assert SECRET not in stream.getvalue()


@pytest.mark.parametrize("status", [404, 422, 500, 502])
async def test_what_a_tracing_tool_says_is_told_in_the_status_and_in_no_line(
    stream: io.StringIO, status: int
) -> None:
    async def refuse(_: web.Request) -> web.Response:
        return web.json_response({"detail": f"the rationale is too long: {SECRET}”, {SECRET}"}, status=status)

    app = web.Application()
    app.router.add_post("/{path:.*}", refuse)
    async with TestServer(app) as server:
        client = ToolClient("Phoenix", str(server.make_url("/")), "key")
        with pytest.raises(ToolError) as error:
            await client.call("POST", "/annotations", body={"rationale": SECRET})
        await client.close()
    logging.getLogger("bot.connectors.worker").warning("%s waits: %s", "phoenix support", error.value)
    assert f"({status}): “the rationale is too long: {SECRET}" in str(error.value)
    assert f"({status}): “…”" in stream.getvalue() or f"({status}): \\u201c" in stream.getvalue()
    assert SECRET not in stream.getvalue()


async def test_a_broken_answer_of_slacks_is_told_without_what_it_holds(stream: io.StringIO) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(f"HTTP/1.1 {SECRET} and more\r\n{SECRET}\r\n\r\n".encode())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    secrets = Secrets(bot_token="xoxb-1", signing_secret="s", api_url=f"http://127.0.0.1:{port}/api/")
    async with server:
        with pytest.raises(SlackUnreachableError) as error:
            await single_try_client(secrets).auth_test()
    logging.getLogger("bot.slack.connection").warning("Slack cannot be reached (%s)", error.value.detail)
    assert "Error" in error.value.detail
    assert SECRET not in stream.getvalue()


def _log_as_libraries_do() -> None:
    bolt = logging.getLogger("slack_bolt.AsyncApp")
    bolt.warning(f"Unhandled request ({{'text': '{SECRET}'}})")
    bolt.error("a body: %s", SECRET, extra={"body": SECRET, "payload": {"text": SECRET}})
    logging.getLogger("openai._base_client").debug("Request options: %s", {"json_data": SECRET})
    logging.getLogger("httpx2").info("HTTP Request: %s", SECRET)
    logging.getLogger("LiteLLM").warning(
        "a message over several lines: %s",
        SECRET,
    )
    try:
        raise ValueError(SECRET)
    except ValueError:
        logging.getLogger("aiohttp.server").exception("Error handling request", stack_info=True)


def test_what_libraries_warn_of_is_told_by_their_code(stream: io.StringIO) -> None:
    _log_as_libraries_do()
    text = stream.getvalue()
    assert SECRET not in text
    assert "bolt.warning(f" in text
    assert "a message over several lines: %s" in text
    assert "ValueError" in text
    assert text.count("test_log_words.py, line") == 4


async def test_a_task_whose_failure_nobody_looks_at_is_told_without_its_words(stream: io.StringIO) -> None:
    async def fail() -> None:
        raise ValueError(f"cannot read {SECRET}")

    task = asyncio.create_task(fail())
    await asyncio.wait([task])
    del task
    gc.collect()
    assert "ValueError" in stream.getvalue()
    assert "in fail" in stream.getvalue()
    assert SECRET not in stream.getvalue()


def test_an_sdk_that_set_up_a_log_of_its_own_writes_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    other = io.StringIO()
    root = logging.getLogger()
    before = root.handlers[:]
    root.handlers[:] = [logging.StreamHandler(other)]
    try:
        with log_lines(monkeypatch, {"MEMALIGN_LOG_LEVEL": "debug"}, keeps_handlers=True) as stream:
            logging.getLogger("openai").warning(SECRET)
            logging.getLogger("bot.test").info("trace judged")
    finally:
        root.handlers[:] = before
    assert other.getvalue() == ""
    assert "trace judged" in stream.getvalue()
    assert SECRET not in stream.getvalue()


@pytest.mark.parametrize(
    ("sentence", "line"),
    [
        (
            f"openai:/m refuses the key (403, “{SECRET}”); set a valid one.",
            "openai:/m refuses the key (403, “…”); set a valid one.",
        ),
        (f"“{SECRET}” is no value, and “{SECRET}” neither", "“…” neither"),
        (f"it says: “a” {SECRET} ”\n{SECRET}”.", "it says: “…”."),
        ("trace tr-1 waits", "trace tr-1 waits"),
    ],
)
def test_what_our_own_sentences_quote_is_left_out(stream: io.StringIO, sentence: str, line: str) -> None:
    logging.getLogger("bot.test").warning("%s", sentence)
    logging.getLogger("memalign").warning(sentence.replace("%", "%%"))
    assert SECRET not in stream.getvalue()
    assert line.encode("unicode_escape").decode() in stream.getvalue() or line in stream.getvalue()


@pytest.mark.parametrize(("path", "line"), [("/no/such/file.py", 3), (__file__, 10_000)])
def test_code_that_is_not_there_is_told_by_its_place(path: str, line: int) -> None:
    record = logging.LogRecord("slack_sdk", logging.WARNING, path, line, SECRET, (), None)
    assert statement_of(record) == f"{Path(path).stem}.py, line {line}"
