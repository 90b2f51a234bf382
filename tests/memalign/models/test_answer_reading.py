"""Finding an answer in what a model wrote."""

import pytest

from memalign.models.answer_reading import find_answer
from memalign.models.prompts import judging_schema
from memalign.records import Json
from memalign.value_types import value_type_of

SCHEMA = judging_schema(value_type_of("bool"))
ANSWER = '{"rationale": "so", "value": true}'


@pytest.mark.parametrize(
    "text",
    [
        ANSWER,
        f"```json\n{ANSWER}\n```",
        f"```\n{ANSWER}```",
        f"First ```x``` and then ```json {ANSWER}``` or so ```",
        f"Sure! {{name}} {{{{x}}}} {{ }} My verdict is {ANSWER}, I think.",
        f'{{"answer": {ANSWER}}}',
        f'{{"broken": {ANSWER}',
        '{\n\n  "rationale": "so",\n "value": true} {"rationale": 1}',
        "{" * 10_000 + ANSWER,
        "}" * 200_000 + ANSWER,
    ],
)
def test_an_answer_is_found_wherever_it_stands(text: str) -> None:
    assert find_answer(text, SCHEMA) == {"rationale": "so", "value": True}


CITING: list[tuple[str, dict[str, Json]]] = [
    (
        '{"rationale": "so", "guidelines": [2], "cases": [1, 3], "value": true}',
        {"guidelines": [2], "cases": [1, 3]},
    ),
    ('{"value": true, "rationale": "so", "Guidelines": "G2"}', {"guidelines": "G2"}),
    ('{"answer": {"rationale": "so", "cases": null, "value": true}}', {"cases": None}),
    (
        "{'rationale': 'so', 'guidelines': [2, 3,], 'cases': [], 'value': True}",
        {"guidelines": [2, 3], "cases": []},
    ),
    ('{"rationale": "so", "guidelines": [1], "value": true, "cases": [2', {"guidelines": [1], "cases": [2]}),
    ("Rationale: so\nGuidelines: 2, 3\nCases: none\nValue: true", {"guidelines": " 2, 3", "cases": " none"}),
    ("**Rationale:** so\n**Value:** true\n**Guidelines:** 2", {"guidelines": " 2"}),
]


@pytest.mark.parametrize(("text", "lists"), CITING)
def test_the_lists_of_what_led_it_come_with_a_verdict_and_never_cost_it(
    text: str, lists: dict[str, Json]
) -> None:
    answer = find_answer(text, SCHEMA)

    assert answer is not None
    assert value_type_of("bool").parse(answer.pop("value")) is True
    assert answer == {"rationale": "so", **lists}


def _work(text: str) -> Json:
    return find_answer(text, SCHEMA)


@pytest.mark.parametrize("unit", ["{", '{"', '{"a":', '{"a": 1}', '{"a": "', "```", "```a", "[{", '{ "'])
def test_texts_of_one_repeated_form_hold_no_answer_and_take_no_quadratic_time(unit: str) -> None:
    assert _work(unit * 100_000) is None
