from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memalign.fair_cut import fair_shares
from memalign.models.shortening import encoded_tokens, shorten_fields
from memalign.records import Json
from memalign.tokens import count_tokens, cut_middle

QUESTION = "Which error is this?"
LONG_TEXTS = ["word " * 4_000, '"\n<' * 4_000, "漢" * 4_000, "a" * 20_000]
TEXT = st.builds(
    lambda part, times: part * times,
    st.sampled_from(["word ", '"<\n', "漢é", "x", "🙂"]),
    st.integers(0, 400),
)
SCALAR = st.one_of(TEXT, st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False))
JSON = st.recursive(
    SCALAR,
    lambda inner: st.one_of(
        st.lists(inner, max_size=8), st.dictionaries(st.text(max_size=8), inner, max_size=8)
    ),
    max_leaves=24,
)


@given(fields=st.fixed_dictionaries({"inputs": JSON, "outputs": JSON}), max_tokens=st.integers(60, 2_000))
def test_any_record_fits_and_keeps_its_fields(fields: Mapping[str, Json], max_tokens: int) -> None:
    shortened = shorten_fields(fields, max_tokens)

    assert encoded_tokens(shortened) <= max_tokens
    assert list(shortened) == list(fields)
    if encoded_tokens(fields) <= max_tokens:
        assert shortened == fields


@pytest.mark.parametrize("long", LONG_TEXTS)
@pytest.mark.parametrize(
    "inputs",
    [
        lambda long: {"context": long, "question": QUESTION},
        lambda long: {"question": QUESTION, "context": [long, long]},
        lambda long: {
            "messages": [{"role": "system", "content": long}, {"role": "user", "content": QUESTION}]
        },
        lambda long: {
            "messages": [*[{"role": "user", "content": long}] * 9, {"role": "user", "content": QUESTION}]
        },
        lambda long: {"messages": [{"content": [{"text": long}, {"text": QUESTION}]}], "tools": [long] * 3},
        lambda long: f"{long} {QUESTION}",
        lambda long: f"{QUESTION} {long}",
    ],
)
def test_the_question_is_kept_while_something_longer_is_left(inputs: object, long: str) -> None:
    assert callable(inputs)
    shortened = shorten_fields({"inputs": inputs(long), "outputs": long}, 800)

    assert QUESTION in str(shortened["inputs"])
    assert encoded_tokens(shortened) <= 800


def test_of_very_many_items_the_first_and_last_ones_are_kept_and_the_number_left_out_is_said() -> None:
    turns = [{"role": "user", "content": f"turn {n}"} for n in range(2_000)]

    (messages,) = shorten_fields({"messages": turns}, 500).values()

    assert messages[0] == turns[0]
    assert messages[-1] == turns[-1]
    (gap,) = [item for item in messages if isinstance(item, str)]
    assert gap == f"… {2_001 - len(messages):,} turns left out …"


def test_of_very_many_values_the_short_ones_are_kept() -> None:
    values = {f"key-{n}": "word " * n for n in range(200)}

    (kept,) = shorten_fields({"inputs": values}, 300).values()

    assert kept["key-0"] == ""
    assert "key-199" not in kept


def test_short_parts_get_what_they_need_and_long_ones_share_the_rest() -> None:
    assert fair_shares([10, 500, 900, 40], 250) == [10, 100, 100, 40]
    assert fair_shares([10, 20], 250) == [10, 20]
    assert fair_shares([10, 20], -5) == [0, 0]


@given(text=TEXT, limit=st.integers(0, 300))
def test_a_text_loses_its_middle_and_keeps_both_ends(text: str, limit: int) -> None:
    cut = cut_middle(text, limit)

    assert count_tokens(cut) <= limit
    if count_tokens(text) <= limit:
        assert cut == text
    elif cut:
        head, _, tail = cut.partition(" …(cut)… ")
        assert text.startswith(head)
        assert text.endswith(tail)
