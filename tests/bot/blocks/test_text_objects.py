"""All blocks that the bot can make, from hostile texts: Slack reads nothing into them, and they hide nothing."""

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from typing import get_type_hints

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot import blocks
from bot.blocks.card import verdict_card
from bot.blocks.card_verdict import CardVerdict
from bot.blocks.home import home_view
from bot.blocks.primitives import Block, SlackMessage
from bot.blocks.thread import vote_counted
from bot.blocks.trace_modal import rendered_trace_view, trace_view
from bot.blocks.votes import which_vote
from bot.records import OpenCard
from bot.visible_text import END_OF_ISOLATE, FIRST_ISOLATE, visible
from memalign.judge import Judge
from memalign.records import Json, Trace
from memalign.value_types import ValueType, value_type_of
from storage.records import StoredVerdict

HOSTILE = (
    "@here <!channel> <https://evil.example|a> #general \u202egnp.exe \x1b[31m\x9b31m ad\u200bmin\u2066",
    "\u05e9\u05dc\u05d5\u05dd \u202b*bold* `code`\u2028second line",
    "plain",
)
ELEMENTS = ("bot.blocks.mrkdwn", "bot.blocks.primitives", "bot.blocks.rich_text")
"""Modules of elements, which take text that is escaped already, or other elements."""
TEXTS = st.sampled_from(HOSTILE)
TIMES_MS = st.integers(0, 4_102_444_800_000)
"""Until 2100."""
JSON = TEXTS | st.lists(TEXTS, max_size=2) | st.dictionaries(TEXTS, TEXTS, max_size=2)
VERDICTS = st.lists(
    st.builds(CardVerdict, judge=st.builds(Judge, model=TEXTS | st.just("local:/cases"))),
    min_size=1,
    max_size=2,
)
FURTHER: Mapping[Callable[..., Json], Mapping[str, st.SearchStrategy[Json]]] = {
    vote_counted: {"vote": st.sampled_from(["up", "down", "unsure", None])},
    which_vote: {"votes": st.sets(st.sampled_from(["up", "down", "unsure"]), min_size=2)},
    verdict_card: {"verdicts": VERDICTS},
    trace_view: {"verdicts": VERDICTS},
    rendered_trace_view: {"verdicts": VERDICTS},
    home_view: {"note": st.just("a line escaped before")},
}
"""Arguments whose type does not say all."""

# for all tests of the process: so any text, too
st.register_type_strategy(str, TEXTS | st.text())
st.register_type_strategy(ValueType, st.sampled_from(["bool", "int", "float", "str"]).map(value_type_of))
st.register_type_strategy(
    Trace,
    st.builds(
        Trace,
        trace_id=TEXTS,
        inputs=JSON,
        outputs=JSON,
        expectations=JSON,
        conversation=JSON,
        url=TEXTS,
        spans=st.just(()),
    ),
)
st.register_type_strategy(
    StoredVerdict, st.builds(StoredVerdict, judged_ms=st.integers(0, 4_000_000_000_000))
)
# a link is Slack's own
st.register_type_strategy(
    OpenCard,
    st.builds(
        OpenCard,
        stored=st.builds(StoredVerdict, judged_ms=TIMES_MS),
        trace=st.from_type(Trace),
        link=st.just("https://slack.example/archives/C1/p1"),
    ),
)


def makers() -> Iterator[Callable[..., Json]]:
    for info in pkgutil.iter_modules(blocks.__path__, "bot.blocks."):
        module = importlib.import_module(info.name)
        for name, function in inspect.getmembers(module, inspect.isfunction):
            is_public = function.__module__ == info.name not in ELEMENTS and not name.startswith("_")
            if is_public and get_type_hints(function)["return"] in (SlackMessage, Block):
                yield function


def text_objects(part: Json) -> Iterator[Block]:
    if isinstance(part, SlackMessage):
        yield from text_objects(part.blocks)
    elif isinstance(part, dict):
        if part.get("type") in ("mrkdwn", "plain_text", "text"):
            yield part
        for inner in part.values():
            yield from text_objects(inner)
    elif isinstance(part, list | tuple):
        for inner in part:
            yield from text_objects(inner)


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
