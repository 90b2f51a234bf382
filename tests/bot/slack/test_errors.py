"""The meaning of Slack's errors."""

from types import SimpleNamespace

import pytest
from aiohttp import ClientConnectionError
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.slack.errors import (
    SlackCallError,
    SlackRefusedError,
    SlackUnreachableError,
    app_token_remedy,
    remedy,
    translated_errors,
)
from memalign.records import Json

DOWN = "Slack does not work at the moment; I'll try again by myself"


def translated(raised: Exception) -> SlackCallError:
    with pytest.raises(SlackCallError) as problem, translated_errors():
        raise raised
    return problem.value


def refusal(status: int, data: Json = None, **headers: str) -> SlackRefusedError:
    """Slack's answer; without data, as slack_sdk gives what is a page and no JSON."""
    answer = AsyncSlackResponse(
        client=None, http_verb="POST", api_url="", req_args={}, data=data, headers=headers, status_code=status
    )
    return refused(answer)


def refused(answer: object) -> SlackRefusedError:
    error = translated(SlackApiError("refused", answer))  # type: ignore[no-untyped-call] # slack_sdk gives no types here
    assert isinstance(error, SlackRefusedError)
    return error


def no_json(status: int) -> SlackRefusedError:
    """An answer that says it is JSON and is not: slack_sdk hands on the connection's own response."""
    raw = SimpleNamespace(status=status, headers={})
    return refused(raw)


@pytest.mark.parametrize(
    "error",
    [
        refusal(500),
        refusal(503, {"ok": False, "error": "service_unavailable"}),
        refusal(200, {"ok": False, "error": "internal_error"}),
        refusal(200, {"ok": False}),
        no_json(200),
        no_json(502),
    ],
)
def test_an_outage_is_told_in_words_and_leaves_open_what_was_done(error: SlackRefusedError) -> None:
    assert str(error) == remedy(error) == app_token_remedy(error) == DOWN
    assert error.is_undecided


@pytest.mark.parametrize("error", [refusal(429), refusal(429, {"error": "ratelimited"}), no_json(429)])
def test_a_request_to_slow_down_is_a_refusal_in_any_shape(error: SlackRefusedError) -> None:
    assert str(error) == remedy(error) == "Slack asks to slow down"
    assert not error.is_undecided


@pytest.mark.parametrize(
    ("headers", "pause"),
    [
        ({"Retry-After": "30"}, 30_000),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "inf"}, None),
        ({}, None),
    ],
)
def test_slack_is_left_alone_for_as_long_as_it_says(headers: dict[str, str], pause: int | None) -> None:
    assert refusal(429, **headers).pause_ms == pause


def test_a_token_is_told_by_its_name() -> None:
    error = refusal(200, {"ok": False, "error": "invalid_auth"})
    assert "SLACK_BOT_TOKEN" in remedy(error)
    assert "SLACK_APP_TOKEN" in app_token_remedy(error)


@pytest.mark.parametrize(
    "error",
    [ClientConnectionError("cut"), TimeoutError(), ConnectionResetError(104, "reset"), OSError("no route")],
)
def test_a_connection_that_fails_is_told_as_such_and_the_log_has_what_happened(error: Exception) -> None:
    problem = translated(error)
    assert isinstance(problem, SlackUnreachableError)
    assert str(problem) == "Slack cannot be reached"
    assert type(error).__name__ in problem.detail


def test_a_bug_is_not_translated() -> None:
    with pytest.raises(KeyError), translated_errors():
        raise KeyError("a bug")
