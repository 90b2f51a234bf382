"""The words of answers, without Slack."""

import pytest

from bot.blocks.commands import forgotten, state_note
from memalign.records import Forgotten, Guideline, Source


def rule(text: str, **more: object) -> Guideline:
    source = Source(trace_id="tr-2", person="U1", quote=text)
    return Guideline(id=text, text=text, sources=(source,), **more)  # type: ignore[arg-type]


def test_what_was_learned_again_does_not_hide_what_is_still_out_of_use() -> None:
    one, other = rule("One."), rule("Other.")
    gone = Forgotten(
        trace_ids=("tr-1",), waiting=(one, other), distilled=(rule("One, anew."),), left=(other,)
    )
    said = forgotten("tr-1", [("politeness", gone)]).text
    assert "Learned again from what remains: “One, anew.”" in said
    assert "1 guideline out of use until learned again" in said


def test_what_went_alone_is_counted() -> None:
    gone = Forgotten(trace_ids=("tr-1",), retired=(rule("One."), rule("Two.")))
    assert "2 guidelines rested on it alone" in forgotten("tr-1", [("politeness", gone)]).text


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
