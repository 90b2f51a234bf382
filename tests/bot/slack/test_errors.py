"""The meaning of Slack's errors."""

from types import SimpleNamespace

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.slack.errors import app_token_remedy, asked_pause_ms, is_undecided, remedy
from memalign.records import Json

DOWN = "Slack does not work at the moment; I'll try again by myself"


def refusal(status: int, data: Json = None, **headers: str) -> SlackApiError:
    """Slack's answer; without data, as slack_sdk gives what is a page and no JSON."""
    answer = AsyncSlackResponse(
        client=None, http_verb="POST", api_url="", req_args={}, data=data, headers=headers, status_code=status
    )
    return SlackApiError("refused", answer)  # type: ignore[no-untyped-call] # slack_sdk gives no types here


def no_json(status: int) -> SlackApiError:
    """An answer that says it is JSON and is not: slack_sdk hands on the connection's own response."""
    raw = SimpleNamespace(status=status, headers={})
    return SlackApiError("unreadable", raw)  # type: ignore[no-untyped-call] # slack_sdk gives no types here


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
def test_an_outage_is_told_in_words_and_leaves_open_what_was_done(error: SlackApiError) -> None:
    assert remedy(error) == app_token_remedy(error) == DOWN
    assert is_undecided(error)


@pytest.mark.parametrize("error", [refusal(429), refusal(429, {"error": "ratelimited"}), no_json(429)])
def test_a_request_to_slow_down_is_a_refusal_in_any_shape(error: SlackApiError) -> None:
    assert remedy(error) == "Slack asks to slow down"
    assert not is_undecided(error)


@pytest.mark.parametrize(
    ("headers", "pause"), [({"Retry-After": "30"}, 30_000), ({"Retry-After": "soon"}, None), ({}, None)]
)
def test_slack_is_left_alone_for_as_long_as_it_says(headers: dict[str, str], pause: int | None) -> None:
    assert asked_pause_ms(refusal(429, **headers)) == pause


def test_a_token_is_told_by_its_name() -> None:
    error = refusal(200, {"ok": False, "error": "invalid_auth"})
    assert "SLACK_BOT_TOKEN" in remedy(error)
    assert "SLACK_APP_TOKEN" in app_token_remedy(error)
