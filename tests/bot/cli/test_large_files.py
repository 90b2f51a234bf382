"""Files of any length: read and written a line at a time, gone on with after a kill, and at a bounded rate."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.__main__ import main
from bot.cli.concurrent_judging import judge_all
from bot.cli.feedback_file import FeedbackFile
from bot.cli.line_file import open_lines
from bot.config import RedactionSettings
from bot.redaction.redactor import Redactor
from memalign import load_judge, make_judge
from memalign.errors import InputError
from memalign.models.call_limits import call_limits
from memalign.records import Json, Trace, Verdict
from tests.model_server import ModelServer, overloaded, running_model_server

ROOT = Path(__file__).parents[3]
JUDGE = """
[memory]
reflection_lm = "openai:/some"
embedding_model = "openai:/vectors"
[[judges]]
name = "politeness"
model = "openai:/some"
instructions = "Is the answer polite? {{ inputs }} {{ outputs }}"
"""


def line(number: int, **more: Json) -> dict[str, Json]:
    return {"trace_id": f"tr-{number}", "inputs": f"q {number}", "outputs": f"a {number}", **more}


def write(name: str, *lines: Json) -> None:
    Path(name).write_text("".join(f"{json.dumps(each)}\n" for each in lines), encoding="utf-8")


@pytest.fixture
def server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[ModelServer]:
    """A model server, and a judge in the working folder that has learned from it."""
    monkeypatch.chdir(tmp_path)
    Path("judge.toml").write_text(JUDGE, encoding="utf-8")
    write("feedback.jsonl", *(line(1000 + number, label=number % 2 == 0) for number in range(4)))
    with running_model_server() as running:
        monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
        monkeypatch.setenv("OPENAI_BASE_URL", f"{running.url}/v1")
        main(["align", "feedback.jsonl", "--judge", "judge.toml", "--out", "aligned.json"])
        running.calls.clear()
        capsys.readouterr()
        yield running


def judge(*more: str, traces: str = "traces.jsonl") -> None:
    main(["judge", traces, "--aligned", "aligned.json", "--out", "v.jsonl", *more])


def judged(name: str = "v.jsonl") -> list[str]:
    return [json.loads(each)["trace_id"] for each in Path(name).read_text("utf-8").splitlines()]


def problem(failure: pytest.ExceptionInfo[SystemExit]) -> str:
    return str(failure.value.code)


def running_judge(*more: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [
            sys.executable,
            "-m",
            "bot",
            "judge",
            "traces.jsonl",
            "--aligned",
            "aligned.json",
            "--out",
            "v.jsonl",
            *more,
        ],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def wait_for_lines(number: int) -> None:
    while not Path("v.jsonl").exists() or Path("v.jsonl").read_bytes().count(b"\n") < number:
        time.sleep(0.05)


def test_what_was_killed_goes_on_after_its_last_line_and_judges_nothing_twice(server: ModelServer) -> None:
    write("traces.jsonl", *map(line, range(60)))
    server.chat_seconds = 0.05
    process = running_judge("--concurrency", "2")
    wait_for_lines(5)
    process.send_signal(signal.SIGKILL)
    process.wait()
    before = Path("v.jsonl").read_bytes()
    kept = before.count(b"\n")
    assert kept < 60
    server.chat_seconds = 0.0
    server.calls.clear()

    judge("--resume")

    assert judged() == [f"tr-{number}" for number in range(60)]
    assert Path("v.jsonl").read_bytes().startswith(before[: before.rindex(b"\n")])
    assert len(server.of("chat")) == 60 - kept


@pytest.mark.parametrize("cut", [1, 4, 40])
@pytest.mark.usefixtures("server")
def test_a_line_that_was_cut_off_is_written_again(cut: int) -> None:
    write("traces.jsonl", *map(line, range(4)))
    judge()
    whole = Path("v.jsonl").read_bytes()
    Path("v.jsonl").write_bytes(whole[:-cut])

    judge("--resume")

    assert Path("v.jsonl").read_bytes() == whole


@pytest.mark.usefixtures("server")
def test_a_last_line_that_is_cut_to_its_first_characters_is_written_again() -> None:
    write("traces.jsonl", *map(line, range(4)))
    judge()
    whole = Path("v.jsonl").read_bytes()
    begin = whole[:-1].rindex(b"\n") + 1
    for size in (1, 5, 15):
        Path("v.jsonl").write_bytes(whole[: begin + size])
        judge("--resume")
        assert Path("v.jsonl").read_bytes() == whole


@pytest.mark.parametrize("content", ["my notes", '{"trace_id": "tr-0"}\n', "[1]\n"])
@pytest.mark.usefixtures("server")
def test_a_file_of_something_else_is_left_as_it_is(content: str) -> None:
    write("traces.jsonl", line(0))
    Path("v.jsonl").write_text(content, encoding="utf-8")

    with pytest.raises(SystemExit) as failure:
        judge("--resume")

    assert problem(failure).startswith("memalign: Line 1 of v.jsonl is not a verdict, ")
    assert Path("v.jsonl").read_text(encoding="utf-8") == content


@pytest.mark.parametrize(
    "other",
    [
        {"trace_id": "tr-99", "judge": "politeness", "value": True},
        {"trace_id": "tr-1", "judge": "tone", "value": True},
    ],
)
def test_verdicts_of_something_else_are_not_gone_on_with_but_kept_without_resume(
    server: ModelServer, other: dict[str, Json]
) -> None:
    write("traces.jsonl", *map(line, range(3)))
    write("v.jsonl", other)

    with pytest.raises(SystemExit) as failure:
        judge("--resume")

    assert problem(failure).startswith(
        "memalign: Line 1 of v.jsonl is no verdict of this judge on a trace of traces.jsonl; choose another --out"
    )
    assert not server.calls
    judge()
    assert judged() == [other["trace_id"], "tr-0", "tr-1", "tr-2"]


def test_a_failed_trace_is_judged_by_the_resumed_run_and_stands_in_its_place(server: ModelServer) -> None:
    write("traces.jsonl", *map(line, range(6)))
    server.faults.extend([None, *[overloaded()] * 5])
    with pytest.raises(SystemExit):
        judge("--concurrency", "1")
    assert len(judged()) == 5
    server.calls.clear()

    judge("--resume", "--concurrency", "1")

    assert judged() == [f"tr-{number}" for number in range(6)]
    assert len(server.of("chat")) == 1


def test_a_second_process_does_not_write_into_the_same_file(server: ModelServer) -> None:
    write("traces.jsonl", *map(line, range(30)))
    server.chat_seconds = 0.1
    process = running_judge("--concurrency", "1")
    try:
        wait_for_lines(1)
        with pytest.raises(SystemExit) as failure:
            judge("--resume")
        assert problem(failure) == (
            "memalign: Another memalign is writing v.jsonl; wait until it is done, or choose another --out."
        )
    finally:
        process.kill()
        process.wait()


@pytest.mark.usefixtures("server")
def test_lines_may_come_through_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "".join(f"{json.dumps(line(number))}\n" for number in range(3))
    source, target = os.pipe()
    os.write(target, b"\xef\xbb\xbf" + text.encode())
    os.close(target)
    with os.fdopen(source, encoding="utf-8") as pipe:
        monkeypatch.setattr(sys, "stdin", pipe)
        judge(traces="-")
    assert judged() == ["tr-0", "tr-1", "tr-2"]


def test_no_more_calls_are_under_way_than_were_asked_for(server: ModelServer) -> None:
    write("traces.jsonl", *map(line, range(12)))
    server.chat_seconds = 0.05
    judge("--concurrency", "3")
    assert server.max_calls_under_way == 3


def test_a_rate_too_low_for_a_second_call_lets_one_through(
    server: ModelServer,
) -> None:
    write("traces.jsonl", *map(line, range(4)))
    process = running_judge("--tokens-per-minute", "1", "--concurrency", "4")
    try:
        wait_for_lines(0)
        deadline = time.monotonic() + 20
        while not server.calls and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(1)
        # the embedding of the first trace; its verdict is the next call, in a minute
        assert len(server.calls) == 1
    finally:
        process.kill()
        process.wait()


def feedback_file(path: Path) -> Iterator[FeedbackFile]:
    judge = make_judge(
        "politeness", "{{ inputs }} {{ outputs }}", feedback_value_type=bool, model="local:/cases"
    )
    with open_lines(path) as lines:
        file = FeedbackFile(lines, judge, Redactor(RedactionSettings()))
        file.scan(lambda _: None, lambda: None)
        yield file


def peak_of_reading(path: Path, lines: int) -> int:
    with path.open("w", encoding="utf-8") as file:
        for number in range(lines):
            file.write(json.dumps(line(number, inputs="word " * 200, label=True, annotator="ana")) + "\n")
    tracemalloc.start()
    try:
        (read,) = feedback_file(path)
        assert sum(1 for _ in read.traces([])) == 0
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_reading_ten_times_the_lines_takes_hardly_more_memory(tmp_path: Path) -> None:
    peak_of_reading(tmp_path / "first.jsonl", 200)  # what is imported and cached on the way
    few = peak_of_reading(tmp_path / "few.jsonl", 300)
    many = peak_of_reading(tmp_path / "many.jsonl", 3_000)
    assert many - few < 2_700 * 300, f"{(many - few) / 2_700:.0f} bytes for each line, which has 1,100"


def test_a_trace_has_its_last_lines_content_and_the_labels_of_all_lines(tmp_path: Path) -> None:
    path = tmp_path / "feedback.jsonl"
    lines = [
        line(1, label=True, annotator="ana"),
        line(2),
        {"trace_id": "tr-1", "judge": "politeness", "value": False},
        line(1, label=False, annotator="bob", outputs="changed"),
    ]
    path.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    for file in feedback_file(path):
        assert list(file.trace_ids) == ["tr-1", "tr-2"]
        assert list(file.labelled_ids) == ["tr-1"]
        first, second = file.traces(file.trace_ids)
        assert first.outputs == "changed"
        assert [(each.source_id, each.value) for each in first.assessments] == [
            ("ana", True),
            ("bob", False),
            ("memalign", False),
        ]
        assert second.assessments == ()
        assert [file.first_number(name) for name in file.trace_ids] == [1, 2]


def test_a_file_that_changes_while_it_is_read_is_told(tmp_path: Path) -> None:
    path = tmp_path / "traces.jsonl"
    path.write_text(json.dumps(line(1)) + "\n" + json.dumps(line(2)) + "\n", encoding="utf-8")
    for file in feedback_file(path):
        path.write_text("\n", encoding="utf-8")
        with pytest.raises(InputError, match=r"traces\.jsonl changed while it was read: its line on tr-1"):
            list(file.traces(file.trace_ids))


def test_a_judge_is_the_same_whether_learned_in_one_run_or_two(server: ModelServer) -> None:
    write("feedback.jsonl", *(line(1000 + number, label=number % 2 == 0) for number in range(8)))
    more = ["--resume", "--concurrency", "2"]
    main(["align", "feedback.jsonl", "--judge", "judge.toml", "--out", "aligned.json", *more])
    assert list(load_judge("aligned.json").episodes) == [f"tr-{1000 + number}" for number in range(8)]
    assert server.max_calls_under_way <= 2


async def test_traces_are_read_when_there_is_room_for_them() -> None:
    read: list[str] = []
    released = asyncio.Event()

    def traces() -> Iterator[Trace]:
        for number in range(1_000):
            read.append(f"tr-{number}")
            yield Trace(trace_id=f"tr-{number}")

    async def judge_slowly_at_first(trace: Trace) -> Verdict:
        if trace.trace_id == "tr-0":
            await released.wait()
        return Verdict(judge="politeness", trace_id=trace.trace_id, value=True, rationale="So.")

    with call_limits(concurrency=2):
        outcomes = judge_all(judge_slowly_at_first, traces())
        first = asyncio.ensure_future(anext(outcomes))
        await asyncio.sleep(0.05)
        assert len(read) == 8  # one slow trace holds no more of the others than this
        released.set()
        assert (await first)[0].trace_id == "tr-0"
        rest = [trace.trace_id async for trace, _ in outcomes]
    assert ["tr-0", *rest] == read


@pytest.mark.usefixtures("server")
def test_verdicts_may_go_to_a_device_and_through_a_link(tmp_path: Path) -> None:
    write("traces.jsonl", *map(line, range(3)))
    main(["judge", "traces.jsonl", "--aligned", "aligned.json", "--out", os.devnull])
    assert not Path(os.devnull).is_file()
    (tmp_path / "elsewhere").mkdir()
    Path("v.jsonl").symlink_to(tmp_path / "elsewhere" / "v.jsonl")
    write("traces.jsonl", line(2))
    judge()
    write("traces.jsonl", *map(line, range(3)))

    judge("--resume")

    assert Path("v.jsonl").is_symlink()
    assert judged("elsewhere/v.jsonl") == ["tr-0", "tr-1", "tr-2"]


def test_a_file_that_cannot_be_written_is_told_before_any_model_is_asked(server: ModelServer) -> None:
    write("traces.jsonl", line(0))
    with pytest.raises(SystemExit) as failure:
        main(["judge", "traces.jsonl", "--aligned", "aligned.json", "--out", "away/v.jsonl"])
    assert problem(failure) == (
        "memalign: away/v.jsonl cannot be written (No such file or directory); choose another --out."
    )
    assert not server.calls
