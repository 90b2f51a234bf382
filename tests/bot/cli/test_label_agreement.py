"""`memalign judge --labels`: verdicts beside people's labels, as a build that checks a judge needs it."""

import json
from pathlib import Path

import pytest

from bot.__main__ import main
from bot.cli.label_agreement import LabelAgreement, compare
from bot.cli.label_file import read_labels
from bot.cli.line_file import open_lines
from memalign import make_judge
from memalign.errors import InputError
from memalign.records import Json
from memalign.value_types import FeedbackValueType
from tests.model_server import running_model_server

JUDGE = """
[memory]
reflection_lm = "local:/extract"
embedding_model = "local:/wordllama"
[[judges]]
name = "politeness"
model = "local:/cases"
instructions = "Is the answer polite? {{ inputs }} {{ outputs }}"
"""


def line(number: int, **more: Json) -> dict[str, Json]:
    return {
        "trace_id": f"tr-{number}",
        "judge": "politeness",
        "inputs": f"Where is form {number}?",
        "outputs": "Find it yourself." if number % 2 else "I am happy to show you where it is.",
        **more,
    }


def label(number: int, value: Json, annotator: str | None = "ana", **more: Json) -> dict[str, Json]:
    return {"trace_id": f"tr-{number}", "label": value, "annotator": annotator, **more}


def write(name: str, *lines: dict[str, Json]) -> None:
    Path(name).write_text("".join(f"{json.dumps(each)}\n" for each in lines), encoding="utf-8")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Path:
    """The working folder, with a judge that passes even numbers alone, and 20 traces."""
    monkeypatch.chdir(tmp_path)
    Path("judge.toml").write_text(JUDGE, encoding="utf-8")
    write("feedback.jsonl", *(line(number, label=number % 2 == 0) for number in range(100, 112)))
    main(["align", "feedback.jsonl", "--judge", "judge.toml", "--out", "aligned.json"])
    write("traces.jsonl", *(line(number) for number in range(20)))
    capsys.readouterr()
    return tmp_path


def judge(*more: str) -> None:
    main(["judge", "traces.jsonl", "--aligned", "aligned.json", "--out", "v.jsonl", *more])


def refusal(*more: str) -> str:
    with pytest.raises(SystemExit) as failure:
        judge(*more)
    return str(failure.value.code)


LABELS = "--labels", "labels.jsonl"


@pytest.mark.usefixtures("folder")
def test_the_last_line_tells_verdicts_by_value_and_the_agreement_with_its_interval(
    capsys: pytest.CaptureFixture[str],
) -> None:
    write("labels.jsonl", *(label(number, number % 2 == 0 or number < 4) for number in range(20)))
    judge(*LABELS, "--min-agreement", "0.9")
    assert capsys.readouterr().err.splitlines()[-1] == (
        "20 verdicts in v.jsonl: 10 pass, 10 fail; agrees with 18 of 20 labels (90%, likely between 70% and 97%)"
    )
    judge("--resume", *LABELS)
    said = capsys.readouterr().err
    assert "20 traces were judged before" in said
    assert said.splitlines()[-1].endswith("agrees with 18 of 20 labels (90%, likely between 70% and 97%)")
    assert refusal("--resume", *LABELS, "--min-agreement", "0.91") == (
        "memalign: The verdicts agree with 18 of 20 labels; --min-agreement 0.91 asks for at least 19."
    )


@pytest.mark.usefixtures("folder")
def test_a_trace_counts_once_by_the_label_of_most_people(capsys: pytest.CaptureFixture[str]) -> None:
    write(
        "labels.jsonl",
        # two of three say pass
        *(label(0, value, person) for person, value in (("ana", "pass"), ("ben", "FAIL"), ("eva", "yes"))),
        # unnamed people are people of their own
        *(label(2, value, None) for value in (False, True, True)),
        # the newest of one person counts, in whatever order
        label(4, True, timestamp="2026-11-20T10:00:00Z"),
        label(4, False, timestamp="2026-11-19T10:00:00Z"),
        label(6, False),
        label(6, True),
        label(8, False),
        label(8, True, "ben"),
        {**label(10, None), "type": "feedback", "vote": "down"},
        label(77, True),
        label(12, True, judge="tone"),
        label(14, "perhaps"),
    )
    judge(*LABELS)
    said = capsys.readouterr().err.splitlines()
    assert said[-1].endswith("; agrees with 4 of 4 labels")
    assert "1 labelled trace left out: people tie." in said
    assert "1 trace left out: nobody named the right value." in said
    assert "1 labelled trace left out: not among the traces to be judged." in said
    assert "Skipped 1 line of labels.jsonl for other judges." in said
    assert any(each.startswith("line 16 of labels.jsonl was skipped: “perhaps”") for each in said)


UNMATCHED = (
    "No trace in traces.jsonl has a label in labels.jsonl, so the agreement is not known; "
    "compare the trace_id of both."
)
NOT_KNOWN = [
    (
        [label(77, True), label(78, False)],
        UNMATCHED,
    ),
    ([], "labels.jsonl has no label for politeness, so the agreement is not known."),
    (
        [label(1, True, judge="tone")],
        "labels.jsonl has no label for politeness, so the agreement is not known.",
    ),
    (
        [label(1, True), label(1, False, "ben"), label(77, True)],
        "People tie on each labelled trace in traces.jsonl, so the agreement is not known.",
    ),
]


@pytest.mark.parametrize(("labels", "sentence"), NOT_KNOWN)
def test_an_agreement_that_cannot_be_known_is_refused_before_anything_is_judged(
    folder: Path, capsys: pytest.CaptureFixture[str], labels: list[dict[str, Json]], sentence: str
) -> None:
    write("labels.jsonl", *labels)
    assert refusal(*LABELS, "--min-agreement", "0.8") == f"memalign: {sentence}"
    assert not (folder / "v.jsonl").exists()
    judge(*LABELS)
    said = capsys.readouterr().err.splitlines()
    assert sentence in said
    assert said[-1] == "20 verdicts in v.jsonl: 10 pass, 10 fail"


@pytest.mark.usefixtures("folder")
def test_labels_may_stand_in_the_file_of_traces(capsys: pytest.CaptureFixture[str]) -> None:
    assert refusal("--min-agreement", "0.8") == (
        "memalign: None of the traces in traces.jsonl has a label for politeness, so their agreement is not known; "
        "name labels with --labels."
    )
    write("traces.jsonl", *(line(number, label=number == 0) for number in range(3)), line(3, label="perhaps"))
    for more in ([], ["--labels", "traces.jsonl"]):
        capsys.readouterr()
        judge(*more, "--min-agreement", "0.5")
        said = capsys.readouterr().err
        assert said.splitlines()[-1].endswith("; agrees with 2 of 3 labels")
        assert said.count("“perhaps”") == 1


@pytest.mark.usefixtures("folder")
def test_an_export_of_the_bot_serves_as_labels(capsys: pytest.CaptureFixture[str]) -> None:
    write(
        "labels.jsonl",
        {"type": "trace", "trace_id": "tr-0", "inputs": "q", "outputs": "a"},
        {"type": "verdict", "trace_id": "tr-0", "judge": "politeness", "value": False},
        {**label(0, True), "type": "feedback", "judge": "Politeness", "vote": "down", "source": "slack"},
        {"type": "guideline", "judge": "politeness", "text": "Be kind."},
        {"type": "episode", "judge": "politeness", "trace_id": "tr-0", "label": False},
    )
    judge(*LABELS)
    said = capsys.readouterr().err
    assert said.splitlines()[-1].endswith("; agrees with 1 of 1 label")
    assert "skipped" not in said.casefold()


def test_free_texts_are_refused_before_a_model_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with running_model_server() as server:
        monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
        monkeypatch.setenv("OPENAI_BASE_URL", f"{server.url}/v1")
        texts = JUDGE.replace("local:/cases", "openai:/some") + 'feedback_value_type = "str"\n'
        Path("judge.toml").write_text(texts, encoding="utf-8")
        write("feedback.jsonl", line(100, label="curt"))
        main(["align", "feedback.jsonl", "--judge", "judge.toml", "--out", "aligned.json"])
        server.calls.clear()
        write("traces.jsonl", line(1, label="curt"))
        assert refusal("--min-agreement", "0.8") == (
            "memalign: politeness gives free texts, which are not comparable with labels, so no agreement is known."
        )
        assert server.calls == []


@pytest.mark.parametrize(
    ("value_type", "written", "values", "words"),
    [
        (bool, ["pass", "no", True, "false"], [True, False, True, True], "agrees with 3 of 4 labels"),
        (int, ["4", 4.0, 2, 5], [4, 4, 4, 4], "agrees with 2 of 4 labels, on average 0.75 away"),
        (float, ["0.5", 1], [0.5, 1.0], "agrees with 2 of 2 labels, on average 0 away"),
        (["Good", "Bad"], ["good", "BAD", "Good"], ["Good", "Good", "Good"], "agrees with 2 of 3 labels"),
        ([1, 2, 3], ["1", 3], [1, 1], "agrees with 1 of 2 labels, on average 1 away"),
    ],
)
def test_labels_are_read_as_the_judge_reads_values(
    tmp_path: Path, value_type: FeedbackValueType, written: list[Json], values: list[Json], words: str
) -> None:
    definition = make_judge(
        name="politeness",
        instructions="{{ outputs }}",
        feedback_value_type=value_type,
        model="local:/cases",
    )
    file = tmp_path / "labels.jsonl"
    file.write_text("\n".join(json.dumps(label(number, each)) for number, each in enumerate(written)))
    with open_lines(file) as lines:
        labels = read_labels(lines, definition)
    assert labels.skipped == {}
    agreement = compare(
        {f"tr-{number}": each for number, each in enumerate(values)}, labels.labels, definition
    )
    assert agreement is not None
    assert agreement.words == words


@pytest.mark.parametrize("n", [1, 7, 100, 9999])
def test_exactly_the_share_that_is_asked_for_is_enough(n: int) -> None:
    for agreed in {0, 1, n // 3, n - 1, n}:
        agreement = LabelAgreement(agreed=agreed, n=n)
        agreement.require(agreed / n)
        if agreed < n:
            with pytest.raises(InputError) as refused:
                agreement.require((agreed + 1) / n)
            assert f"asks for at least {agreed + 1}." in str(refused.value)
