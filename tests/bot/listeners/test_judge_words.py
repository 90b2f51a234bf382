"""The judge that a command names before its other words."""

import pytest

from bot.listeners.judge_words import split_judge

JUDGES = ("tact", "tact and wit", "Größe")


@pytest.mark.parametrize(
    ("text", "judge", "rest"),
    [
        ("", None, ""),
        ("tact", "tact", ""),
        ("TACT  parks ", "tact", "parks"),
        ("tact: Name the source.", "tact", "Name the source."),
        ("tact and wit parks", "tact and wit", "parks"),
        ("tact and tea", "tact", "and tea"),
        ("tactful answers", None, "tactful answers"),
        ("größe 5", "Größe", "5"),
        ("parks tact", None, "parks tact"),
    ],
)
def test_the_longest_name_at_the_beginning_is_meant(text: str, judge: str | None, rest: str) -> None:
    assert split_judge(text, JUDGES) == (judge, rest)
