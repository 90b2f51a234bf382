"""Connections that send nothing, half a request, or too many at once keep nobody out."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from bot.web.connections import ConnectionTable
from tests.bot.ingest.trace_server import TraceServer, trace_server
from tests.bot.web.raw_http import port_of, raw_request, status_of
from tests.last_connection import is_closed_by

HALF_A_HEAD = b"POST /traces HTTP/1.1\r\nX: "
HEALTHZ = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
READYZ = HEALTHZ.replace(b"healthz", b"readyz")


@asynccontextmanager
async def open_connections(
    server: TraceServer, number: int, first_bytes: bytes
) -> AsyncIterator[list[asyncio.StreamReader]]:
    """Hold a number of connections that have sent their first bytes."""
    async with AsyncExitStack() as stack:
        readers = []
        for _ in range(number):
            reader, writer = await asyncio.open_connection("127.0.0.1", port_of(server.server.url))
            stack.callback(writer.close)
            writer.write(first_bytes)
            readers.append(reader)
        yield readers


async def is_closed(reader: asyncio.StreamReader) -> bool:
    try:
        return await reader.read() == b""
    except ConnectionError:
        return True


@pytest.mark.parametrize("first_bytes", [HALF_A_HEAD, b"", b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", b"G"])
async def test_a_thousand_half_requests_keep_nobody_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, first_bytes: bytes
) -> None:
    caplog.set_level(logging.WARNING)
    async with trace_server(tmp_path) as server, open_connections(server, 1_040, first_bytes):
        assert await status_of(server.server.url, HEALTHZ) == 200
        body = json.dumps({"trace_id": "tr-1", "inputs": "q", "outputs": "a"}).encode()
        assert (await server.post(body))[0] == 202
        assert await server.knows(1)
    assert len(caplog.records) <= 2


async def test_half_a_head_is_closed_at_its_deadline(tmp_path: Path) -> None:
    connections = ConnectionTable(head_seconds=0.1)
    async with trace_server(tmp_path, connections=connections) as server:
        async with open_connections(server, 3, HALF_A_HEAD) as readers:
            assert [await is_closed(reader) for reader in readers] == [True] * 3
        assert connections.closed["deadline"] == 3


async def test_a_drop_now_and_then_does_not_move_the_deadline(tmp_path: Path) -> None:
    async with trace_server(tmp_path, connections=ConnectionTable(head_seconds=0.5)) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", port_of(server.server.url))
        writer.write(HALF_A_HEAD)
        closed = asyncio.create_task(is_closed(reader))
        while not closed.done():
            writer.write(b"x")
            await asyncio.sleep(0.05)
        assert await closed
        writer.close()


async def test_half_a_body_is_answered_408(tmp_path: Path) -> None:
    async with trace_server(tmp_path, body_seconds=0.1) as server:
        request = b"POST /traces HTTP/1.1\r\nHost: localhost\r\nContent-Length: 500\r\n\r\n[{"
        assert await status_of(server.server.url, request) == 408
        assert await status_of(server.server.url, HEALTHZ) == 200


async def test_beyond_the_limit_only_the_health_check_is_answered(tmp_path: Path) -> None:
    connections = ConnectionTable(max_open=2)
    async with trace_server(tmp_path, connections=connections) as server:
        request = b"POST /traces HTTP/1.1\r\nHost: localhost\r\nContent-Length: 500\r\n\r\n[{"
        async with open_connections(server, 2, request):
            await server.until(lambda: connections.busy == 2)
            assert await status_of(server.server.url, HEALTHZ) == 200
            answer = await raw_request(server.server.url, READYZ)
            assert b" 503 " in answer
            assert b"Too many connections" in answer
        await server.until(lambda: connections.busy == 0)
        assert await status_of(server.server.url, READYZ) == 200


async def test_far_beyond_the_limit_a_connection_is_turned_away_at_once(tmp_path: Path) -> None:
    connections = ConnectionTable(max_open=1, max_surplus=0)
    async with trace_server(tmp_path, connections=connections) as server:
        request = b"POST /traces HTTP/1.1\r\nHost: localhost\r\nContent-Length: 500\r\n\r\n[{"
        async with open_connections(server, 1, request):
            await server.until(lambda: connections.busy == 1)
            assert (await raw_request(server.server.url, b"")).startswith(b"HTTP/1.1 503 ")


async def test_a_connection_serves_many_requests(tmp_path: Path) -> None:
    async with trace_server(tmp_path, connections=ConnectionTable(max_open=1)) as server:
        keep = HEALTHZ.replace(b"Connection: close\r\n", b"")
        answers = await raw_request(server.server.url, keep * 5 + HEALTHZ)
        assert answers.count(b"HTTP/1.1 200") == 6


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"\x16\x03\x01\x02\x00",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nAuthorization: Bearer s3cret" + b"x" * 20_000 + b"\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nContent-Length: x s3cret\r\n\r\n",
        b"\x00" * 100 + b"s3cret\r\n\r\n",
    ],
)
async def test_what_is_no_http_is_400_in_one_line_of_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, request_bytes: bytes
) -> None:
    async with trace_server(tmp_path) as server:
        for _ in range(20):
            assert await status_of(server.server.url, request_bytes) == 400
    assert len(caplog.records) <= 1
    assert "s3cret" not in caplog.text


@pytest.mark.parametrize("turns", range(5))
async def test_a_connection_of_the_last_moment_is_closed(tmp_path: Path, turns: int) -> None:
    async with trace_server(tmp_path) as server:
        assert await is_closed_by(server.server.stop, port_of(server.server.url), turns)
