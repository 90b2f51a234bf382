"""Labels that a judge's value type no longer has stop the start, with one sentence on the remedy."""

import re

import pytest

from bot.config import JudgeSettings
from bot.judging.value_problems import StoredLabel, value_problem
from memalign.records import Label
from memalign.value_types import ValueType, value_type_of

RENAME = "`memalign rename-judge tone tone-old`"


def a_judge(value_type: object, **more: object) -> JudgeSettings:
    table = {"name": "tone", "instructions": "{{ inputs }}", "feedback_value_type": value_type, **more}
    return JudgeSettings.model_validate({key: value for key, value in table.items() if value is not None})


def labels(*values: Label) -> list[StoredLabel]:
    return [StoredLabel(trace_id=f"tr-{number}", value=value) for number, value in enumerate(values)]


@pytest.mark.parametrize(
    ("value_type", "value_range", "values"),
    [
        ("bool", None, (True, False)),
        ("int", None, (1, 7, -3)),
        ("int", [1, 9], (1, 9)),
        ("int", None, (3.0,)),
        ("float", None, (1, 2.5)),
        ("float", [0, 1], (0, 1, 0.5)),
        ("str", None, ("curt", "Good")),
        (["curt", "kind", "warm"], None, ("curt", "kind")),
        ("int", None, ()),
    ],
)
def test_labels_that_fit_let_the_bot_start(
    value_type: object, value_range: object, values: tuple[Label, ...]
) -> None:
    assert value_problem(a_judge(value_type, range=value_range), labels(*values)) is None


@pytest.mark.parametrize(
    ("value_type", "value_range", "values", "sentence"),
    [
        (
            "int",
            None,
            (True, False),
            (
                'The judge tone has 2 cases with values such as pass, and takes "int" now: put "bool" back, '
                f"or run {RENAME}."
            ),
        ),
        (
            "bool",
            None,
            (1,),
            f'The judge tone has 1 case with 1, and takes "bool" now: put the earlier type back, or run {RENAME}.',
        ),
        (
            ["kind", "warm"],
            None,
            ("kind", "curt"),
            (
                'The judge tone has 1 case with "curt", now no category: put it back, '
                f"or run `memalign forget tr-1` or {RENAME}."
            ),
        ),
        (
            ["Kind", "warm"],
            None,
            ("kind",) * 4,
            (
                'The judge tone has 4 cases with "kind", now no category: put it back, '
                f"or run `memalign forget TRACE…` or {RENAME}."
            ),
        ),
        (
            "int",
            [1, 5],
            (3, 7, 0),
            (
                "The judge tone has 2 cases with values such as 7, now out of range: put it back, "
                f"or run `memalign forget tr-1 tr-2` or {RENAME}."
            ),
        ),
        (
            "int",
            None,
            (2.5,),
            f'The judge tone has 1 case with 2.5, and takes "int" now: put the earlier type back, or run {RENAME}.',
        ),
        (
            ["1", "2"],
            None,
            (1,),
            (
                "The judge tone has 1 case with 1, and takes categories now: "
                f"put the earlier type back, or run {RENAME}."
            ),
        ),
        (
            "str",
            None,
            (False,),
            f'The judge tone has 1 case with fail, and takes "str" now: put "bool" back, or run {RENAME}.',
        ),
    ],
)
def test_labels_that_do_not_fit_are_told_with_the_remedy(
    value_type: object, value_range: object, values: tuple[Label, ...], sentence: str
) -> None:
    problem = value_problem(a_judge(value_type, range=value_range), labels(*values))
    assert problem == sentence
    assert len(re.sub("`.*?`", "command", problem).split()) <= 25


@pytest.mark.parametrize(
    ("value_type", "accepted", "refused"),
    [
        (value_type_of("bool"), [True, False], [1, 0, "true", 1.0]),
        (value_type_of("int", (1, 5)), [1, 5, 3.0], [True, 6, 0, 2.5, "3"]),
        (value_type_of("float"), [1, 2.5, -3], [True, "1"]),
        (value_type_of([1, 2]), [1, 2], [True, 1.0, "1", 3]),
        (value_type_of(["a", "b"]), ["a"], ["A", "c", True]),
        (value_type_of("str"), ["a", "5"], [5, True]),
    ],
)
def test_a_value_type_knows_labels_in_its_own_spelling(
    value_type: ValueType, accepted: list[Label], refused: list[Label]
) -> None:
    assert [value_type.accepts(label) for label in accepted] == [True] * len(accepted)
    assert [value_type.accepts(label) for label in refused] == [False] * len(refused)
