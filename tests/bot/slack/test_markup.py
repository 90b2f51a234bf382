"""People, channels and links that somebody typed, in words."""

import pytest

from bot.slack.markup import readable_marks


@pytest.mark.parametrize(
    ("text", "readable"),
    [
        ("thank <@U0000000002|ben> kindly", "thank @ben kindly"),
        ("thank <@U0000000002|@ben>", "thank @ben"),
        ("thank <@U0000000002> or <@U0000000003|>", "thank @somebody or @somebody"),
        ("point to <#C0000000001|help-desk>", "point to #help-desk"),
        ("point to <#C0000000001>", "point to #channel"),
        ("never say <!here> or <!channel|@channel>", "never say @here or @channel"),
        ("ask <!subteam^S012345|@support>", "ask @support"),
        ("link <https://example.org/a|the manual>", "link the manual"),
        ("link <https://example.org/a>", "link https://example.org/a"),
        ("write to <mailto:a@example.org|a@example.org>", "write to a@example.org"),
        ("use &lt;b&gt; and 1 < 2 > 0 and <the> source", "use &lt;b&gt; and 1 < 2 > 0 and <the> source"),
    ],
)
def test_marks_become_words_and_typed_brackets_stay(text: str, readable: str) -> None:
    assert readable_marks(text) == readable
