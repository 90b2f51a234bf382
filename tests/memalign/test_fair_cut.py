"""Long texts are cut so that what is left can be read."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memalign.fair_cut import GAP, cut_lines
from memalign.tokens import count_tokens

WRAPPED = [
    f"Line {number} says that childminders may look after the children of critical workers"
    for number in range(30)
]


def test_lines_of_equal_width_stay_whole_and_the_middle_ones_go() -> None:
    lines = cut_lines("\n".join(WRAPPED), 900, len).split("\n")

    gap = lines.index(GAP.strip())
    assert lines[:gap] == WRAPPED[:gap]
    assert lines[gap + 1 :] == WRAPPED[gap + 1 - len(lines) :]
    assert gap > len(lines) - gap - 1 > 0


def test_fields_beside_a_wrapped_text_stay_whole() -> None:
    text = "\n".join(["page_title: Guidance", "answer: To align with the guidance", *WRAPPED])

    assert cut_lines(text, 900, len).startswith(
        "page_title: Guidance\nanswer: To align with the guidance\nLine 0 says"
    )


def test_a_short_question_beside_long_lines_stays_whole() -> None:
    cut = cut_lines("word " * 400 + "\nWhat is it?\n" + "other " * 300, 300, len).split("\n")

    assert cut[1] == "What is it?"
    assert all(
        set(line.replace(GAP.strip(), "").split()) == {word}
        for line, word in ((cut[0], "word"), (cut[2], "other"))
    )


@pytest.mark.parametrize("measure", [len, count_tokens])
def test_a_cut_text_keeps_within_its_limit(measure: Callable[[str], int]) -> None:
    @given(st.text(alphabet="ab \n…", max_size=400), st.integers(1, 200))
    def check(text: str, limit: int) -> None:
        cut = cut_lines(text, limit, measure)
        assert measure(cut) <= limit
        assert cut == text or measure(text) > limit

    check()
