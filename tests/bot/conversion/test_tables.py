import json
from pathlib import Path

import pytest

from bot.conversion.table_rows import delimiter_of
from tests.bot.conversion.converted import convert_files, text_file

HEADER = "id,question,answer,rating,comment,reviewer\n"


def test_columns_are_known_by_their_usual_names_and_the_rest_is_metadata(tmp_path: Path) -> None:
    file = text_file(
        tmp_path,
        "ID,User Query,Model Answer,Human_Label,Reason,Annotated By,Topic\n7,Hi?,No.,false,curt,ana,x\n",
    )

    converted = convert_files(file, judge="politeness")

    assert converted.content == [("7", "Hi?", "No.")]
    assert converted.labels == [("7", "politeness", False, "curt", "ana")]
    assert converted.parts("metadata", "source") == [({"Topic": "x"}, "csv")]
    assert converted.sentences[2].startswith(
        "Columns: ID → trace_id, User Query → inputs, Model Answer → outputs"
    )


@pytest.mark.parametrize(
    ("columns", "inputs", "outputs"),
    [
        ("prompt,completion", "a", "b"),
        ("Input,Output", "a", "b"),
        ("user,assistant", "a", "b"),
        ("Frage,Antwort", "a", "b"),
        ("response,query", "b", "a"),
        ("instruction,generation", "a", "b"),
    ],
)
def test_names_of_question_and_answer(tmp_path: Path, columns: str, inputs: str, outputs: str) -> None:
    converted = convert_files(text_file(tmp_path, f"{columns}\na,b\n"))

    assert converted.parts("inputs", "outputs") == [(inputs, outputs)]


@pytest.mark.parametrize(
    ("content", "answer"),
    [
        (HEADER + '1,Hi,"a ""quoted"", long\r\nanswer",1,,\n', 'a "quoted", long\r\nanswer'),
        ("\ufeff" + HEADER.replace(",", ";") + "1;Hi;one, two;1;;\n", "one, two"),
        (HEADER.replace(",", "\t") + "1\tHi\tone; two, three\t1\t\t\n", "one; two, three"),
        ("sep=;\r\n" + HEADER.replace(",", ";") + "1;Hi;a, b, c;1;;\r\n", "a, b, c"),
        (HEADER.replace(",", "|") + "1|Hi|x|1||\n", "x"),
        ("\r\n\r\n" + HEADER + "1,Hi,after blank lines,1,,\n", "after blank lines"),
    ],
)
def test_quotes_delimiters_and_marks(tmp_path: Path, content: str, answer: str) -> None:
    assert convert_files(text_file(tmp_path, content)).content == [("1", "Hi", answer)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
def test_encodings(tmp_path: Path, encoding: str) -> None:
    file = text_file(tmp_path, "id,question,answer\n1,Grüße?,Schöne Grüße\n".encode(encoding))

    assert convert_files(file).content == [("1", "Grüße?", "Schöne Grüße")]


def test_the_delimiter_that_makes_most_columns_wins() -> None:
    assert delimiter_of("question; the first one, I mean;answer;rating") == ";"


def test_a_bad_row_is_named_by_its_number_and_stops_nothing(tmp_path: Path) -> None:
    file = text_file(tmp_path, HEADER + "1,a,b,1,,\n2,a,b,1,x,y,z\n\n3,a,b,0,,\n")

    converted = convert_files(file)

    assert [line["trace_id"] for line in converted.lines] == ["1", "3"]
    assert "row 3: skipped, it has 7 cells, but the first row names 6 columns" in converted.sentences


def test_columns_can_be_named(tmp_path: Path) -> None:
    file = text_file(tmp_path, "id,A,B,C,rating\n1,q,a,4,9\n")

    converted = convert_files(file, columns={"inputs": "A", "outputs": "b", "label": "C"})

    assert converted.parts("inputs", "outputs", "label", "metadata") == [("q", "a", 4, {"rating": "9"})]


def test_unknown_columns_are_told_with_the_remedy(tmp_path: Path) -> None:
    converted = convert_files(text_file(tmp_path, "a,b\n1,2\n"))

    assert not converted.lines
    assert "the columns are: a, b" in converted.sentences[-1]
    assert "--columns inputs=QUESTION,outputs=ANSWER" in converted.sentences[-1]


def test_rows_without_an_id_get_one_that_is_the_same_for_the_same_content(tmp_path: Path) -> None:
    file = text_file(tmp_path, "question,answer,rating,user\na,b,1,ana\na,b,0,ben\na,c,1,ana\n")

    converted = convert_files(file)

    ids = [line["trace_id"] for line in converted.lines]
    assert ids[0] == ids[1] != ids[2]
    assert "3 rows had no id; each got one made from its question and answer." in converted.sentences


@pytest.mark.parametrize(
    ("time", "told"),
    [("20.11.2026", True), ("yesterday", True), ("11/20/26", True), ("2026-11-20", False), ('""', False)],
)
def test_a_time_that_cannot_be_read_is_told(tmp_path: Path, time: str, told: bool) -> None:
    file = text_file(tmp_path, f"question,answer,date\na,b,{time}\n")

    converted = convert_files(file)

    sentence = "1 row had a time that cannot be read; write it as 2026-11-20 or 2026-11-20T09:00:00Z."
    assert (sentence in converted.sentences) == told
    assert len(converted.lines) == 1


@pytest.mark.parametrize(
    ("cell", "label"),
    [
        ("👍", True),
        ("👎🏽", False),
        ("thumbs_up", True),
        ("thumbs-down", False),
        ("TRUE", True),
        ("4", 4),
        ("0.5", 0.5),
        ("Correct", "Correct"),
        ("4/5", "4/5"),
        ("007", "007"),
        ("none", "none"),
    ],
)
def test_labels(tmp_path: Path, cell: str, label: object) -> None:
    converted = convert_files(text_file(tmp_path, f"question,answer,label\na,b,{cell}\n"))

    assert [(type(line["label"]), line["label"]) for line in converted.lines] == [(type(label), label)]


@pytest.mark.parametrize(
    "cell",
    ["2026-11-20T09:00:00Z", "2026-11-20 09:00:00", "2026-11-20 09:00:00 UTC", "1795165200", "1795165200000"],
)
def test_times(tmp_path: Path, cell: str) -> None:
    converted = convert_files(text_file(tmp_path, f"question,answer,timestamp\na,b,{cell}\n"))

    assert converted.parts("timestamp") == [("2026-11-20T09:00:00.000+00:00",)]


def test_cells_with_objects_are_read_and_prose_in_brackets_is_not(tmp_path: Path) -> None:
    file = text_file(
        tmp_path,
        "question,answer\n\"{\"\"q\"\": 1}\",\"[{'role': 'assistant', 'content': 'a'}]\"\n[1] see below,{x\n",
    )

    assert convert_files(file).parts("inputs", "outputs") == [
        ({"q": 1}, [{"role": "assistant", "content": "a"}]),
        ("[1] see below", "{x"),
    ]


def test_objects_of_json_are_rows_too(tmp_path: Path) -> None:
    file = text_file(
        tmp_path, '[{"question": "a", "answer": "b", "rating": 3},\n {"question": "c", "answer": "d"}]'
    )

    assert convert_files(file).parts("inputs", "outputs", "label") == [("a", "b", 3), ("c", "d", None)]


def test_parquet(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    rows = [
        {"id": 1, "input": {"q": "a"}, "output": "b", "score": 0.5},
        {"id": 2, "input": {"q": "c"}, "output": "d"},
    ]
    parquet.write_table(pyarrow.Table.from_pylist(rows), tmp_path / "export.parquet")

    converted = convert_files(tmp_path / "export.parquet")

    assert converted.content == [("1", {"q": "a"}, "b"), ("2", {"q": "c"}, "d")]
    assert converted.parts("label", "source") == [(0.5, "parquet"), (None, "parquet")]


def test_a_comment_without_a_label_is_kept(tmp_path: Path) -> None:
    converted = convert_files(text_file(tmp_path, "question,answer,rating,notes\na,b,,Ask the desk.\n"))

    assert converted.parts("label", "metadata") == [(None, {"comment": "Ask the desk."})]


@pytest.mark.parametrize("cell", ["NaN", "null", "N/A", ""])
def test_cells_that_stand_for_nothing_are_no_labels(tmp_path: Path, cell: str) -> None:
    converted = convert_files(text_file(tmp_path, f"question,answer,label\na,b,{cell}\n"))

    assert converted.parts("label") == [(None,)]


def test_chats_are_split_before_the_last_answer(tmp_path: Path) -> None:
    messages = [{"role": "user", "content": "Refund?"}, {"role": "assistant", "content": "No."}]
    unanswered = json.dumps({"messages": messages[:1]})
    file = text_file(tmp_path, json.dumps({"messages": messages, "rating": 0}) + "\n" + unanswered)

    converted = convert_files(file)

    assert converted.parts("inputs", "outputs", "conversation", "label") == [
        (messages[:1], "No.", messages, 0)
    ]
    assert "line 2: skipped, its messages do not end with one of the assistant's" in converted.sentences
