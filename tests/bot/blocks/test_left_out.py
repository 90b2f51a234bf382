import pytest

from bot.blocks.card import verdict_card
from bot.blocks.card_verdict import CardVerdict
from bot.blocks.left_out import left_out_line
from bot.blocks.trace_modal import trace_view
from memalign.records import LeftOut, Verdict
from memalign.serialization import from_document, to_document
from storage.records import StoredVerdict
from tests.factories import a_judge, a_trace

LONG = "Long record: about 2,300 words of it were left out."


def a_verdict(left_out: LeftOut) -> Verdict:
    return Verdict(judge="politeness", trace_id="tr-1", value=True, rationale="Kind.", left_out=left_out)


def shown(stored: StoredVerdict) -> CardVerdict:
    return CardVerdict(stored=stored, judge=a_judge(), title="Polite")


@pytest.mark.parametrize(
    ("left_out", "line"),
    [
        (LeftOut(), ""),
        (LeftOut(tokens=3_014), LONG),
        (LeftOut(tokens=123_456), "Long record: about 93,000 words of it were left out."),
        (LeftOut(tokens=7), "Long record: about 5 words of it were left out."),
        (LeftOut(guidelines=1), "The model had no room for 1 guideline."),
        (LeftOut(cases=3), "The model had no room for 3 similar cases."),
        (
            LeftOut(tokens=3_014, guidelines=2, cases=1),
            f"{LONG} The model had no room for 2 guidelines and 1 similar case.",
        ),
    ],
)
def test_what_was_left_out_is_said_in_plain_words(left_out: LeftOut, line: str) -> None:
    assert left_out_line(left_out) == line


def test_card_and_modal_say_what_was_left_out() -> None:
    stored = StoredVerdict(verdict_id="v", verdict=a_verdict(LeftOut(tokens=3_014)), judged_ms=1, channel="C")

    assert LONG in str(verdict_card([shown(stored)], a_trace()).blocks)
    assert LONG in str(trace_view([shown(stored)], a_trace()))


def test_a_card_of_a_whole_record_says_nothing_of_room() -> None:
    stored = StoredVerdict(verdict_id="v", verdict=a_verdict(LeftOut()), judged_ms=1, channel="C")

    assert "left out" not in str(verdict_card([shown(stored)], a_trace()).blocks)


@pytest.mark.parametrize("left_out", [LeftOut(), LeftOut(tokens=3, guidelines=2, cases=1)])
def test_what_was_left_out_is_stored_with_the_verdict(left_out: LeftOut) -> None:
    document = to_document(a_verdict(left_out))

    assert ("left_out" in document) == (left_out != LeftOut())
    assert from_document(Verdict, document).left_out == left_out
