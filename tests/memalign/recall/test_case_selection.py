from collections.abc import Iterator, Mapping

import pytest

from memalign.memory.episodic import EpisodicMemory
from memalign.ports import Vector
from memalign.recall.case_selection import best_cases, contrasting_cases
from memalign.records import CaseText, Label, RetrievedEpisode
from tests.memalign.case_rows import a_labelled_memory, a_row, a_row_near

NO_TEXT = CaseText("")


def ranked(memory: EpisodicMemory, query: Vector, count: int = 5) -> Iterator[RetrievedEpisode]:
    return memory.ranked(query, count, text=NO_TEXT, exclude_trace_id=None, min_similarity=-1.0)


def test_the_last_place_goes_to_the_nearest_case_of_another_label() -> None:
    query = a_row()
    rows = {f"t{n}": a_row_near(query, 0.9 - n / 50) for n in range(20)}
    memory = a_labelled_memory(rows, {"t12": False, "t15": False})

    found = contrasting_cases(ranked(memory, query), 5)

    assert [case.episode.trace_id for case in found] == ["t0", "t1", "t2", "t3", "t12"]


@pytest.mark.parametrize("labels", [{}, {"t2": False}])
def test_a_memory_without_another_label_or_with_it_among_the_nearest_shows_the_nearest(
    labels: Mapping[str, Label],
) -> None:
    query = a_row()
    rows = {f"t{n}": a_row_near(query, 0.9 - n / 50) for n in range(20)}

    found = contrasting_cases(ranked(a_labelled_memory(rows, labels), query), 5)

    assert [case.episode.trace_id for case in found] == ["t0", "t1", "t2", "t3", "t4"]


def test_without_contrast_the_most_similar_cases_are_shown_whatever_their_labels() -> None:
    query = a_row()
    rows = {f"t{n}": a_row_near(query, 0.9 - n / 50) for n in range(20)}

    found = best_cases(ranked(a_labelled_memory(rows, {"t12": False}), query), 5)

    assert [case.episode.trace_id for case in found] == ["t0", "t1", "t2", "t3", "t4"]
