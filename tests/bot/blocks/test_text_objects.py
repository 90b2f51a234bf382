"""All blocks that the bot can make, from hostile texts: Slack reads nothing into them, and they hide nothing."""

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.blocks.primitives import SlackMessage
from bot.visible_text import END_OF_ISOLATE, FIRST_ISOLATE, visible
from memalign.records import Json
from tests.bot.blocks.block_examples import further_arguments, makers, register_types, text_objects

HOSTILE = (
    "@here <!channel> <https://evil.example|a> #general \u202egnp.exe \x1b[31m\x9b31m ad\u200bmin\u2066",
    "\u05e9\u05dc\u05d5\u05dd \u202b*bold* `code`\u2028second line",
    "plain",
)
TEXTS = st.sampled_from(HOSTILE)
FURTHER = further_arguments(TEXTS)


@pytest.fixture(autouse=True, scope="module")
def hostile_records() -> None:
    register_types(TEXTS, TEXTS | st.text())


@pytest.mark.parametrize("make", list(makers()), ids=lambda make: make.__name__)
@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_texts_are_literal_and_hide_nothing(make: Callable[..., Json], data: st.DataObject) -> None:
    made = data.draw(st.builds(make, **FURTHER.get(make, {})))
    objects = list(text_objects(made))
    assert objects
    assert [each for each in objects if each["type"] == "mrkdwn" and each.get("verbatim") is not True] == []
    markup = [each["text"] for each in objects if each["type"] == "mrkdwn"]
    markup.append(made.text if isinstance(made, SlackMessage) else "")
    assert [text for text in markup if "<!channel>" in text] == []
    for text in (*markup, *(each["text"] for each in objects)):
        own = text.replace(FIRST_ISOLATE, "").replace(END_OF_ISOLATE, "")
        assert visible(own) == own
        assert text.count(FIRST_ISOLATE) == text.count(END_OF_ISOLATE)


def test_a_message_is_sent_so_that_slack_makes_no_links_and_mentions_of_its_words() -> None:
    sent = SlackMessage(text="@here", blocks=()).arguments()
    assert (sent["parse"], sent["link_names"]) == ("none", False)
