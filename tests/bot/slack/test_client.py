"""The Web API client against a Slack that is out of order: whatever it answers is an error that callers know."""

from collections.abc import AsyncIterator

import pytest

from bot.config import Secrets
from bot.sandbox import SlackServer, Workspace
from bot.slack.client import SlackClient, single_try_client
from bot.slack.errors import SlackRefusedError, SlackUnreachableError, field_of
from memalign.records import Json

JSON = "application/json"
BODIES: dict[str, tuple[int, str, str]] = {
    "JSON that is none": (200, "<html>oops", JSON),
    "JSON cut off": (200, '{"ok": tr', JSON),
    "empty": (200, "", JSON),
    "list": (200, "[]", JSON),
    "list with something": (200, '["oops"]', JSON),
    "null": (200, "null", JSON),
    "number": (200, "7", JSON),
    "text in quotes": (200, '"oops"', JSON),
    "object without ok": (200, "{}", JSON),
    "page": (200, "<html>oops</html>", "text/html"),
    "text": (200, "oops", "text/plain"),
    "empty text": (200, "", "text/plain"),
    "error page": (500, "<html>oops</html>", "text/html"),
    "error list": (503, "[1]", JSON),
}
"""By name: status, body, content type."""


@pytest.fixture
async def slack() -> AsyncIterator[SlackServer]:
    async with SlackServer(Workspace()) as ready:
        yield ready


def client_of(slack: SlackServer) -> SlackClient:
    return single_try_client(
        Secrets(
            bot_token=slack.bot_token, app_token="", signing_secret="", ingest_token="", api_url=slack.api_url
        )
    )


@pytest.mark.parametrize(("status", "body", "kind"), BODIES.values(), ids=BODIES)
async def test_an_answer_that_is_no_object_is_an_error_of_slack_and_leaves_open_what_was_done(
    slack: SlackServer, status: int, body: str, kind: str
) -> None:
    slack.faults.fail_next("auth.test", status=status, body=body, content_type=kind)
    client = client_of(slack)
    with pytest.raises(SlackRefusedError) as problem:
        await client.auth_test()
    assert problem.value.code is None
    assert problem.value.is_undecided
    assert str(problem.value) == "Slack does not work at the moment; I'll try again by myself"
    assert (await client.auth_test())["ok"]


@pytest.mark.parametrize(("status", "body", "kind"), BODIES.values(), ids=BODIES)
async def test_so_is_a_later_page_that_is_none(slack: SlackServer, status: int, body: str, kind: str) -> None:
    workspace = slack.workspace
    people = [workspace.add_user(f"user{number}").id for number in range(3)]
    channel = workspace.add_channel("crowd", members=people)
    pages = await client_of(slack).conversations_members(channel=channel.id, limit=1)
    slack.faults.fail_next("conversations.members", status=status, body=body, content_type=kind)
    with pytest.raises(SlackRefusedError) as problem:
        _ = [page async for page in pages]
    assert problem.value.is_undecided


async def test_a_connection_that_is_cut_is_an_error_that_callers_know(slack: SlackServer) -> None:
    slack.faults.fail_next("auth.test", lost=True)
    with pytest.raises(SlackUnreachableError):
        await client_of(slack).auth_test()


@pytest.mark.parametrize("value", [None, 7, ["1.1"], {"ts": "1.1"}])
async def test_a_field_that_is_missing_or_of_another_kind_is_an_error_of_slack(
    slack: SlackServer, value: Json
) -> None:
    answer = await client_of(slack).auth_test()
    answer.data["ts"] = value  # type: ignore[index] # slack_sdk's own type is wider than what it gives
    with pytest.raises(SlackRefusedError) as problem:
        field_of(answer, "ts", str)
    assert problem.value.detail == "the answer has no ts"
    assert problem.value.is_undecided
