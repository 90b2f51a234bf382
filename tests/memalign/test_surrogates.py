"""Half surrogate pairs are replaced where they come in, and what is stored already can be written."""

import json
from pathlib import Path

import pytest

from bot.cli.line_file import parse_object
from memalign.atomic_file import replace_file
from memalign.models.answer_reading import find_answer
from memalign.models.json_answers import parse_body
from memalign.models.prompts import judging_schema
from memalign.records import Json
from memalign.surrogates import replace_surrogates
from memalign.value_types import value_type_of

SCHEMA = judging_schema(value_type_of("bool"))


@pytest.mark.parametrize(
    ("value", "replaced"),
    [
        ("cut \ud83d", "cut \ufffd"),
        ("\ude00 cut", "\ufffd cut"),
        ("whole 😀", "whole 😀"),
        ({"a\udfff": ["\ud800", 1, None, {"b": True}]}, {"a\ufffd": ["\ufffd", 1, None, {"b": True}]}),
    ],
)
def test_each_half_becomes_a_replacement_character(value: Json, replaced: Json) -> None:
    assert replace_surrogates(value) == replaced


@pytest.mark.parametrize(
    "text",
    [r'{"rationale": "cut \ud83d", "value": 1}', r'So: ```{"rationale": "cut \ud83d", "value": 1,}``` yes'],
)
def test_an_answer_of_a_model_holds_none(text: str) -> None:
    answer = find_answer(text, SCHEMA)
    assert answer is not None
    assert answer["rationale"] == "cut \ufffd"
    assert parse_body(r'{"content": "\udc00"}') == {"content": "\ufffd"}


def test_a_line_of_a_file_holds_none() -> None:
    assert parse_object(rb'{"rationale": "\ud83d"}') == {"rationale": "\ufffd"}


def test_a_file_can_be_written_whatever_is_stored(tmp_path: Path) -> None:
    replace_file(tmp_path / "file", json.dumps({"text": "\ud83d é"}, ensure_ascii=False))
    assert json.loads((tmp_path / "file").read_text(encoding="utf-8")) == {"text": "\ud83d é"}
