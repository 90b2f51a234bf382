"""Links to many messages of a channel cost one call."""

import pytest

from bot.slack.permalink import permalinks
from tests.bot.fakes import Answer, FakeSlack, refusal

LINK = "https://acme.slack.com/archives/C1/p{}"
TIMES = ("1700000001.000100", "1700000002.000200")


def answer(ts: str) -> Answer:
    return Answer(data={"ok": True, "permalink": LINK.format(ts.replace(".", ""))})


async def test_one_call_tells_all_addresses() -> None:
    slack = FakeSlack()
    slack.answers["chat.getPermalink"].append(answer(TIMES[0]))
    links = await permalinks(slack, "C1", TIMES)
    assert links == {ts: LINK.format(ts.replace(".", "")) for ts in TIMES}
    assert len(slack.of("chat.getPermalink")) == 1


async def test_a_message_that_is_gone_hides_no_other() -> None:
    slack = FakeSlack()
    slack.answers["chat.getPermalink"] += [refusal("message_not_found"), answer(TIMES[1])]
    assert set(await permalinks(slack, "C1", TIMES)) == set(TIMES)


async def test_an_address_of_another_form_is_that_of_its_own_message_only() -> None:
    links = await permalinks(FakeSlack(), "C1", TIMES)
    assert links == {TIMES[0]: f"https://slack.test/C1/{TIMES[0]}"}


@pytest.mark.parametrize("number", [0, 5])
async def test_where_slack_gives_no_address_there_is_none(number: int) -> None:
    slack = FakeSlack()
    slack.answers["chat.getPermalink"] += [refusal("message_not_found")] * 5
    assert await permalinks(slack, "C1", [f"{each}.1" for each in range(number)]) == {}
    assert len(slack.of("chat.getPermalink")) == min(number, 3)
