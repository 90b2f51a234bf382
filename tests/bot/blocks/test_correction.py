"""The modal that corrects a verdict: what it asks for, and what closing it leaves."""

import pytest

from bot.blocks.correction import Correction, correction_view
from bot.blocks.primitives import Block
from bot.vote_marks import Vote
from memalign.records import Guideline, Json, Label, Verdict
from memalign.value_types import FeedbackValueType, value_type_of
from storage.records import StoredVerdict
from tests.bot.bot_in_workspace import words
from tests.factories import a_guideline, a_trace

LONG_RULE = (
    "An answer should name the office that helps, with its hours, and never send people away to "
    "another desk without saying why that desk is the right one for them, in their own language."
)


def view_of(
    judged: Label,
    form: FeedbackValueType,
    value_range: tuple[float, float] | None = None,
    *,
    vote: Vote | None = "down",
    value: Label | None = None,
    reason: str = "",
    covered_by: frozenset[str] = frozenset(),
    guidelines: tuple[Guideline, ...] = (),
    inputs: Json = "Can you help me?",
    outputs: Json = "Go away.",
) -> Block:
    verdict = Verdict(judge="politeness", trace_id="tr-1", value=judged, rationale="Curt.")
    stored = StoredVerdict(verdict_id="v-1", verdict=verdict, judged_ms=1, channel="C1", message_ts="1.1")
    return correction_view(
        stored,
        "1.1",
        a_trace(inputs=inputs, outputs=outputs),
        value_type=value_type_of(form, value_range),
        correction=Correction(vote=vote, value=value, reason=reason, covered_by=covered_by),
        guidelines=guidelines,
    )


def element(view: Block, block_id: str) -> Block | None:
    fields = {block.get("block_id"): block.get("element") for block in view["blocks"]}
    return fields.get(block_id)


def labels(element: Block | None) -> list[str]:
    return [option["text"]["text"] for option in (element or {}).get("options", [])]


def test_it_shows_the_question_the_answer_and_the_verdict() -> None:
    view = view_of(False, bool)
    text = words(view["blocks"])
    assert "Can you help me?" in text
    assert "Go away." in text
    assert "The judge said *fail*. What did it miss?" in text.replace("\u2068", "").replace("\u2069", "")
    assert (view["title"]["text"], view["submit"]["text"]) == ("Correct the verdict", "Save")


def test_code_in_the_answer_is_the_traces_own() -> None:
    code = '```python\nwith open("a.txt") as f:\n    f.read()\n```'
    view = view_of(False, bool, outputs=code)
    blocks = [part for block in view["blocks"] if block["type"] == "rich_text" for part in block["elements"]]
    shown = [part for part in blocks if part["type"] == "rich_text_preformatted"]
    assert 'with open("a.txt") as f:\n    f.read()' in words(shown)


@pytest.mark.parametrize(
    ("form", "value_range", "judged", "kind", "choices"),
    [
        (bool, None, False, None, []),
        (["good", "fair", "poor"], None, "fair", "radio_buttons", ["good", "poor"]),
        (["rude", "kind"], None, "rude", "radio_buttons", ["kind"]),
        (list("abcdefg"), None, "a", "radio_buttons", list("bcdefg")),
        (list("abcdefgh"), None, "a", "static_select", list("bcdefgh")),
        (["x" * 200, "y", "z"], None, "y", "plain_text_input", []),
        (int, (1, 5), 3, "radio_buttons", ["1", "2", "4", "5"]),
        (int, (0, 10), 3, "number_input", []),
        (int, None, 3, "number_input", []),
        (float, (0, 1), 0.5, "number_input", []),
        (str, None, "meh", "plain_text_input", []),
    ],
)
def test_the_right_value_is_asked_for_as_suits_the_judge(
    form: FeedbackValueType,
    value_range: tuple[float, float] | None,
    judged: Label,
    kind: str | None,
    choices: list[str],
) -> None:
    asked = element(view_of(judged, form, value_range), "value")
    assert (asked and asked["type"], labels(asked)) == (kind, choices)


@pytest.mark.parametrize(
    ("form", "value_range", "decimals", "low", "high"),
    [
        (int, (0, 10), False, "0", "10"),
        (float, (0, 1), True, "0", "1"),
        (float, (-0.5, 1e-7), True, "-0.5", "0.0000001"),
        (float, (0, 1e21), True, "0", "1000000000000000000000"),
        (int, None, False, None, None),
    ],
)
def test_a_number_keeps_to_the_judges_range(
    form: FeedbackValueType,
    value_range: tuple[float, float] | None,
    decimals: bool,
    low: str | None,
    high: str | None,
) -> None:
    asked = element(view_of(0, form, value_range), "value")
    assert asked is not None
    assert (asked["is_decimal_allowed"], asked.get("min_value"), asked.get("max_value")) == (
        decimals,
        low,
        high,
    )


def test_what_the_person_said_before_is_there_to_be_edited() -> None:
    rules = (a_guideline("Greet people.", guideline_id="g1"), a_guideline("Help.", guideline_id="g2"))
    view = view_of(
        3, int, (1, 5), value=4, reason="It helps.", covered_by=frozenset({"g2"}), guidelines=rules
    )
    value, reason, covered = (element(view, name) or {} for name in ("value", "reason", "covered_by"))
    assert value["initial_option"]["value"] == "4"
    assert reason["initial_value"] == "It helps."
    assert [option["value"] for option in covered["initial_options"]] == ["g2"]
    typed = element(view_of(3, int, (0, 100), value=40), "value") or {}
    assert typed["initial_value"] == "40"


def test_at_most_five_guidelines_are_offered_and_none_asked_for_where_there_are_none() -> None:
    rules = tuple(a_guideline(f"Rule {number}.", guideline_id=f"g{number}") for number in range(9))
    assert labels(element(view_of(False, bool, guidelines=rules), "covered_by")) == [
        f"Rule {number}." for number in range(5)
    ]
    assert element(view_of(False, bool), "covered_by") is None


def test_a_long_guideline_is_cut_at_words_within_what_slack_allows() -> None:
    view = view_of(False, bool, guidelines=(a_guideline(LONG_RULE, guideline_id="g1"),))
    [option] = (element(view, "covered_by") or {})["options"]
    first, second = option["text"]["text"], option["description"]["text"]
    assert len(first) <= 75
    assert len(second) <= 75
    assert LONG_RULE.startswith(f"{first} {second.removesuffix('…')}")
    assert second.endswith("…")


@pytest.mark.parametrize(
    ("form", "vote", "value", "close", "note"),
    [
        (bool, "down", True, "Skip the reason", "Your 👎 counts even if you close this."),
        (bool, None, None, "Cancel", "Nothing counts until you save."),
        (bool, "up", None, "Cancel", "Nothing counts until you save."),
        (int, "down", None, "Not now", "the right value stays open then"),
        (int, "down", 4, "Skip the reason", "Your 👎 counts even if you close this."),
    ],
)
def test_closing_says_what_is_true(
    form: FeedbackValueType, vote: Vote | None, value: Label | None, close: str, note: str
) -> None:
    view = view_of(False if form is bool else 1, form, vote=vote, value=value)
    assert (view["close"]["text"], view["notify_on_close"]) == (close, True)
    assert note in words(view["blocks"][-1:])
