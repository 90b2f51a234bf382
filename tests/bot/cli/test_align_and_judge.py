import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.__main__ import main
from memalign import load_judge
from memalign.records import Json
from tests.model_server import Fault, ModelServer, overloaded, running_model_server

JUDGE = """
[memory]
reflection_lm = "{reflection_lm}"
embedding_model = "{embedding_model}"
[[judges]]
name = "politeness"
model = "{model}"
instructions = "Is the answer polite? {{{{ inputs }}}} {{{{ outputs }}}}"
"""
LOCAL = JUDGE.format(reflection_lm="local:/extract", embedding_model="local:/wordllama", model="local:/cases")
REMOTE = JUDGE.format(reflection_lm="openai:/some", embedding_model="openai:/vectors", model="openai:/some")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with a judge on local models."""
    monkeypatch.chdir(tmp_path)
    Path("judge.toml").write_text(LOCAL, encoding="utf-8")
    return tmp_path


@pytest.fixture
def server(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelServer]:
    """A model server, and a judge that uses it, one call at a time."""
    Path(folder, "judge.toml").write_text(REMOTE, encoding="utf-8")
    with running_model_server() as running:
        monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
        monkeypatch.setenv("OPENAI_BASE_URL", f"{running.url}/v1")
        monkeypatch.setenv("MEMALIGN_MAX_WORKERS", "1")
        yield running


def line(number: int, **more: Json) -> dict[str, Json]:
    return {
        "trace_id": f"tr-{number}",
        "judge": "politeness",
        "inputs": {"question": f"Where is the form number {number}?"},
        "outputs": "Find it yourself." if number % 2 else "I am happy to show you where it is.",
        "label": number % 2 == 0,
        "rationale": "An answer should never send people away." if number % 2 else None,
        "annotator": "ana",
        **more,
    }


def write(name: str, *lines: dict[str, Json] | str) -> None:
    texts = (content if isinstance(content, str) else json.dumps(content) for content in lines)
    Path(name).write_text("".join(f"{text}\n" for text in texts), encoding="utf-8")


def align() -> None:
    main(["align", "feedback.jsonl", "--judge", "judge.toml", "--out", "aligned.json"])


def judge(*more: str) -> None:
    main(["judge", "traces.jsonl", "--aligned", "aligned.json", *more])


def verdicts(text: str) -> list[dict[str, Json]]:
    return [json.loads(line) for line in text.splitlines()]


def problem(failure: pytest.ExceptionInfo[SystemExit]) -> str:
    return str(failure.value.code)


def test_align_learns_the_feedback_and_says_what_it_did(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write("feedback.jsonl", *map(line, range(12)))

    align()

    aligned = load_judge(folder / "aligned.json")
    assert list(aligned.episodes) == [f"tr-{number}" for number in range(12)]
    assert [rule.text for rule in aligned.guidelines] == ["An answer should never send people away."]
    output = capsys.readouterr()
    assert output.out == (
        "politeness: learned 12, unchanged 0, pending 0, rejected 0; "
        "aligned.json holds 12 cases and 1 guidelines.\n"
    )
    assert output.err == "learning: 12 of 12\n"


def test_align_run_again_learns_only_what_is_new(
    server: ModelServer, capsys: pytest.CaptureFixture[str]
) -> None:
    write("feedback.jsonl", *map(line, range(4)))
    align()
    server.calls.clear()
    write("feedback.jsonl", *map(line, range(6)))

    align()

    assert "learned 2, unchanged 4" in capsys.readouterr().out
    assert len(server.of("chat")) == 1
    assert len(server.texts) == 2 * 2  # what was given and what was made


def test_what_was_learned_before_a_failure_is_kept_and_the_rest_learned_by_running_again(
    server: ModelServer, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write("feedback.jsonl", *(line(number, rationale=f"Reason {number}.") for number in range(60)))
    # the first lesson, and the comparing of its 50 guidelines
    server.faults.extend([None, None, *[overloaded()] * 5])

    with pytest.raises(SystemExit) as failure:
        align()

    output = capsys.readouterr().out
    assert "learned 50, unchanged 0, pending 10" in output
    assert "pending: openai:/some is overloaded or down (429). (tr-50, " in output
    assert problem(failure) == (
        "memalign: 10 traces wait to be learned, for the reasons above; "
        "deal with them, and run the same command again."
    )
    assert len(load_judge(folder / "aligned.json").guidelines) == 50
    server.calls.clear()

    align()

    assert "learned 10, unchanged 50, pending 0" in capsys.readouterr().out
    assert len(server.of("chat")) == 1
    assert server.texts == [f"Reason {number}." for number in range(50, 60)]  # the guidelines; no case again
    assert len(load_judge(folder / "aligned.json").guidelines) == 60


def test_while_nothing_can_be_learned_the_rest_of_a_file_is_not_tried(
    server: ModelServer, folder: Path
) -> None:
    write("feedback.jsonl", *(line(number, rationale=f"Reason {number}.") for number in range(120)))
    server.faults.extend([overloaded()] * 5)

    with pytest.raises(SystemExit):
        align()

    assert len(load_judge(folder / "aligned.json").episodes) == 50
    assert not server.faults


def test_bad_lines_are_named_by_number_and_harm_no_other(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    unfit = line(3)
    del unfit["outputs"]
    write(
        "feedback.jsonl",
        line(0),
        "{no json",
        '["a list"]',
        unfit,
        line(4, label="perhaps"),
        line(5, timestamp="yesterday"),
        line(6, rationale=7),
        line(7, inputs=None, outputs=""),
        "",
        line(9),
    )

    align()

    complaints = capsys.readouterr().err.splitlines()
    assert [complaint.partition(":")[0] for complaint in complaints if "skipped" in complaint] == [
        f"line {number} was skipped" for number in (2, 3, 4, 5, 6, 7, 8)
    ]
    assert "outputs: Field required" in complaints[2]
    assert "“perhaps” is not a value of this judge" in complaints[3]
    assert list(load_judge(folder / "aligned.json").episodes) == ["tr-0", "tr-9"]


def test_lines_of_other_judges_are_skipped_and_counted(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write("feedback.jsonl", line(0), line(1, judge="accuracy"), line(2, judge="accuracy"))

    align()

    assert "Skipped 2 lines for other judges." in capsys.readouterr().err
    assert list(load_judge(folder / "aligned.json").episodes) == ["tr-0"]


def test_lines_without_a_name_are_people_of_their_own(folder: Path) -> None:
    unnamed = [line(1, annotator=None, label=label) for label in (False, True, True)]
    write("feedback.jsonl", *unnamed)

    align()

    episode = load_judge(folder / "aligned.json").episodes["tr-1"]
    assert episode.label is True
    assert [opinion.person for opinion in (*episode.opinions, *episode.minority)] == [
        "unnamed 2 on tr-1",
        "unnamed 3 on tr-1",
        "unnamed 1 on tr-1",
    ]


def test_of_one_persons_votes_the_newest_counts(folder: Path) -> None:
    write(
        "feedback.jsonl",
        line(1, label=True, timestamp="2026-11-20T10:00:00Z"),
        line(1, label=False, timestamp="2026-11-20T10:00:00+02:00"),
    )

    align()

    episode = load_judge(folder / "aligned.json").episodes["tr-1"]
    assert episode.label is True
    assert [opinion.time_ms for opinion in episode.opinions] == [1_795_168_800_000]


def test_a_line_without_a_label_is_just_a_trace(folder: Path) -> None:
    write("feedback.jsonl", line(0), line(1, label=None))

    align()

    assert list(load_judge(folder / "aligned.json").episodes) == ["tr-0"]


ANOTHER = LOCAL.replace('"politeness"', '"accuracy"')
MISTAKES = [
    ("judge.toml", None, "There is no file judge.toml; --judge takes a settings file with one [[judges]]."),
    ("judge.toml", "", "judge.toml: judges: is missing."),
    (
        "judge.toml",
        LOCAL + "\n[[judges]]" + ANOTHER.rpartition("[[judges]]")[2],
        "judge.toml has 2 judges (politeness, accuracy); leave one, to align that.",
    ),
    ("feedback.jsonl", None, "feedback.jsonl cannot be read (No such file or directory); give a JSONL file."),
    ("feedback.jsonl", "", "feedback.jsonl holds no feedback for judge politeness that can be used."),
    ("aligned.json", "[", "aligned.json is no JSON; give the path of a saved judge."),
    ("aligned.json", "{}", "This judge was saved in format None, and format 1 is known here; "),
]


@pytest.mark.parametrize(("file", "content", "sentence"), MISTAKES)
def test_a_mistake_in_aligning_is_told_in_one_sentence(
    folder: Path, file: str, content: str | None, sentence: str
) -> None:
    write("feedback.jsonl", line(0))
    if content is None:
        (folder / file).unlink()
    else:
        (folder / file).write_text(content, encoding="utf-8")

    with pytest.raises(SystemExit) as failure:
        align()

    assert problem(failure).startswith(f"memalign: {sentence}")


def test_aligning_leaves_another_judges_file_alone(folder: Path) -> None:
    write("feedback.jsonl", line(0))
    align()
    before = Path("aligned.json").read_bytes()
    write("feedback.jsonl", line(0, judge="accuracy"))
    for definition, sentence in (
        (ANOTHER, "aligned.json holds judge politeness, not accuracy; choose another --out."),
        (LOCAL.replace("polite?", "kind?"), "aligned.json holds judge politeness with other instructions, "),
    ):
        (folder / "judge.toml").write_text(definition, encoding="utf-8")

        with pytest.raises(SystemExit) as failure:
            align()

        assert problem(failure).startswith(f"memalign: {sentence}")
    assert Path("aligned.json").read_bytes() == before


def test_aligning_into_a_missing_folder_is_refused_before_any_model_is_asked(server: ModelServer) -> None:
    write("feedback.jsonl", line(0))

    with pytest.raises(SystemExit) as failure:
        main(["align", "feedback.jsonl", "--judge", "judge.toml", "--out", "away/aligned.json"])

    assert problem(failure) == "memalign: There is no folder away for --out; make it, or choose another."
    assert server.calls == []


@pytest.fixture
def aligned(folder: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """A judge that has learned twelve cases."""
    write("feedback.jsonl", *map(line, range(12)))
    align()
    capsys.readouterr()
    return folder / "aligned.json"


@pytest.mark.usefixtures("aligned")
def test_judge_writes_a_verdict_a_line_in_the_order_of_the_traces(capsys: pytest.CaptureFixture[str]) -> None:
    traces = [{"trace_id": f"new-{number}", "inputs": "q", "outputs": f"a {number}"} for number in range(40)]
    write("traces.jsonl", *traces)

    judge()

    lines = verdicts(capsys.readouterr().out)
    assert [verdict["trace_id"] for verdict in lines] == [trace["trace_id"] for trace in traces]
    assert {tuple(verdict) for verdict in lines} == {
        ("trace_id", "judge", "value", "rationale", "guideline_ids", "retrieved_trace_ids")
    }
    assert {verdict["judge"] for verdict in lines} == {"politeness"}
    assert {type(verdict["value"]) for verdict in lines} == {bool}


@pytest.mark.usefixtures("aligned")
def test_several_lines_of_a_trace_get_one_verdict_and_not_by_its_own_case(
    capsys: pytest.CaptureFixture[str],
) -> None:
    write("traces.jsonl", line(3), line(3, annotator="bob"), line(8, judges=["accuracy"], judge=None))

    judge()

    (verdict,) = verdicts(capsys.readouterr().out)
    assert verdict["trace_id"] == "tr-3"
    assert verdict["retrieved_trace_ids"]
    assert "tr-3" not in verdict["retrieved_trace_ids"]


def test_a_trace_that_fails_stops_no_other_and_is_put_in_its_place_by_running_again(
    server: ModelServer, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write("feedback.jsonl", *map(line, range(4)))
    align()
    write("traces.jsonl", "{no json", *map(line, range(10, 16)))
    server.faults.extend([None, None, *[overloaded()] * 5])

    with pytest.raises(SystemExit) as failure:
        judge("--out", "verdicts.jsonl")

    out = folder / "verdicts.jsonl"
    assert problem(failure).startswith("memalign: 1 trace could not be judged, for the reasons above; ")
    errors = capsys.readouterr().err
    assert "line 1 was skipped: it is not JSON" in errors
    (failed,) = (complaint for complaint in errors.splitlines() if "was not judged" in complaint)
    assert failed.endswith("was not judged: openai:/some is overloaded or down (429).")
    assert len(verdicts(out.read_text("utf-8"))) == 5
    write("traces.jsonl", *map(line, range(10, 16)))
    server.calls.clear()

    judge("--out", "verdicts.jsonl")

    assert len(server.of("chat")) == 1
    assert [verdict["trace_id"] for verdict in verdicts(out.read_text("utf-8"))] == [
        f"tr-{number}" for number in range(10, 16)
    ]
    assert "5 traces were judged before; their verdicts are kept." in capsys.readouterr().err


@pytest.mark.parametrize(
    "answer",
    [
        '{"rationale": ' + "[" * 100_000,
        '{"rationale": ' + '{"a": ' * 50_000,
        '{"rationale": "' + "so " * 500_000,
        '{"value": ' + "9" * 50_000 + "}",
        "<think>" * 50_000,
        "\\ud83d",
        "",
    ],
    ids=["lists", "objects", "repetition", "digits", "tags", "half an emoji", "empty"],
)
def test_a_degenerate_answer_costs_one_trace_its_verdict(
    server: ModelServer, capsys: pytest.CaptureFixture[str], answer: str
) -> None:
    write("feedback.jsonl", *map(line, range(4)))
    align()
    capsys.readouterr()
    write("traces.jsonl", *map(line, range(10, 15)))
    server.answers.extend([json.dumps({"rationale": "so", "value": True}), answer, answer])

    with pytest.raises(SystemExit) as failure:
        judge()

    assert problem(failure).startswith("memalign: 1 trace could not be judged")
    output = capsys.readouterr()
    assert len(verdicts(output.out)) == 4
    assert "did not answer in the form asked for" in output.err


def test_while_the_model_is_down_the_rest_of_the_traces_is_not_tried(server: ModelServer) -> None:
    write("feedback.jsonl", *map(line, range(4)))
    align()
    write("traces.jsonl", *map(line, range(10, 60)))
    server.calls.clear()
    server.faults.extend([overloaded()] * 1000)

    with pytest.raises(SystemExit) as failure:
        judge("--out", "verdicts.jsonl")

    assert problem(failure).startswith("memalign: The last 20 traces all failed, so the rest was not tried: ")
    assert len(server.of("chat")) < 5 * 30


@pytest.mark.usefixtures("aligned")
def test_a_verdict_cut_off_in_its_middle_is_made_again(folder: Path) -> None:
    write("traces.jsonl", *map(line, range(20, 24)))
    judge("--out", "verdicts.jsonl")
    out = folder / "verdicts.jsonl"
    whole = out.read_bytes()
    out.write_bytes(whole[:-20])

    judge("--out", "verdicts.jsonl")

    assert out.read_bytes() == whole


@pytest.mark.usefixtures("aligned")
def test_a_file_that_holds_anything_but_verdicts_is_not_written_to(folder: Path) -> None:
    write("traces.jsonl", line(20), line(21))
    before = Path("traces.jsonl").read_bytes()

    with pytest.raises(SystemExit) as failure:
        judge("--out", "traces.jsonl")

    assert problem(failure).startswith("memalign: Line 1 of traces.jsonl is not a verdict, ")
    assert (folder / "traces.jsonl").read_bytes() == before


@pytest.mark.usefixtures("folder")
def test_judging_without_a_judge_is_told_in_one_sentence() -> None:
    write("traces.jsonl", line(20))

    with pytest.raises(SystemExit) as failure:
        judge()

    assert problem(failure) == (
        "memalign: aligned.json cannot be read (No such file or directory); give the path of a saved judge."
    )


def test_files_are_redacted_before_a_model_sees_them_and_are_their_owners_alone(
    server: ModelServer, folder: Path
) -> None:
    private = {"outputs": "Write to ana@example.org", "rationale": "It must not name ana@example.org."}
    write("feedback.jsonl", *(line(number, **private) for number in range(2)))
    write("traces.jsonl", line(7, **private))
    align()
    judge("--out", "verdicts.jsonl")
    asked = json.dumps([call.body for call in server.calls])
    assert "[e-mail address]" in asked
    files = [folder / "aligned.json", folder / "verdicts.jsonl"]
    assert "ana@example.org" not in asked + "".join(file.read_text(encoding="utf-8") for file in files)
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}


def test_judging_redacts_as_the_settings_say(server: ModelServer) -> None:
    write("feedback.jsonl", line(0))
    write("traces.jsonl", line(7, outputs="Write to ana@example.org"))
    align()
    Path("judge.toml").write_text(REMOTE + "[redaction]\nenabled = false\n", encoding="utf-8")
    judge("--config", "judge.toml")
    assert "ana@example.org" in json.dumps(server.calls[-1].body)


def test_a_failure_is_told_once_and_where_it_goes_on_as_the_same_one(
    server: ModelServer, capsys: pytest.CaptureFixture[str]
) -> None:
    write("feedback.jsonl", *map(line, range(2)))
    align()
    write("traces.jsonl", *map(line, range(10, 14)))
    refused = Fault(status=401, body='{"error": {"message": "no such key"}}')
    server.faults.extend([refused, refused, None, refused])

    with pytest.raises(SystemExit) as failure:
        judge()

    reason = "openai:/some refuses the key (401, “no such key”); set OPENAI_API_KEY to a valid key."
    assert [line for line in capsys.readouterr().err.splitlines() if "was not judged" in line] == [
        f"line 1 (tr-10) was not judged: {reason}",
        "line 2 (tr-11) was not judged for the same reason.",
        "line 4 (tr-13) was not judged for the same reason.",
    ]
    assert problem(failure) == (
        "memalign: 3 traces could not be judged, for the reasons above; "
        "deal with them, and run the same command again."
    )


def test_a_failure_to_learn_is_told_by_the_report_alone(
    server: ModelServer, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    write("feedback.jsonl", line(1))
    server.faults.append(Fault(status=401, body='{"error": {"message": "no such key"}}'))

    with pytest.raises(SystemExit) as failure:
        align()

    output = capsys.readouterr()
    assert output.out.count("refuses the key") == 1
    assert "refuses the key" not in output.err + caplog.text + problem(failure)
    assert "memalign: 1 trace waits to be learned" in problem(failure)


@pytest.mark.usefixtures("server")
def test_options_in_settings_take_the_place_of_those_that_the_judge_was_aligned_with(
    capsys: pytest.CaptureFixture[str],
) -> None:
    write("feedback.jsonl", *map(line, range(2)))
    align()
    write("traces.jsonl", line(10))
    with running_model_server() as moved:
        Path("moved.toml").write_text(
            f'{REMOTE}\n[models."openai:/some"]\nbase_url = "{moved.url}/v1"\n', encoding="utf-8"
        )
        judge("--config", "moved.toml")
        assert len(moved.of("chat")) == 1
    assert [verdict["trace_id"] for verdict in verdicts(capsys.readouterr().out.split("\n", 1)[1])] == [
        "tr-10"
    ]


@pytest.mark.usefixtures("aligned")
def test_resuming_without_a_file_is_told() -> None:
    write("traces.jsonl", line(0))
    with pytest.raises(SystemExit) as failure:
        judge("--resume")
    assert "name it with --out" in problem(failure)


@pytest.mark.parametrize(
    ("fields", "cited"),
    [
        ({"guideline_ids": ["g-2", "g-1", "g-2"], "retrieved_trace_ids": []}, ["g-2", "g-1"]),
        ({"type": "verdict", "guideline_ids": ["g-1"], "shown_guideline_ids": ["g-1", "g-2"]}, ["g-1"]),
        # an export of 0.1.0 names all that was shown
        ({"type": "verdict", "guideline_ids": ["g-1", "g-2"]}, None),
        ({"guideline_ids": None}, None),
    ],
)
@pytest.mark.usefixtures("folder")
def test_a_verdicts_line_tells_which_guidelines_led_the_judge(
    fields: dict[str, Json], cited: list[str] | None
) -> None:
    write("feedback.jsonl", {"trace_id": "tr-1", "judge": "politeness", "value": True, **fields}, line(1))

    align()

    (episode,) = load_json("aligned.json")["episodes"]
    assert episode["verdict"].get("guideline_ids") == cited


@pytest.mark.parametrize(
    "verdict",
    [
        {
            "trace_id": "tr-1",
            "judge": "politeness",
            "value": True,
            "rationale": "It is short.",
            "guideline_ids": [],
        },
        {"type": "verdict", "trace_id": "tr-1", "judge": "Politeness", "value": "yes"},
    ],
)
@pytest.mark.parametrize("is_first", [True, False])
@pytest.mark.usefixtures("folder")
def test_a_verdicts_line_is_what_the_labels_of_its_trace_answer_and_no_label(
    verdict: dict[str, Json], is_first: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    others = [
        {**verdict, "judge": "tone"},
        {**verdict, "trace_id": "tr-8"},
        {"type": "verdict", "trace_id": "tr-2"},
    ]
    lines = [line(1), line(2)]
    write("feedback.jsonl", *([verdict, *lines] if is_first else [*lines, verdict]), *others)

    align()

    said = capsys.readouterr()
    assert "learned 2" in said.out
    assert "line 6 was skipped" in said.out + said.err
    kept = {episode["trace_id"]: episode.get("verdict") for episode in load_json("aligned.json")["episodes"]}
    assert kept == {"tr-1": {"value": True, "judged_ms": 0}, "tr-2": None}

    write("traces.jsonl", line(1))
    judge("--out", "verdicts.jsonl", "--labels", "feedback.jsonl")
    assert "of 1 label" in capsys.readouterr().err


def load_json(name: str) -> dict[str, Json]:
    document: dict[str, Json] = json.loads(Path(name).read_text(encoding="utf-8"))
    return document


@pytest.mark.usefixtures("folder")
def test_a_file_judges_as_the_version_it_holds_or_as_the_base_judge(
    capsys: pytest.CaptureFixture[str],
) -> None:
    write("feedback.jsonl", *(line(number) for number in range(4)))
    write("traces.jsonl", line(9, label=None))
    align()
    capsys.readouterr()
    seen = {}
    for version in ("0", "1"):
        judge("--memory-version", version, "--out", f"{version}.jsonl")
        (seen[version],) = verdicts(Path(f"{version}.jsonl").read_text(encoding="utf-8"))
    assert seen["0"]["retrieved_trace_ids"] == []
    assert seen["1"]["retrieved_trace_ids"] != []
    with pytest.raises(SystemExit) as failure:
        judge("--memory-version", "2")
    assert problem(failure) == (
        "memalign: The file holds version 1 of the judge, and version 0, which has learned nothing; "
        "name one of these, not 2."
    )
    with pytest.raises(SystemExit) as usage:
        judge("--judge", "politeness")
    assert usage.value.code == 2
