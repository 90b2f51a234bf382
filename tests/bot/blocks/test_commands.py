"""The words of answers, without Slack."""

import pytest

from bot.blocks.commands import state_note
from memalign.records import Guideline, Source


def rule(text: str, **more: object) -> Guideline:
    source = Source(trace_id="tr-2", person="U1", quote=text)
    return Guideline(id=text, text=text, sources=(source,), **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ({}, ""),
        ({"waiting": True}, "to be learned again"),
        ({"overruled": True}, "more people say the opposite"),
        ({"conflicts_with": ("g",)}, "Another guideline says the opposite"),
    ],
)
def test_a_guideline_that_is_not_simply_in_use_says_why(state: dict[str, object], words: str) -> None:
    assert words in state_note(rule("One.", **state))
    assert bool(state_note(rule("One.", **state))) == bool(words)
