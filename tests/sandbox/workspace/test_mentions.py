"""People notified by a message of the app; text that is shown as it is notifies nobody."""

import pytest

from bot.sandbox.workspace.mrkdwn import mentioned_targets
from bot.sandbox.workspace.records import Payload
from tests.sandbox.newer_blocks import (
    axis_chart,
    context_actions,
    data_table,
    feedback,
    line,
    markdown,
    number,
    pie,
    plain,
    preformatted,
    raw,
    rich_list,
    rich_quote,
    rich_text,
    series,
    table,
    words,
)

HOSTILE = "<!channel> <@U1> <!subteam^S1> @here"

SILENT: dict[str, Payload] = {
    "a section of rich text": line(words(HOSTILE)),
    "styled text": line(words(HOSTILE, bold=True, code=True)),
    "a link": line({"type": "link", "url": "https://a.b", "text": HOSTILE}),
    "a quote": rich_text(rich_quote(words(HOSTILE))),
    "code": rich_text(preformatted(HOSTILE)),
    "a list": rich_text(rich_list("bullet", HOSTILE)),
    "the fallback of a date": line({"type": "date", "timestamp": 1, "format": HOSTILE, "fallback": HOSTILE}),
    "feedback buttons": context_actions(feedback(positive_button={"text": plain(HOSTILE), "value": HOSTILE})),
    "a cell": table([raw(HOSTILE), number(1, HOSTILE), line(words(HOSTILE))]),
    "a data table": data_table([raw(HOSTILE)], [raw(HOSTILE)]) | {"caption": HOSTILE},
    "a chart": axis_chart("line", (HOSTILE,), series(HOSTILE, (HOSTILE,), 1), x_label=HOSTILE),
    "a pie": pie((HOSTILE, 1), title=HOSTILE),
}
LOUD: dict[str, tuple[str, Payload]] = {
    "a person": ("U1", line({"type": "user", "user_id": "U1"})),
    "a channel": ("channel", rich_text(rich_quote({"type": "broadcast", "range": "channel"}))),
    "a group": ("S1", table([line({"type": "usergroup", "usergroup_id": "S1"})])),
    "a person in markdown": ("U1", markdown("See <@U1>")),
    "a person in verbatim mrkdwn": (
        "U1",
        {"type": "section", "text": {"type": "mrkdwn", "text": "<@U1>", "verbatim": True}},
    ),
}


@pytest.mark.parametrize("block", SILENT.values(), ids=SILENT)
def test_text_that_is_shown_as_it_is_notifies_nobody(block: Payload) -> None:
    assert mentioned_targets("", [block], None) == []


@pytest.mark.parametrize(("target", "block"), LOUD.values(), ids=LOUD)
def test_a_mention_that_the_app_meant_notifies(target: str, block: Payload) -> None:
    assert mentioned_targets("", [block], None) == [target]
