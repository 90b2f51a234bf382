"""The token, names of this machine, and web pages."""

import json
from pathlib import Path

import aiohttp
import pytest

from tests.bot.ingest.trace_server import trace_server
from tests.bot.web.raw_http import raw_request, status_of

BEARER = {"Authorization": "Bearer s3cret"}


def request_for(path: str, host: str, method: str = "GET") -> bytes:
    return (
        f"{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n".encode(
            "latin-1"
        )
    )


@pytest.mark.parametrize(
    "header", [b"Bearer \xff", b"Bearer \xc3\xa9", b"\xff", b"Bearer", b"bearer  ", b"Basic s3cret"]
)
@pytest.mark.parametrize("path", [b"/traces", b"/forget"])
async def test_an_odd_token_is_401(tmp_path: Path, path: bytes, header: bytes) -> None:
    async with trace_server(tmp_path, token="s3cret") as server:
        request = b"POST " + path + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: " + header
        assert await status_of(server.server.url, request + b"\r\nContent-Length: 2\r\n\r\n[]") == 401


async def test_with_a_token_set_metrics_and_reasons_ask_for_it(tmp_path: Path) -> None:
    async with trace_server(tmp_path, token="s3cret") as server, aiohttp.ClientSession() as session:
        server.health.report("judging", "politeness", "the model refused the request (400)")
        assert (await server.get("/metrics"))[0] == 401
        assert (await server.get("/healthz"))[0] == 200
        status, text = await server.get("/readyz")
        assert (status, json.loads(text)) == (200, {"status": "ready"})
        server.connected = False
        status, text = await server.get("/readyz")
        assert (status, json.loads(text)) == (503, {"status": "not ready"})
        async with session.get(f"{server.server.url}/readyz", headers=BEARER) as answer:
            assert "the model refused" in (await answer.text())
        async with session.get(f"{server.server.url}/metrics", headers=BEARER) as answer:
            assert "memalign_connected 0.0" in await answer.text()


@pytest.mark.parametrize(
    "host",
    [
        "attacker.example",
        "attacker.example:8080",
        "127.0.0.1.attacker.example",
        "10.0.0.1",
        "[::1",
        "",
        "@",
        "0.0.0.0",
    ],
)
async def test_a_foreign_host_name_reads_and_writes_nothing(tmp_path: Path, host: str) -> None:
    async with trace_server(tmp_path) as server:
        server.health.report("judging", "politeness", "a reason")
        for path, method in [("/readyz", "GET"), ("/metrics", "GET"), ("/traces", "POST")]:
            answer = await raw_request(server.server.url, request_for(path, host, method))
            assert int(answer.split(b" ", 2)[1]) in {400, 421}
            assert b"reason" not in answer.partition(b"\r\n\r\n")[2]
        assert await status_of(server.server.url, request_for("/healthz", host)) in {200, 400}


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8080", "127.0.0.1", "127.1.2.3:99", "[::1]:8080"])
async def test_names_of_this_machine_are_answered(tmp_path: Path, host: str) -> None:
    async with trace_server(tmp_path) as server:
        assert await status_of(server.server.url, request_for("/readyz", host)) == 200


async def test_with_a_token_any_host_name_will_do(tmp_path: Path) -> None:
    async with trace_server(tmp_path, token="s3cret") as server:
        request = request_for("/metrics", "memalign.example").replace(
            b"Connection", b"Authorization: Bearer s3cret\r\nConnection"
        )
        assert await status_of(server.server.url, request) == 200


@pytest.mark.parametrize(("path", "method"), [("/readyz", "GET"), ("/metrics", "GET"), ("/traces", "POST")])
async def test_a_web_page_reads_and_writes_nothing(tmp_path: Path, path: str, method: str) -> None:
    async with trace_server(tmp_path) as server, aiohttp.ClientSession() as session:
        headers = {"Origin": "https://attacker.example"}
        async with session.request(method, f"{server.server.url}{path}", headers=headers) as answer:
            assert answer.status == 403


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b"null",
        b"5",
        b"{}",
        b"\xff",
        b"[" * 50_000,
        b'{"traces": 5}',
        b'{"traces": [5]}',
        b'{"traces": [], "person": 5}',
    ],
)
async def test_an_odd_request_to_forget_is_400(tmp_path: Path, body: bytes) -> None:
    async with trace_server(tmp_path) as server, aiohttp.ClientSession() as session:
        secret = json.loads((tmp_path / "store" / "running.json").read_text())["secret"]
        headers = {"Authorization": f"Bearer {secret}"}
        async with session.post(f"{server.server.url}/forget", data=body, headers=headers) as answer:
            assert answer.status == 400
            assert "traces" in (await answer.json())["error"]
