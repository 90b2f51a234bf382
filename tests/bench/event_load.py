"""Slack's events at a steady rate, signed and over HTTP, from a process of its own: `python -m tests.bench.event_load`.

Reads a `Load` as JSON from the first line of standard input, and sends until all events are sent or standard input
ends. An event is sent when it is due, however long earlier acks take. Prints a line once the first ack has come,
and in the end the seconds of each ack as JSON.
"""

import asyncio
import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import count, islice

import aiohttp

from memalign.records import Json
from tests.bot.slack.signed_requests import signature_headers

CONNECTIONS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """The events to send, and the bot that they are sent to."""

    url: str
    signing_secret: str
    team: str
    app: str
    channel: str
    cards: Sequence[str]
    people: Sequence[str]
    events: int
    rate: float
    """Events a second."""


def events_of(load: Load) -> Iterator[Json]:
    """Yield thumbs that come and go, and every tenth time a reply, by everybody on every card."""
    start = time.time()
    for number in count():
        person = load.people[number % len(load.people)]
        card = load.cards[number // len(load.people) % len(load.cards)]
        at = f"{start + number / load.rate:.6f}"
        event: Json
        if number % 10 == 9:
            words = f"An answer must never mention topic {number % 97}."
            event = {
                "type": "message",
                "channel": load.channel,
                "user": person,
                "thread_ts": card,
                "ts": at,
                "text": words,
            }
        else:
            kind = "reaction_added" if number // len(load.people) % 2 == 0 else "reaction_removed"
            item = {"type": "message", "channel": load.channel, "ts": card}
            event = {"type": kind, "user": person, "reaction": "-1", "item": item, "event_ts": at}
        yield {
            "type": "event_callback",
            "event_id": f"Ev{start:.0f}{number}",
            "team_id": load.team,
            "api_app_id": load.app,
            "event": event,
        }


async def send(load: Load) -> list[float]:
    """Send the events when they are due; return the seconds of each ack."""
    seconds: list[float] = []
    ended = asyncio.Event()
    asyncio.get_running_loop().add_reader(sys.stdin.fileno(), ended.set)
    connector = aiohttp.TCPConnector(limit=CONNECTIONS)
    async with aiohttp.ClientSession(connector=connector) as session, asyncio.TaskGroup() as tasks:
        began = time.perf_counter()
        for number, event in enumerate(islice(events_of(load), load.events)):
            await asyncio.sleep(max(0.0, began + number / load.rate - time.perf_counter()))
            if ended.is_set():
                break
            tasks.create_task(_send(session, load, json.dumps(event).encode(), seconds))
    return seconds


async def _send(session: aiohttp.ClientSession, load: Load, body: bytes, seconds: list[float]) -> None:
    headers = {"Content-Type": "application/json", **signature_headers(body, load.signing_secret)}
    began = time.perf_counter()
    async with session.post(f"{load.url}/slack/events", data=body, headers=headers) as answer:
        await answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{answer.status}: {await answer.text()}")
    seconds.append(time.perf_counter() - began)
    if len(seconds) == 1:
        print("started", flush=True)


class EventSender:
    """The process that sends."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def start(cls, load: Load) -> "EventSender":
        """Start to send; return after the first ack."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.bench.event_load",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        assert process.stdin is not None
        process.stdin.write(json.dumps(asdict(load)).encode() + b"\n")
        await process.stdin.drain()
        assert process.stdout is not None
        await process.stdout.readline()
        return cls(process)

    async def finish(self) -> list[float]:
        """Wait until all is sent; return the seconds of each ack."""
        assert self._process.stdout is not None
        acks: list[float] = json.loads(await self._process.stdout.read())
        await self._process.wait()
        return acks

    async def stop(self) -> list[float]:
        """Send no more; return the seconds of each ack."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        return await self.finish()


def main() -> None:
    load = Load(**json.loads(sys.stdin.readline()))
    print(json.dumps(asyncio.run(send(load))))


if __name__ == "__main__":
    main()
