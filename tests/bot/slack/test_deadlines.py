"""A Slack that drips, hangs or asks for long pauses: each call ends in time, and names stop nobody."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from aiohttp import web

from bot.config import Secrets
from bot.slack.bounded_response import MAX_ANSWER_BYTES
from bot.slack.client import SlackClient, patient_client
from bot.slack.errors import SlackRefusedError, SlackUnreachableError
from bot.slack.identity import IdentityLookup
from bot.slack.users import People
from tests.bot.fakes import CUT, FakeSlack, refusal
from tests.local_server import LocalServer

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class OddSlack:
    """Answers every method as its `answer` does, and counts the calls."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.calls = 0
        self.bytes_taken = 0

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.calls += 1
        return await self.answer(request)

    async def write_for_ever(self, request: web.Request, chunk: bytes, pause: float) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        while True:
            await response.write(chunk)
            self.bytes_taken += len(chunk)
            await asyncio.sleep(pause)


@pytest.fixture
async def served() -> AsyncIterator[Callable[[OddSlack, float], Awaitable[SlackClient]]]:
    servers: list[LocalServer] = []

    async def serve(slack: OddSlack, seconds: float) -> SlackClient:
        app = web.Application()
        app.router.add_route("*", "/{method}", slack.handle)
        server = LocalServer()
        servers.append(server)
        await server.start(app, handler_cancellation=True)
        secrets = Secrets(
            bot_token="xoxb-fake",
            app_token="",
            signing_secret="",
            ingest_token="",
            api_url=f"{server.url}/",
        )
        return patient_client(secrets, seconds)

    yield serve
    for server in servers:
        await server.stop()


Serve = Callable[[OddSlack, float], Awaitable[SlackClient]]


def people_of(client: SlackClient, lookup_seconds: float = 30) -> People:
    return People(client, IdentityLookup(client), lookup_seconds=lookup_seconds)


async def hang(_: web.Request) -> web.StreamResponse:
    await asyncio.Event().wait()
    raise AssertionError("nobody waits that long")


@pytest.mark.parametrize("kind", ["drips", "hangs"])
async def test_a_call_ends_in_time(served: Serve, kind: str) -> None:
    slack = OddSlack(hang)
    if kind == "drips":
        slack.answer = lambda request: slack.write_for_ever(request, b" ", 0.01)
    client = await served(slack, 0.3)
    with pytest.raises(SlackUnreachableError):
        await client.auth_test()


async def test_of_an_answer_without_end_no_more_is_read_than_fits(served: Serve) -> None:
    slack = OddSlack(hang)
    slack.answer = lambda request: slack.write_for_ever(request, b" " * 2**20, 0)
    client = await served(slack, 30)
    with pytest.raises(SlackUnreachableError) as problem:
        await client.auth_test()
    assert problem.value.detail == "AnswerTooLargeError"
    assert slack.bytes_taken < 3 * MAX_ANSWER_BYTES


@pytest.mark.parametrize("body", [b"[" * 500_000, b'{"ok": "\xff"}'], ids=["nested", "no text"])
async def test_an_answer_that_cannot_be_read_is_an_error_of_slack(served: Serve, body: bytes) -> None:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(body=body, headers={"Content-Type": "application/json; charset=utf-8"})

    client = await served(OddSlack(answer), 30)
    with pytest.raises(SlackRefusedError) as problem:
        await client.auth_test()
    assert problem.value.is_undecided


@pytest.mark.parametrize(("pause", "calls"), [("3600", 1), ("soon", 1), ("0", 4)])
async def test_a_long_pause_is_not_waited_for_inside_a_call(served: Serve, pause: str, calls: int) -> None:
    async def limited(_: web.Request) -> web.StreamResponse:
        return web.json_response(
            {"ok": False, "error": "ratelimited"}, status=429, headers={"Retry-After": pause}
        )

    slack = OddSlack(limited)
    client = await served(slack, 30)
    with pytest.raises(SlackRefusedError):
        await client.users_info(user="U1")
    assert slack.calls == calls


async def test_a_rate_limit_on_names_is_met_once_and_costs_nobody_a_name_already_known() -> None:
    slack = FakeSlack()
    people = people_of(slack)
    assert await people.name("UANA") == "Uana"
    slack.answers["users.info"].append(refusal("ratelimited", status=429, retry_after=3600))
    assert await people.names(["UBEN", "UCAT", "UANA"]) == {"UBEN": "UBEN", "UCAT": "UCAT", "UANA": "Uana"}
    assert await people.standing("UBEN") is None
    assert [call["user"] for call in slack.of("users.info")] == ["UANA", "UBEN"]


async def test_a_name_that_nobody_answers_for_is_given_up_in_time(served: Serve) -> None:
    slack = OddSlack(hang)
    people = people_of(await served(slack, 30), lookup_seconds=0.2)
    assert await people.names(["UBEN", "UCAT"]) == {"UBEN": "UBEN", "UCAT": "UCAT"}
    assert slack.calls == 1


async def test_a_person_unknown_to_slack_holds_up_no_other_name() -> None:
    slack = FakeSlack()
    slack.answers["users.info"].append(refusal("user_not_found"))
    assert await people_of(slack).names(["UGONE", "UANA"]) == {"UGONE": "UGONE", "UANA": "Uana"}


async def test_after_a_lost_connection_names_are_left_alone_for_a_while() -> None:
    slack = FakeSlack()
    slack.answers["users.info"].append(CUT)
    assert await people_of(slack).names(["UBEN", "UANA"]) == {"UBEN": "UBEN", "UANA": "UANA"}
