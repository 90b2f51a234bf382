"""Receivers in the settings: what is wrong stops the start, and `memalign check` connects without sending."""

import asyncio
from pathlib import Path

import pytest

from bot.cli.check import Finding, findings
from bot.config import WEBHOOK_EVENTS, Secrets
from bot.outbound.webhook import EVENT_TYPES
from memalign.errors import SettingsError
from memalign.records import Json
from tests.bot.bot_in_workspace import free_port, settings_for
from tests.bot.outbound.event_server import EventServer

HOOK: dict[str, Json] = {"url": "https://hooks.example.com/a", "secret_env": "EVENTS_SECRET"}


@pytest.mark.parametrize(
    ("sections", "sentence"),
    [
        ({"webhooks": [{"url": HOOK["url"]}]}, r"webhooks\[1\].secret_env: is missing"),
        (
            {"webhooks": [{**HOOK, "url": "http://10.0.0.7/a"}]},
            r"webhooks\[1\].url: expected an https address",
        ),
        ({"webhooks": [{**HOOK, "url": "http://localhost.evil.example/"}]}, "expected an https address"),
        ({"webhooks": [{**HOOK, "url": "https://ana:pass@hooks.example.com"}]}, "a user name or password"),
        ({"webhooks": [{**HOOK, "url": "hooks.example.com"}]}, "is no address"),
        (
            {"webhooks": [{**HOOK, "events": ["votes"]}]},
            "'verdict', 'vote', 'lesson' or 'forget', found 'votes'",
        ),
        ({"webhooks": [{**HOOK, "events": []}]}, r"webhooks\[1\].events: list should have at least 1 item"),
        ({"webhooks": [{**HOOK, "secret": "s3cret"}]}, r"webhooks\[1\].secret: unknown key"),
        ({"webhooks": [{**HOOK, "judges": ["polite"]}]}, 'webhooks.judges: There is no judge named "polite"'),
        ({"webhooks": [HOOK, HOOK]}, "two webhooks have the same address"),
        ({"otlp": {"endpoint": "collector:4318"}}, "otlp.endpoint: it is no address"),
        ({"otlp": {"headers_env": "H"}}, "otlp: endpoint is missing"),
        ({"otlp": {"endpoint": "http://c:4318", "judges": ["x"]}}, "otlp.judges: There is no judge"),
    ],
)
def test_what_is_wrong_is_told_with_the_key(tmp_path: Path, sections: dict[str, Json], sentence: str) -> None:
    with pytest.raises(SettingsError, match=sentence):
        settings_for(tmp_path, "C1", **sections)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9000/a", "http://[::1]/a", "http://localhost:9/", HOOK["url"]]
)
def test_this_machine_needs_no_encryption(tmp_path: Path, url: str) -> None:
    [webhook] = settings_for(tmp_path, "C1", webhooks=[{**HOOK, "url": url}]).webhooks
    assert (webhook.url, webhook.events, webhook.judges) == (url, list(WEBHOOK_EVENTS), [])


def test_each_kind_of_events_has_its_types() -> None:
    assert set(EVENT_TYPES) == set(WEBHOOK_EVENTS)


async def checked(tmp_path: Path, **sections: Json) -> dict[str, Finding]:
    settings = settings_for(tmp_path, "C1", **sections)
    return {each.what: each async for each in findings(settings, Secrets())}


async def test_check_connects_to_each_receiver_and_sends_nothing(tmp_path: Path, server: EventServer) -> None:
    webhooks = [{**HOOK, "url": f"{server.url}/a"}]
    lines = await checked(tmp_path, webhooks=webhooks, otlp={"endpoint": server.url})
    port = server.url.rpartition(":")[2]
    for what in ("webhook 127.0.0.1", "OTLP 127.0.0.1"):
        words = f"127.0.0.1 port {port} takes connections; no event was sent"
        assert (lines[what].fine, lines[what].words) == (True, words)
    assert server.requests == []


async def test_check_names_a_missing_secret_and_a_receiver_that_is_not_there(
    tmp_path: Path, server: EventServer
) -> None:
    webhooks = [
        {"url": f"{server.url}/a", "secret_env": "NO_SECRET"},
        {**HOOK, "url": f"http://localhost:{free_port()}/"},
    ]
    otlp = {"endpoint": server.url, "headers_env": "NO_HEADERS"}
    lines = await checked(tmp_path, webhooks=webhooks, otlp=otlp)
    assert lines["webhook 127.0.0.1"].words.startswith("NO_SECRET is missing")
    assert "cannot be reached (Connection refused); check the network" in lines["webhook localhost"].words
    assert lines["OTLP 127.0.0.1"].words.startswith("NO_HEADERS is missing")
    assert not any(lines[each].fine for each in lines if each.startswith(("webhook", "OTLP")))


async def test_check_tells_of_a_server_without_encryption_behind_https(tmp_path: Path) -> None:
    async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.0 400 Bad Request\r\n\r\n")
        writer.close()

    plain = await asyncio.start_server(talk, "127.0.0.1", 0)
    port = plain.sockets[0].getsockname()[1]
    lines = await checked(tmp_path, webhooks=[{**HOOK, "url": f"https://127.0.0.1:{port}/"}])
    plain.close()
    await plain.wait_closed()
    assert not lines["webhook 127.0.0.1"].fine
    assert lines["webhook 127.0.0.1"].words.startswith(
        f"127.0.0.1 port {port} cannot be reached (it does not speak TLS as https needs it)"
    )
