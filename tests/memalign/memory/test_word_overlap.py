import pytest

from memalign.memory.word_overlap import WordLists, WordWeights
from memalign.records import CaseText

LISTS = WordLists()


def overlaps(text: CaseText, *others: CaseText) -> list[float]:
    sample = [LISTS.words(other) for other in others]
    return [float(each) for each in WordWeights(sample).overlaps(LISTS.words(text), sample)]


def test_the_same_words_overlap_fully_and_none_not_at_all() -> None:
    same, none = overlaps(
        CaseText("Why?", "Since it rains."), CaseText("why", "it RAINS, since"), CaseText("who")
    )

    assert same == pytest.approx(1.0, abs=1e-5)
    assert none == 0.0


def test_a_rare_word_counts_more_than_common_ones() -> None:
    common = [CaseText("", f"we promise {thing}") for thing in ("lamps", "chairs", "tables")]

    rare, *others = overlaps(CaseText("", "they gave refunds"), CaseText("", "any refunds"), *common)

    assert rare > max(others)
    assert overlaps(CaseText("", "we promise refunds"), CaseText("", "any refunds"), *common)[0] > 0.3


def test_a_long_text_that_was_given_does_not_outweigh_the_answer() -> None:
    document = " ".join(f"word{n}" for n in range(400))
    query = CaseText(document, "we promise refunds")
    others = [CaseText(f"other{n}", f"reply{n}") for n in range(20)]

    same_answer, same_document, *_ = overlaps(
        query,
        CaseText("short question", "we promise refunds"),
        CaseText(document, "no reply at all"),
        *others,
    )

    assert same_answer > same_document


def test_texts_without_words_overlap_with_nothing() -> None:
    assert overlaps(CaseText("", "…"), CaseText("a word"), CaseText("")) == [0.0, 0.0]
    assert overlaps(CaseText("a word")) == []
