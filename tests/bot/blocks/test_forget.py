"""The words of forgetting, without Slack."""

import pytest

from bot.blocks.forget import forget_preview, forget_result, nothing_of_person
from bot.records import ForgetResult
from memalign.records import ForgetTarget, Forgotten, Guideline, PersonTarget, Source, TraceTarget

TRACE, PERSON = TraceTarget(trace_id="tr-1"), PersonTarget(person="U1")


def rule(text: str) -> Guideline:
    return Guideline(id=text, text=text, sources=(Source(trace_id="tr-2", person="U1", quote=text),))


def result(part: Forgotten, target: ForgetTarget = TRACE, verdicts: int = 1) -> ForgetResult:
    return ForgetResult(target=target, verdicts=verdicts, people=("U1",), judges={"politeness": part})


def test_what_was_learned_again_does_not_hide_what_is_still_out_of_use() -> None:
    first, other = rule("One."), rule("Other.")
    part = Forgotten(
        trace_ids=("tr-1",), waiting=(first, other), distilled=(rule("One, anew."),), left=(other,)
    )
    text = forget_result(result(part), ["Ana"]).text
    assert "Relearned from what remains: “One, anew.”" in text
    assert "1 guideline is out of use until I've relearned" in text


@pytest.mark.parametrize("target", [TRACE, PERSON])
def test_guidelines_that_went_along_are_counted(target: ForgetTarget) -> None:
    part = Forgotten(trace_ids=("tr-1",), retired=(rule("One."), rule("Two.")))
    assert "2 guidelines rested on it alone" in forget_result(result(part, target), ["Ana"]).text


@pytest.mark.parametrize(
    ("target", "sentence"),
    [
        (TRACE, "the guideline “Two.” also rests on other traces; I'll relearn it from those"),
        (PERSON, "the guideline “Two.” also rests on what others said; I'll relearn it from them"),
    ],
)
def test_a_preview_tells_guidelines_that_go_from_those_learned_again(
    target: ForgetTarget, sentence: str
) -> None:
    part = Forgotten(trace_ids=("tr-1",), retired=(rule("One."),), waiting=(rule("Two."),))
    lines = forget_preview(result(part, target), ["Ana"]).text.splitlines()
    assert "• the guideline “One.”" in lines
    assert f"• {sentence}" in lines


@pytest.mark.parametrize("target", [TRACE, PERSON])
def test_the_buttons_of_a_preview_carry_the_id_as_it_is(target: ForgetTarget) -> None:
    [*_, row] = forget_preview(result(Forgotten(), target), ["Ana"]).blocks
    assert {element["value"] for element in row["elements"]} == {"tr-1" if target == TRACE else "U1"}


def test_only_a_person_can_have_said_nothing() -> None:
    assert result(Forgotten(), PERSON, verdicts=0).is_empty
    assert not result(Forgotten(), PERSON, verdicts=1).is_empty
    assert not result(Forgotten(trace_ids=("tr-1",)), PERSON, verdicts=0).is_empty
    assert not result(Forgotten(), TRACE, verdicts=0).is_empty


def test_a_name_is_escaped_once() -> None:
    assert "A &amp; B." in nothing_of_person("A & B").text
