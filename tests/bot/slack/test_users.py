"""Membership of people in the workspace, as Slack describes them."""

import asyncio

import pytest

from bot.slack.identity import IdentityLookup
from bot.slack.users import LOOKUP_PAUSE_SECONDS, PROFILE_SECONDS, People, Standing
from memalign.records import Json
from tests.bot.fakes import CUT, Answer, FakeSlack, refusal


class Clock:
    """A monotonic clock that is set by hand."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def user(**fields: Json) -> Answer:
    return Answer(data={"ok": True, "user": {"id": "U1", "team_id": "TOURS", **fields}})


@pytest.mark.parametrize(
    ("answer", "standing"),
    [
        (user(), "member"),
        (user(is_bot=True), "program"),
        (user(is_restricted=True), "guest"),
        (user(is_restricted=True, is_ultra_restricted=True), "guest"),
        (user(is_stranger=True), "stranger"),
        (user(team_id="TOTHER"), "stranger"),
        (user(team_id="TOTHER", enterprise_user={"teams": ["TOURS", "TOTHER"]}), "member"),
        (user(team_id="TOTHER", enterprise_user={"teams": ["TOTHER"]}), "stranger"),
        (refusal("user_not_found"), "stranger"),
        (refusal("user_not_visible"), "stranger"),
        (refusal("fatal_error"), None),
        (refusal("ratelimited", status=429, retry_after=60), None),
        (CUT, None),
    ],
)
async def test_the_standing_of_a_person(answer: Answer | Exception, standing: Standing | None) -> None:
    slack = FakeSlack()
    slack.answers["users.info"].append(answer)
    assert await People(slack, IdentityLookup(slack)).standing("U1") == standing


async def test_a_standing_is_asked_for_again_after_a_minute_and_a_failure_sooner() -> None:
    slack, clock = FakeSlack(), Clock()
    people = People(slack, IdentityLookup(slack), clock)
    slack.answers["users.info"].extend([CUT, user(is_restricted=True)])
    assert await people.standing("U1") is None
    clock.seconds += LOOKUP_PAUSE_SECONDS
    assert await people.standing("U1") == "guest"
    clock.seconds += PROFILE_SECONDS - 1
    assert await people.standing("U1") == "guest"
    clock.seconds += 1
    assert await people.standing("U1") == "member"


async def test_questions_at_once_about_one_person_are_one_call() -> None:
    slack = FakeSlack()
    people = People(slack, IdentityLookup(slack))
    assert set(await asyncio.gather(*(people.standing("U1") for _ in range(50)))) == {"member"}
    assert len(slack.of("users.info")) == 1


@pytest.mark.parametrize(
    "failure",
    [CUT, TimeoutError(), refusal("ratelimited", status=429, retry_after=3600), refusal("fatal_error")],
)
async def test_one_person_whom_slack_does_not_describe_keeps_nobody_else_from_teaching(
    failure: Answer | Exception,
) -> None:
    slack, clock = FakeSlack(), Clock()
    people = People(slack, IdentityLookup(slack), clock)
    slack.answers["users.info"].append(failure)
    assert await people.standing("U1") is None
    assert await people.standing("U2") == "member"
    assert await people.standing("U1") is None
    assert [call["user"] for call in slack.of("users.info")] == ["U1", "U2"]


async def test_while_slack_gives_no_names_nobody_waits_for_one() -> None:
    slack, clock = FakeSlack(), Clock()
    people = People(slack, IdentityLookup(slack), clock)
    slack.answers["users.info"].append(CUT)
    assert await people.names(["U1", "U2", "U3"]) == {"U1": "U1", "U2": "U2", "U3": "U3"}
    assert len(slack.of("users.info")) == 1
    clock.seconds += LOOKUP_PAUSE_SECONDS
    assert await people.names(["U2", "U1"]) == {"U2": "U2", "U1": "U1"}
    assert len(slack.of("users.info")) == 3
