import pytest

from memalign.errors import InputError
from memalign.records import Assessment, Label
from memalign.value_types import FeedbackValueType, value_type_of
from memalign.votes import Tally, judge_assessment, tally
from tests.factories import a_vote


def count(*assessments: Assessment, value_type: FeedbackValueType = bool) -> Tally | None:
    return tally(assessments, "politeness", value_type_of(value_type))


def label_of(*assessments: Assessment, value_type: FeedbackValueType = bool) -> Label | None:
    counted = count(*assessments, value_type=value_type)
    return None if counted is None else counted.label


def test_the_majority_decides_and_the_minority_is_kept() -> None:
    counted = count(a_vote(True, person="a"), a_vote(False, "no", person="b"), a_vote(True, person="c"))

    assert counted is not None
    assert counted.label is True
    assert [opinion.person for opinion in counted.opinions] == ["a", "c"]
    assert [(opinion.person, opinion.rationale) for opinion in counted.minority] == [("b", "no")]


@pytest.mark.parametrize(
    ("votes", "label"),
    [
        ([("x", 1), ("y", 2)], "y"),
        ([("y", 2), ("x", 1)], "y"),
        ([("x", 1), ("x", 4), ("y", 2), ("y", 3)], "x"),
        ([("x", 3), ("y", 1), ("z", 2)], "x"),
        ([("x", None), ("y", 1)], "y"),
        ([("x", 9), ("y", 1), ("y", 2), ("y", 3)], "y"),
    ],
)
def test_a_tie_goes_to_the_newest(votes: list[tuple[str, int | None]], label: str) -> None:
    assessments = [a_vote(value, person=f"p{n}", ms=ms) for n, (value, ms) in enumerate(votes)]

    assert label_of(*assessments, value_type=["x", "y", "z"]) == label


def test_without_times_the_last_given_is_the_newest() -> None:
    assert label_of(a_vote(True, person="a"), a_vote(False, person="b")) is False


def test_one_person_has_one_vote_and_the_newest_counts() -> None:
    votes = [a_vote(False, person="a", ms=1), a_vote(False, person="a", ms=2), a_vote(True, person="a", ms=3)]

    counted = count(*votes, a_vote(True, person="b", ms=0))

    assert counted is not None
    assert counted.label is True
    assert counted.minority == ()


def test_an_edit_makes_a_vote_new() -> None:
    early = Assessment(name="politeness", value=True, source_id="a", create_time_ms=1, last_update_time_ms=9)

    assert label_of(early, a_vote(False, person="b", ms=5)) is True


def test_withdrawn_votes_do_not_count() -> None:
    assert label_of(a_vote(False, person="a", valid=False), a_vote(True, person="b")) is True
    # ana: yes, withdrawn for no; ben: yes. One against one, and ben is older
    votes = [a_vote(True, person="ana", ms=1, valid=False), a_vote(True, person="ben", ms=2)]
    assert label_of(*votes, a_vote(False, person="ana", ms=3)) is False


@pytest.mark.parametrize("source_type", ["LLM_JUDGE", "CODE", ""])
def test_only_people_vote(source_type: str) -> None:
    assert count(a_vote(True, source_type=source_type, ms=9)) is None
    assert label_of(a_vote(True, source_type=source_type, ms=9), a_vote(False, person="b", ms=1)) is False


def test_names_match_whatever_their_case_and_blanks() -> None:
    assert label_of(a_vote(False, name="  PoliteNess ")) is False
    assert count(a_vote(False, name="tone")) is None


def test_nobody_voted_when_no_value_is_given() -> None:
    assert count() is None
    assert count(a_vote(None)) is None


def test_labels_keep_the_types_spelling() -> None:
    assert label_of(a_vote("GREAT"), value_type=["Great", "Poor"]) == "Great"


def test_an_unreadable_vote_is_left_out_and_alone_it_is_refused() -> None:
    assert label_of(a_vote("meh", person="a"), a_vote(True, person="b")) is True
    with pytest.raises(InputError, match="“meh”"):
        count(a_vote("meh"))


def test_an_unreadable_newest_vote_does_not_revive_an_older_one() -> None:
    assert (
        label_of(a_vote(True, person="a", ms=1), a_vote("meh", person="a", ms=2), a_vote(False, person="b"))
        is False
    )


@pytest.mark.parametrize(
    ("assessments", "value"),
    [
        ([a_vote(True, source_type="LLM_JUDGE")], True),
        ([a_vote(True, source_type=" llm_judge ", name=" Politeness")], True),
        ([a_vote(True, source_type="LLM_JUDGE", ms=2), a_vote(False, source_type="LLM_JUDGE", ms=1)], True),
        ([a_vote(True, source_type="LLM_JUDGE", valid=False)], None),
        ([a_vote(None, source_type="LLM_JUDGE")], None),
        ([a_vote(True, source_type="LLM_JUDGE", name="tone")], None),
        ([a_vote(True, source_type="CODE"), a_vote(True)], None),
        ([], None),
    ],
)
def test_the_verdict_that_labels_answer_is_the_judges_own_newest_one(
    assessments: list[Assessment], value: Label | None
) -> None:
    verdict = judge_assessment(assessments, "politeness")
    assert (None if verdict is None else verdict.value) == value


@pytest.mark.parametrize(
    ("labels", "verdicts", "answered"),
    [
        # judged again after the labels, by what was learned from them
        ([2], [1, 3], 1),
        ([2, 5], [1, 4, 6, 9], 4),
        ([2], [2, 1, 3], 2),
        # nothing tells which of them people saw
        ([None], [1, 3], 3),
        ([2], [3, 4], 4),
        ([], [1, 3], 3),
    ],
)
def test_of_several_verdicts_labels_answer_the_newest_that_was_there(
    labels: list[int | None], verdicts: list[int], answered: int
) -> None:
    given = [a_vote(False, person=f"p{place}", ms=ms) for place, ms in enumerate(labels)]
    said = [a_vote(True, "because", "memalign", ms=ms, source_type="LLM_JUDGE") for ms in verdicts]

    verdict = judge_assessment([*given, *said], "politeness")

    assert verdict is not None
    assert verdict.create_time_ms == answered
