from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from memalign.memory.case_similarity import DEFAULT_MIN_SIMILARITY
from memalign.memory.episodic import MIN_EPISODES_FOR_GRAPH, EpisodicMemory
from memalign.memory.vector_index import HNSW_SEARCH_CANDIDATES, search_exactly
from memalign.ports import Vector
from memalign.records import CaseText, Episode, Label
from tests.factories import an_episode
from tests.memalign.case_rows import RANDOM, a_labelled_memory, a_row, a_row_near


def a_memory_of(count: int, first: int = 0) -> EpisodicMemory:
    return EpisodicMemory().changed(
        put=[an_episode(f"t{n}") for n in range(first, first + count)],
        vectors={f"t{n}": a_row() for n in range(first, first + count)},
    )


def nearest_ids(
    memory: EpisodicMemory, query: Vector, count: int = 5, *, exclude: str | None = None
) -> list[str]:
    return [
        case.episode.trace_id
        for case in memory.nearest(query, count, exclude_trace_id=exclude, min_similarity=-1.0)
    ]


def due(memory: EpisodicMemory) -> bool:
    return memory.needs_graph


@pytest.mark.parametrize("size", [1, 2, 50, 300])
def test_finds_what_an_exact_scan_finds_best_first(size: int) -> None:
    memory = a_memory_of(size)

    for _ in range(20):
        query = a_row()
        retrieved = memory.nearest(query, 5, exclude_trace_id=None, min_similarity=-1.0)
        assert [case.episode.trace_id for case in retrieved] == search_exactly(memory.vectors, query, 5)
        assert [case.similarity for case in retrieved] == sorted(
            (case.similarity for case in retrieved), reverse=True
        )


def test_an_identical_case_comes_first_with_full_similarity() -> None:
    memory = a_memory_of(40)

    best = memory.nearest(memory.vectors["t7"], 3, exclude_trace_id=None, min_similarity=0.0)[0]

    assert best.episode.trace_id == "t7"
    assert best.similarity == pytest.approx(1.0)


def test_a_traces_own_episode_is_not_found_and_does_not_cost_a_place() -> None:
    memory = a_memory_of(6)

    names = nearest_ids(memory, memory.vectors["t3"], 5, exclude="t3")

    assert set(names) == {"t0", "t1", "t2", "t4", "t5"}


def test_what_is_less_alike_than_the_floor_is_kept_out() -> None:
    memory = EpisodicMemory().changed(
        put=[an_episode("near"), an_episode("far")],
        vectors={"near": np.array([1, 0], np.float32), "far": np.array([0, 1], np.float32)},
    )

    retrieved = memory.nearest(np.array([1, 0], np.float32), 5, exclude_trace_id=None, min_similarity=0.15)

    assert [case.episode.trace_id for case in retrieved] == ["near"]


@pytest.mark.parametrize("count", [0, 1, 3, 99])
def test_more_are_never_asked_for_than_there_are(count: int) -> None:
    assert len(nearest_ids(a_memory_of(3), a_row(), count)) == min(count, 3)


def test_the_last_episode_can_go() -> None:
    empty = a_memory_of(1).changed(drop=["t0"])

    assert nearest_ids(empty, a_row()) == []
    again = empty.changed(put=[an_episode("t1")], vectors={"t1": a_row()})
    assert nearest_ids(again, a_row()) == ["t1"]


def test_the_newest_version_extends_the_index_and_the_older_keeps_its_own_view() -> None:
    old = a_memory_of(10)
    query = a_row()
    before = nearest_ids(old, query, 20)

    new = old.changed(put=[an_episode("fresh")], drop=["t0"], vectors={"fresh": query})

    assert nearest_ids(new, query, 20)[0] == "fresh"
    assert "t0" not in nearest_ids(new, query, 20)
    assert nearest_ids(old, query, 20) == before
    assert nearest_ids(new, query, 20)[0] == "fresh"


def test_an_index_that_is_full_grows() -> None:
    memory = a_memory_of(1)
    for n in range(1, 200):
        memory = memory.changed(put=[an_episode(f"t{n}")], vectors={f"t{n}": a_row()})
        query = a_row()
        assert nearest_ids(memory, query) == search_exactly(memory.vectors, query, 5)


def test_a_replaced_episode_moves_to_the_end_with_its_new_vector() -> None:
    memory = a_memory_of(3)
    query = a_row()
    nearest_ids(memory, query)

    memory = memory.changed(put=[an_episode("t0", True)], vectors={"t0": query})

    assert list(memory.episodes) == ["t1", "t2", "t0"]
    assert memory.nearest(query, 1, exclude_trace_id=None, min_similarity=0.0)[0].episode.label is True


def test_an_episode_to_embed_waits_to_be_found() -> None:
    memory = EpisodicMemory().changed(put=[an_episode("a"), an_episode("b")], vectors={"a": a_row()})

    assert memory.to_embed == ("b",)
    assert nearest_ids(memory, a_row()) == ["a"]
    assert memory.changed(vectors={"b": a_row()}).to_embed == ()


def test_a_large_memory_uses_the_graph_once_it_is_built() -> None:
    memory = a_memory_of(MIN_EPISODES_FOR_GRAPH)
    query = a_row()

    assert due(memory)
    assert nearest_ids(memory, query) == search_exactly(memory.vectors, query, 5)
    memory.build_graph()
    assert not due(memory)
    hits = sum(
        len(set(nearest_ids(memory, q)) & set(search_exactly(memory.vectors, q, 5)))
        for q in (a_row() for _ in range(40))
    )
    assert hits >= 0.95 * 200


def test_a_graph_follows_what_is_put_and_never_keeps_what_is_forgotten() -> None:
    memory = a_memory_of(MIN_EPISODES_FOR_GRAPH)
    memory.build_graph()
    query = a_row()

    grown = memory.changed(put=[an_episode("fresh")], vectors={"fresh": query})
    assert not due(grown)
    assert nearest_ids(grown, query, 1) == ["fresh"]

    forgotten = grown.changed(drop=["fresh"])
    assert due(forgotten)
    assert nearest_ids(forgotten, query) == search_exactly(forgotten.vectors, query, 5)


def test_a_graph_crowded_with_replaced_cases_still_answers() -> None:
    memory = a_memory_of(MIN_EPISODES_FOR_GRAPH)
    memory.build_graph()
    query = a_row()
    for _ in range(HNSW_SEARCH_CANDIDATES + 10):
        memory = memory.changed(put=[an_episode("t1")], vectors={"t1": query})

    assert not memory.needs_graph
    assert nearest_ids(memory, query, 50) == search_exactly(memory.vectors, query, 50)


def test_near_copies_are_one_case_with_the_votes_of_all() -> None:
    query = a_row()
    rows = {f"copy-{n}": a_row_near(query, 0.999) for n in range(8)}
    rows |= {f"other-{n}": a_row_near(query, 0.5 - n / 20) for n in range(4)}
    memory = a_labelled_memory(rows, {"copy-0": False, "other-3": False})

    first, *others = memory.nearest(query, 5, exclude_trace_id=None, min_similarity=-1.0)

    assert [case.episode.trace_id for case in others] == [f"other-{n}" for n in range(4)]
    assert first.episode.label is True
    assert {episode.trace_id for episode in (first.episode, *first.copies)} == {f"copy-{n}" for n in range(8)}
    assert first.votes == {True: 7, False: 1}


def test_a_case_no_more_similar_than_stored_cases_are_to_each_other_is_no_precedent() -> None:
    common = a_row()
    memory = a_labelled_memory({f"t{n}": a_row_near(common, 0.8) for n in range(60)}, {})
    query = a_row_near(common, 0.5)
    precedent = memory.changed(put=[an_episode("same")], vectors={"same": a_row_near(query, 0.97)})

    found = precedent.nearest(query, 5, exclude_trace_id=None)

    assert [case.episode.trace_id for case in found] == ["same"]
    assert len(precedent.nearest(query, 5, exclude_trace_id=None, min_similarity=0.15)) == 5


def test_in_a_small_memory_the_floor_is_fixed() -> None:
    memory = a_labelled_memory({f"t{n}": a_row() for n in range(8)}, {})

    found = memory.nearest(memory.vectors["t3"], 8, exclude_trace_id=None)

    assert all(case.similarity >= DEFAULT_MIN_SIMILARITY for case in found)
    assert found[0].episode.trace_id == "t3"


def test_the_floor_is_the_percentile_of_all_pairs() -> None:
    rows = {f"t{n}": a_row() for n in range(400)}
    matrix = np.stack(list(rows.values()))
    floor = np.percentile((matrix @ matrix.T)[np.triu_indices(400, k=1)], 95)
    memory = a_labelled_memory(rows, {})

    least = [
        min(case.similarity for case in memory.nearest(a_row(), 200, exclude_trace_id=None))
        for _ in range(20)
    ]

    assert min(least) == pytest.approx(floor, abs=0.03)


def test_vectors_of_an_earlier_form_of_the_text_serve_until_they_are_made_again() -> None:
    rows = {name: a_row() for name in ("a", "b")}
    memory = EpisodicMemory({name: an_episode(name) for name in rows}, rows, outdated=["a"])

    assert memory.to_embed == ("a",)
    assert nearest_ids(memory, rows["a"], 1) == ["a"]
    assert memory.changed(vectors={"a": a_row()}).to_embed == ()


def test_changes_are_named_since_the_version_that_was_stored() -> None:
    memory = a_memory_of(50)
    memory.note_stored()

    changed = memory.changed(put=[an_episode("t3"), an_episode("new")], drop=["t7"], vectors={"t9": a_row()})

    assert set(changed.changed_ids(memory)) == {"t3", "t7", "t9", "new"}
    assert set(a_memory_of(2).changed_ids(memory)) >= {"t0", "t1"}


FILLER = (
    "when",
    "it",
    "comes",
    "how",
    "long",
    "it",
    "takes",
    "whom",
    "to",
    "call",
    "what",
    "it",
    "costs",
    "and",
    "why",
)


def a_wordy_case(name: str, word: str, label: Label = True) -> Episode:
    """Return a case given the same long text as all others, whose answer is about one thing."""
    answer = " ".join([*RANDOM.choice(FILLER, 12), word, *RANDOM.choice(FILLER, 12)])
    return replace(an_episode(name, label, text=" ".join(FILLER * 20)), answer_text=answer)


def a_wordy_memory(words: Sequence[str], times: int) -> EpisodicMemory:
    """Return a memory whose vectors tell next to nothing of the one word that matters."""
    common = a_row()
    cases = [a_wordy_case(f"{word}-{n}", word) for n in range(times) for word in words]
    return EpisodicMemory().changed(
        put=cases, vectors={case.trace_id: a_row_near(common, 0.8) for case in cases}
    )


@pytest.mark.parametrize(
    "words",
    [
        [f"thing{n}" for n in range(30)],
        ["Erstattungen", "Gutscheine", "Lieferungen", *(f"Ware{n}" for n in range(27))],
        [f"{first}{second}" for first in "退款保修发票" for second in "北南东西上"],
    ],
    ids=["English", "German", "Chinese"],
)
def test_the_case_with_the_same_rare_word_comes_before_those_with_the_same_long_text(
    words: Sequence[str],
) -> None:
    memory = a_wordy_memory(words, 8)
    query = a_wordy_case("new", words[1])

    found = memory.nearest(a_row(), 5, text=query.case_text, exclude_trace_id=None, min_similarity=-1.0)

    assert {case.episode.trace_id.split("-")[0] for case in found} == {words[1]}


def test_by_its_own_floor_a_memory_keeps_the_cases_that_share_a_rare_word() -> None:
    memory = a_wordy_memory([f"thing{n}" for n in range(30)], 8)
    row = a_row_near(memory.vectors["thing1-0"], 0.7)
    query = a_wordy_case("new", "thing1")

    found = memory.nearest(row, 8, text=query.case_text, exclude_trace_id=None)

    assert {case.episode.trace_id for case in found} == {f"thing1-{n}" for n in range(8)}


def test_an_explicit_least_similarity_is_a_cosine_whatever_the_words() -> None:
    query = a_row()
    rows = {f"t{n}": a_row_near(query, 0.9 - n / 50) for n in range(40)}
    memory = EpisodicMemory().changed(
        put=[an_episode(name, text="the same words") for name in rows], vectors=rows
    )

    found = memory.nearest(
        query, 40, text=CaseText("the same words"), exclude_trace_id=None, min_similarity=0.55
    )

    assert [case.episode.trace_id for case in found] == [f"t{n}" for n in range(18)]
    assert [case.similarity for case in found] == pytest.approx([0.9 - n / 50 for n in range(18)], abs=1e-5)


def test_copies_do_not_make_a_memory_large_enough_for_a_floor_of_its_own() -> None:
    query = a_row()
    rows = {f"t{n}": a_row_near(query, 0.9 - n / 20) for n in range(8)}
    copies = {f"{name}-{n}": row for name, row in rows.items() for n in range(8)}

    found = a_labelled_memory(copies, {}).nearest(query, 5, exclude_trace_id=None)

    assert [case.episode.trace_id.split("-")[0] for case in found] == ["t0", "t1", "t2", "t3", "t4"]


@pytest.mark.parametrize(("size", "least", "most"), [(20, 0.0, 0.5), (100, 0.4, 0.99), (400, 0.9, 1.0)])
def test_the_floor_bites_while_a_memory_is_small(size: int, least: float, most: float) -> None:
    memory = a_memory_of(size)

    shown = sum(len(memory.nearest(a_row(), 5, exclude_trace_id=None)) for _ in range(100)) / 500

    assert least <= shown <= most


@pytest.mark.parametrize("words", ["quite other words", "", "ganz andere Wörter"])
def test_where_stored_cases_share_phrases_a_record_in_other_words_still_has_precedents(words: str) -> None:
    phrases = ("your parcel is on its way", "we are sorry for the delay", "please call us again")
    rows = {f"t{n}": a_row() for n in range(60)}
    cases = [an_episode(name, text=phrases[n % 3]) for n, name in enumerate(rows)]
    memory = EpisodicMemory().changed(put=cases, vectors=rows)

    found = memory.nearest(a_row_near(rows["t7"], 0.95), 5, text=CaseText(words), exclude_trace_id=None)

    assert found[0].episode.trace_id == "t7"
