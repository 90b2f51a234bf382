"""Every reply is read as a value, a reason, a question, thanks or a command: kinds x phrasings."""

import pytest

from bot.replies.reading import asks_only, read_reply
from memalign.records import Label
from memalign.value_types import value_type_of
from tests.bot.replies.reply_samples import NO_VALUE, SAMPLES, Kind

ROWS = [(form, bounds, text, right) for form, bounds, rows in SAMPLES for text, right in rows.items()]


@pytest.mark.parametrize(("form", "bounds", "text", "right"), ROWS)
def test_a_reply_is_read_as_what_it_says(
    form: object, bounds: tuple[float, float] | None, text: str, right: Label | Kind
) -> None:
    reading = read_reply(text, value_type_of(form, bounds))
    if not isinstance(right, Kind):
        assert (reading.kind, reading.value) == ("value", right)
        assert type(reading.value) is type(right)
        return
    assert reading.value is None
    assert reading.kind in ("reason", "unclear value") if right == NO_VALUE else reading.kind == right


def test_there_are_enough_phrasings() -> None:
    assert len(ROWS) >= 450


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("maybe a 2 :thinking_face:", ""),
        ("2 or 3", ""),
        ("<@U012> not a 4", ""),
        ("maybe a 2. The link is dead.", "The link is dead."),
        ("17. It answers all of it.", "It answers all of it."),
    ],
)
def test_words_on_a_value_in_doubt_are_no_reason(text: str, reason: str) -> None:
    reading = read_reply(text, value_type_of("int", (1, 5)))
    assert (reading.kind, reading.reason) == ("unclear value", reason)


@pytest.mark.parametrize("text", ["fail I think", "pass, in my view", "I'd say fail, to be honest"])
def test_words_on_how_somebody_came_to_a_value_are_no_reason(text: str) -> None:
    reading = read_reply(text, value_type_of("bool"))
    assert (reading.kind, reading.reason) == ("value", "")


@pytest.mark.parametrize(
    "text",
    [
        "Fail. Thanks!",
        "thanks, but it should fail",
        "fail :(",
        "fail :-/",
        "fail ;)",
        "fail (!)",
        "fail – danke dir",
    ],
)
def test_thanks_and_signs_beside_a_value_are_no_reason(text: str) -> None:
    reading = read_reply(text, value_type_of("bool"))
    assert (reading.value, reading.reason) == (False, "")


def test_a_reason_before_a_smiley_stays() -> None:
    assert read_reply("fail, it is curt :(", value_type_of("bool")).reason == "it is curt"


@pytest.mark.parametrize(
    ("text", "is_asking"),
    [
        ("Why did it fail?", True),
        ("Which guideline decided? And why?", True),
        ("It is rude. Who talks like that?", False),
        ("The answer should name its source.", False),
        ("", False),
    ],
)
def test_a_text_of_questions_alone_is_told_from_a_reason(text: str, is_asking: bool) -> None:
    assert asks_only(text) is is_asking


@pytest.mark.parametrize("text", ["?", "??", "?!", "👎?", ":thinking_face: ?", "？"])
@pytest.mark.parametrize("form", ["bool", "int", ["polite", "curt", "rude"], "str"])
def test_a_question_mark_alone_is_a_question(text: str, form: object) -> None:
    assert read_reply(text, value_type_of(form)).kind == "question"


@pytest.mark.parametrize("text", [":(", ":-)", ";)", "=D", ":P"])
def test_a_smiley_alone_is_no_reason(text: str) -> None:
    assert read_reply(text, value_type_of("bool")).kind == "acknowledgement"


@pytest.mark.parametrize(
    "text",
    [
        "They fail when there is no answer",
        "Answers should always pass",
        "wenn das fehlt, sollte es durchfallen",
    ],
)
def test_a_criterion_in_plain_words_stays_a_reason(text: str) -> None:
    assert read_reply(text, value_type_of("bool")).reason == text


@pytest.mark.parametrize("text", ["not 2 ", "so ", "- ", "**", "würde ich ", "not rude but ", "thanks "])
@pytest.mark.parametrize("form", ["bool", "int", ["polite", "curt", "rude"]])
def test_a_long_reply_of_odd_words_is_read(text: str, form: object) -> None:
    assert read_reply(text * 2000, value_type_of(form)).kind
