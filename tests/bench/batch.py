"""Agreement of `memalign align` and `memalign judge` with people, on files of feedback, with the local models.

    python -m tests.bench.batch FILE.jsonl …

The real commands learn so many lines of a file and judge traces of other groups; the verdicts are compared with
people's majority. See `tests.bench.local_models` for how traces are split; ties are not scored.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import mean

from memalign.records import Json
from tests.bench.local_models import MIN_JUDGED, Labelled, among_people, kappa, read, splits
from tests.bench.remote import ROOT

FEEDBACKS = (20, 100, 400)
MAX_JUDGED = 200
JUDGE = """
[memory]
reflection_lm = "local:/extract"
embedding_model = "local:/wordllama"
[[judges]]
name = "{}"
model = "local:/cases"
instructions = "Does the output meet the criterion? {{{{ inputs }}}} {{{{ outputs }}}}"
"""


def memalign(*arguments: str, folder: Path) -> None:
    """Run a command, and stop where it fails."""
    process = subprocess.run(
        [sys.executable, "-m", "bot", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    if process.returncode:
        sys.exit(f"memalign {' '.join(arguments)}: {process.stderr}")


def verdicts(judge: str, feedback: list[str], unseen: list[Labelled]) -> dict[str, bool]:
    """Learn the lines, judge the traces: trace id -> value."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        traces = [{"trace_id": trace.trace_id, **trace.fields} for trace in unseen]
        (folder / "judge.toml").write_text(JUDGE.format(judge), encoding="utf-8")
        (folder / "feedback.jsonl").write_text("\n".join(feedback), encoding="utf-8")
        (folder / "traces.jsonl").write_text("\n".join(map(json.dumps, traces)), encoding="utf-8")
        memalign("align", "feedback.jsonl", "--judge", "judge.toml", "--out", "aligned.json", folder=folder)
        memalign(
            "judge", "traces.jsonl", "--aligned", "aligned.json", "--out", "verdicts.jsonl", folder=folder
        )
        lines: list[dict[str, Json]] = [
            json.loads(line) for line in (folder / "verdicts.jsonl").read_text("utf-8").splitlines()
        ]
    return {line["trace_id"]: line["value"] for line in lines}


def lines_by_trace(file: Path, judge: str) -> dict[str, list[str]]:
    """The judge's lines with a label."""
    lines: dict[str, list[str]] = defaultdict(list)
    for line in file.read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        if record["judge"] == judge and record.get("label") is not None:
            lines[record["trace_id"]].append(line)
    return lines


def row(file: Path, judge: str, traces: list[Labelled], feedbacks: int, repeats: int) -> str | None:
    """One line of the table; None where too few traces would be left to judge."""
    lines = lines_by_trace(file, judge)
    kappas, agreements, majorities = [], [], []
    # no trace has less than one line, so that a split with so many traces has enough of them
    for known, unseen in splits(traces, min(feedbacks, len(traces) - MIN_JUDGED), repeats):
        feedback = [line for trace in known for line in lines[trace.trace_id]][:feedbacks]
        judged = unseen[:MAX_JUDGED]
        if len(feedback) < feedbacks:
            return None
        by_trace = verdicts(judge, feedback, judged)
        labels = [trace.label for trace in judged if trace.label is not None]
        values = [by_trace[trace.trace_id] for trace in judged]
        kappas.append(kappa(values, labels))
        agreements.append(mean(a == b for a, b in zip(values, labels, strict=True)))
        majorities.append(max(Counter(labels).values()) / len(labels))
    if not kappas:
        return None
    people = among_people(traces)
    among = "-" if people is None else f"{people:.2f}"
    spread = f"{mean(kappas):.2f} | {min(kappas):.2f} to {max(kappas):.2f}"
    return (
        f"| {file.stem}: {judge} | {feedbacks} | {spread} | {mean(agreements):.2f} | 0.00 | "
        f"{mean(majorities):.2f} | {among} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE.jsonl")
    parser.add_argument("--repeats", type=int, default=3, help="random splits for each number of feedbacks")
    arguments = parser.parse_args()
    print(
        "| set | feedbacks | kappa | worst to best split | agreement | majority's kappa | majority's agreement "
        "| people's kappa |\n|---|---|---|---|---|---|---|---|"
    )
    with ThreadPoolExecutor(4) as pool:
        rows = [
            pool.submit(row, path, judge, traces, feedbacks, arguments.repeats)
            for path in arguments.files
            for judge, traces in read(path).items()
            for feedbacks in FEEDBACKS
        ]
        for line in rows:
            if text := line.result():
                print(text, flush=True)


if __name__ == "__main__":
    main()
