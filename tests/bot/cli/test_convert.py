import json
import sys
from pathlib import Path

import pytest

from bot.__main__ import main
from bot.conversion.export_forms import EXPORT_FORMS
from bot.conversion.sources import TOOLS
from bot.trace_json.trace_body import read_body
from memalign import load_judge
from memalign.records import Json, Trace
from tests.bot.cli.test_align_and_judge import LOCAL

TABLE = """id,question,answer,rating,comment,reviewer
1,Where is the form?,Find it yourself.,Incorrect,An answer should never send people away.,ana
1,Where is the form?,Find it yourself.,👎,,ben
2,Where is the desk?,I am happy to show you where it is.,1,,ana
3,When do you open?,"At nine, and we look forward to your visit.",,,
"""


pytestmark = pytest.mark.usefixtures("folder")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with a judge on local models and a table."""
    monkeypatch.chdir(tmp_path)
    Path("judge.toml").write_text(LOCAL, encoding="utf-8")
    Path("export.csv").write_text(TABLE, encoding="utf-8")
    return tmp_path


def lines(text: str) -> list[dict[str, Json]]:
    return [json.loads(line) for line in text.splitlines()]


def sentence(*arguments: str) -> str:
    """Call a command that cannot be carried out, and return what it says."""
    with pytest.raises(SystemExit) as failure:
        main(["convert", *arguments])
    return str(failure.value.code)


def test_lines_go_to_standard_output_and_what_was_read_to_standard_error(
    capsys: pytest.CaptureFixture[str],
) -> None:
    main(["convert", "export.csv", "--judge", "politeness"])

    output = capsys.readouterr()
    assert [line["trace_id"] for line in lines(output.out)] == ["1", "1", "2", "3"]
    assert output.err.splitlines() == [
        "4 traces read from a table.",
        "3 labels by 2 people: politeness 3.",
        (
            "Columns: id → trace_id, question → inputs, answer → outputs, rating → label, comment → rationale, "
            "reviewer → annotator; others → metadata."
        ),
        "4 lines written to standard output.",
    ]


def test_align_judge_and_post_traces_take_the_lines_without_change(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["convert", "export.csv", "--judge", "politeness", "--out", "traces.jsonl"])
    main(["align", "traces.jsonl", "--judge", "judge.toml", "--out", "aligned.json"])
    capsys.readouterr()
    main(["judge", "traces.jsonl", "--aligned", "aligned.json"])

    aligned = load_judge(folder / "aligned.json")
    assert {trace_id: episode.label for trace_id, episode in aligned.episodes.items()} == {
        "1": False,
        "2": True,
    }
    assert [rule.text for rule in aligned.guidelines] == ["An answer should never send people away."]
    output = capsys.readouterr()
    assert [line["trace_id"] for line in lines(output.out)] == ["1", "2", "3"]
    assert "skipped" not in output.err
    posted = read_body(Path("traces.jsonl").read_bytes(), ndjson=True)
    assert [trace.trace_id for trace in posted if isinstance(trace, Trace)] == ["1", "1", "2", "3"]


def test_labels_of_their_own_name_are_for_that_judge_alone() -> None:
    Path("export.csv").write_text(
        "id,question,answer,metric,rating\n1,a,b,politeness,1\n1,a,b,tone,0\n", encoding="utf-8"
    )
    main(["convert", "export.csv", "--out", "traces.jsonl"])

    labels = [
        (line["judge"], line["label"]) for line in lines(Path("traces.jsonl").read_text(encoding="utf-8"))
    ]
    assert labels == [("politeness", 1), ("tone", 0)]


def test_nothing_is_replaced_where_nothing_was_found(folder: Path) -> None:
    Path("traces.jsonl").write_text("before\n", encoding="utf-8")
    Path("export.csv").write_text("a,b\n1,2\n", encoding="utf-8")

    assert sentence("export.csv", "--out", "traces.jsonl").startswith("memalign: No trace was found")
    assert Path("traces.jsonl").read_text(encoding="utf-8") == "before\n"
    assert sorted(each.name for each in folder.iterdir()) == ["export.csv", "judge.toml", "traces.jsonl"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["missing.csv"], "missing.csv cannot be read (No such file or directory)"),
        (["empty.csv"], "empty.csv is empty; give a file with traces."),
        (["book.xlsx"], "save it as CSV"),
        (["export.csv", "--out", "no/such/folder.jsonl"], "choose another --out"),
        (["export.csv", "--columns", "inputs"], "--columns takes FIELD=COLUMN"),
        (["export.csv", "--columns", "question=A"], "the fields are: trace_id, inputs, outputs"),
    ],
)
def test_what_cannot_be_done_is_told_in_a_sentence(arguments: list[str], words: str) -> None:
    Path("empty.csv").write_text(" \n", encoding="utf-8")
    Path("book.xlsx").write_bytes(b"PK\x03\x04rest")

    assert words in sentence(*arguments)


def test_parquet_without_pyarrow_is_told_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    Path("export.parquet").write_bytes(b"PAR1....PAR1")

    assert "pip install 'memalign[parquet]'" in sentence("export.parquet")


def test_columns_are_named_with_commas_in_quotes(capsys: pytest.CaptureFixture[str]) -> None:
    Path("export.csv").write_text('id,"What, then?",B\n1,q,a\n', encoding="utf-8")

    main(["convert", "export.csv", "--columns", 'outputs=B,"inputs=What, then?"'])

    assert [(line["inputs"], line["outputs"]) for line in lines(capsys.readouterr().out)] == [("q", "a")]


def test_every_tool_that_can_be_named_has_a_reader() -> None:
    assert {form.name for form in EXPORT_FORMS} == {*TOOLS, "memalign"}
