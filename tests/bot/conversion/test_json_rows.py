import gzip
import json
from io import StringIO
from pathlib import Path

import pytest

from bot.conversion.json_rows import json_rows
from memalign.records import Json
from tests.bot.conversion.converted import convert_files, text_file

LINE = {"trace_id": "t", "inputs": "q", "outputs": "a"}


def rows(text: str) -> list[tuple[str, Json]]:
    return [(row.place, row.problem.split(" (")[0] or row.value) for row in json_rows(StringIO(text))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"a": 1}\n\n{"a": 2}\n', [("line 1", {"a": 1}), ("line 3", {"a": 2})]),
        ('\n{"a": 1}\n{"a": }\n{"a": 2}', [("line 2", {"a": 1}), ("line 3", "it is not JSON"), ("line 4", {"a": 2})]),
        ('[{"a": 1}, {"a": [2, 3]}]', [("entry 1", {"a": 1}), ("entry 2", {"a": [2, 3]})]),
        ('{\n "a": 1\n}', [("the file", {"a": 1})]),
        ('{"data": [{"a": 1}], "meta": {}}', [("line 1, entry 1", {"a": 1})]),
        ('{\n"traces": [{"a": 1}, {"a": 2}]}', [("entry 1", {"a": 1}), ("entry 2", {"a": 2})]),
        ('{"a": {"0": 1, "1": 2}, "b": {"0": 3, "1": 4}}', [
            ("line 1, entry 1", {"a": 1, "b": 3}), ("line 1, entry 2", {"a": 2, "b": 4})]),
        ('{"0": {"a": 1, "b": 3}, "1": {"a": 2, "b": 4}}', [
            ("line 1, entry 1", {"a": 1, "b": 3}), ("line 1, entry 2", {"a": 2, "b": 4})]),
        ('{"5": {"a": 1}, "07": {"b": [2]}}', [("line 1, entry 1", {"a": 1}), ("line 1, entry 2", {"b": [2]})]),
        ('{"0": {"a": 1}, "b": {"a": 2}}', [("line 1", {"0": {"a": 1}, "b": {"a": 2}})]),
        ('{"0": {"0": 1}, "1": 2}', [("line 1", {"0": {"0": 1}, "1": 2})]),
        ('{"columns": ["a", "b"], "index": [0], "data": [[1, 2]]}', [("line 1, entry 1", {"a": 1, "b": 2})]),
        ('{"a": NaN}', [("line 1", {"a": None})]),
    ],
)  # fmt: skip
def test_values_are_found_in_each_form(text: str, expected: list[tuple[str, Json]]) -> None:
    assert rows(text) == expected


def test_an_array_longer_than_what_is_read_at_once() -> None:
    documents = [{"number": number, "text": "x" * number} for number in range(50)]

    for text in (json.dumps(documents), json.dumps(documents, indent=1)):
        assert [row.value for row in json_rows(StringIO(text), chunk_characters=7)] == documents


def test_an_array_that_breaks_off_gives_what_came_before() -> None:
    assert rows('[{"a": 1}, {"a": ') == [("entry 1", {"a": 1}), ("entry 2", "it is not JSON")]


def test_trace_lines_pass_through_and_it_is_said(tmp_path: Path) -> None:
    label = {**LINE, "judge": "politeness", "label": False, "annotator": "ana"}
    file = text_file(tmp_path, "".join(json.dumps(each) + "\n" for each in (LINE, label)))

    converted = convert_files(file)

    assert converted.lines == [LINE, label]
    assert converted.sentences[0] == "2 lines passed through: trace lines already."


def test_gzip_is_unpacked(tmp_path: Path) -> None:
    file = text_file(tmp_path, gzip.compress(json.dumps(LINE).encode()))

    assert convert_files(file).lines == [LINE]


def test_a_line_that_no_trace_can_be_is_named(tmp_path: Path) -> None:
    file = text_file(tmp_path, json.dumps({**LINE, "trace_id": "a\nb"}) + "\n7\n" + json.dumps(LINE))

    converted = convert_files(file)

    assert converted.lines == [LINE]
    assert any(each.startswith("line 1: skipped, trace_id: ") for each in converted.sentences)
    assert "line 2: skipped, it is no JSON object" in converted.sentences
