import pytest

from memalign.embedded_text import TEXT_TOKENS, text_of
from memalign.errors import InputError
from memalign.records import Json, Trace
from memalign.template import fields_of, variables_in
from memalign.tokens import count_tokens, cut_to_tokens
from tests.factories import a_judge, a_trace


def test_variables_come_in_template_order_each_once() -> None:
    assert variables_in("{{outputs}} {{ inputs }} {{ outputs }}") == ("outputs", "inputs")


def test_a_judge_sees_only_the_fields_it_asks_for() -> None:
    trace = a_trace(inputs="in", outputs="out", expectations={"x": 1}, conversation=["hi"])

    assert fields_of(trace, ("outputs",)) == {"outputs": "out"}
    assert fields_of(trace, ("inputs", "expectations")) == {"inputs": "in", "expectations": {"x": 1}}
    assert fields_of(trace, ("conversation",)) == {"conversation": ["hi"]}


def test_a_whole_trace_holds_its_spans() -> None:
    trace = a_trace(inputs="in", outputs="out", spans=[{"name": "search"}])

    assert fields_of(trace, ("trace",)) == {
        "trace": {"inputs": "in", "outputs": "out", "spans": [{"name": "search"}]}
    }


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"inputs": "go away"}, {"inputs": {"text": " go away "}}),
        ({"inputs": {"b": "2", "a": "1"}}, {"inputs": {"a": "1", "b": "2"}}),
        ({"inputs": "q", "outputs": None}, {"inputs": ["q"]}),
    ],
)
def test_the_same_words_make_the_same_text_however_they_are_wrapped(first: Json, second: Json) -> None:
    assert text_of(first) == text_of(second)


def test_the_text_holds_words_and_numbers_and_nothing_about_the_label() -> None:
    assert (
        text_of({"inputs": {"question": "how old", "age": 4, "adult": False}}).given
        == "adult: false\nage: 4\nhow old"
    )


def test_a_long_text_is_cut_to_the_limit() -> None:
    text = text_of({"inputs": "word " * 100_000}).given

    assert count_tokens(text) <= TEXT_TOKENS
    assert text.startswith("word word")


@pytest.mark.parametrize("text", ["short", "", "exactly ten chars ok"])
def test_a_short_text_stays_as_it_is(text: str) -> None:
    assert cut_to_tokens(text, 10) == text


@pytest.mark.parametrize(
    "text", ["a" * 10_000, "漢字" * 5_000, "a" * 5_000 + "漢" * 5_000, "漢" * 5_000 + "a" * 5_000]
)
def test_a_cut_text_is_within_the_limit_whatever_its_script(text: str) -> None:
    cut = cut_to_tokens(text, 100)

    assert 98 <= count_tokens(cut) <= 100
    assert cut.endswith("…(cut)")


def test_tokens_are_a_quarter_of_ascii_and_all_of_the_rest() -> None:
    assert count_tokens("") == 0
    assert count_tokens("abcd" * 25) == 25
    assert count_tokens("漢字") == 2


def test_a_trace_without_the_conversation_that_the_judge_needs_is_refused() -> None:
    judge = a_judge("{{ inputs }} against {{ conversation }}")

    with pytest.raises(InputError, match="tr-1 has no conversation"):
        judge.select_fields(a_trace())


def test_what_is_missing_is_said_but_an_empty_trace_is_refused() -> None:
    judge = a_judge("{{ inputs }} {{ outputs }} {{ expectations }}")

    assert judge.select_fields(Trace(trace_id="t", inputs="q")) == {
        "inputs": "q",
        "outputs": "(no output)",
        "expectations": "(none given)",
    }
    with pytest.raises(InputError, match="has no inputs or outputs or expectations"):
        judge.select_fields(Trace(trace_id="t", inputs=" ", outputs={}))


def test_keys_that_differ_in_type_only_are_no_obstacle() -> None:
    assert text_of({"inputs": {1: ["first"], "1": {"x": "second"}}}) == ("first\nsecond", "")
