from typing import Literal

import pytest

from memalign.errors import InputError, SettingsError
from memalign.records import Json, Label
from memalign.value_types import value_type_of


@pytest.mark.parametrize(
    ("form", "written", "label"),
    [
        ("bool", "yes", True),
        (bool, "No.", False),
        (bool, True, True),
        (bool, 0, False),
        ("int", "4", 4),
        (int, 4.0, 4),
        (int, " −3 ", -3),
        ("float", "0.5", 0.5),
        (float, 4, 4.0),
        (str, "  Fine  ", "Fine"),
        (["Great", "Poor"], "great", "Great"),
        (Literal["Good", "Bad"], " BAD ", "Bad"),
        (["1: poor", "2: fine"], "2: fine", "2: fine"),
        ([1, 2, 3], "2", 2),
        ('["Good", "Bad"]', '"good"', "Good"),
    ],
)
def test_reads_what_was_written_into_the_types_own_spelling(
    form: object, written: Json, label: Label
) -> None:
    read = value_type_of(form).parse(written)

    assert read == label
    assert type(read) is type(label)


@pytest.mark.parametrize(
    ("form", "written"),
    [
        ("bool", "maybe"),
        ("bool", None),
        ("int", "4.5"),
        ("int", True),
        ("int", "four"),
        ("float", "nan"),
        ("float", float("inf")),
        ("float", "1e999"),
        ("str", "   "),
        ("str", None),
        (["a", "b"], "c"),
    ],
)
def test_refuses_what_is_no_value_of_the_type(form: object, written: Json) -> None:
    with pytest.raises(InputError, match="expects"):
        value_type_of(form).parse(written)


def test_the_refusal_names_the_categories() -> None:
    with pytest.raises(InputError, match=r"“meh” .* one of good, bad"):
        value_type_of(["good", "bad"]).parse("meh")


@pytest.mark.parametrize("form", ["integer", "", dict, 7, [], ["one"], ["a", "A"], ["a", ""], "[1"])
def test_refuses_a_type_that_does_not_exist(form: object) -> None:
    with pytest.raises(SettingsError, match=r"feedback_value_type|categories"):
        value_type_of(form)


def test_only_a_bools_opposite_is_known() -> None:
    assert value_type_of("bool").opposite(True) is False
    assert value_type_of("bool").opposite(False) is True
    assert value_type_of(["a", "b"]).opposite("a") is None
    assert value_type_of("int").opposite(3) is None


@pytest.mark.parametrize("form", ["bool", "int", "float", "str", ["Great", "poor"], [1, 2]])
def test_a_type_survives_its_word(form: object) -> None:
    assert value_type_of(value_type_of(form).setting) == value_type_of(form)


def test_schemas_say_what_is_allowed() -> None:
    assert value_type_of(bool).schema() == {"type": "boolean"}
    assert value_type_of(["a", "b"]).schema() == {"type": "string", "enum": ["a", "b"]}
    assert value_type_of([1, 2]).schema() == {"enum": [1, 2]}
