"""Memory of `memalign judge` on a file of 100,000 lines, with a judge on the local models.

    python -m tests.bench.large_files [LINES …]

The figure to reach is a peak of 300 MB; it is that of the process, with all that is imported.
"""

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from memalign.records import Json
from tests.bench.batch import JUDGE, memalign
from tests.bench.remote import ROOT

LINES = (1_000, 100_000)
MAX_MB = 300
COMMAND = ("judge", "traces.jsonl", "--aligned", "aligned.json", "--out", "verdicts.jsonl")
CASES = 20
WORDS = [f"{start}{end}" for start in "bdfklmnprst" for end in ("a", "er", "ing", "o", "u")]


def trace(number: int, draw: random.Random) -> dict[str, Json]:
    """A trace of some 700 bytes."""
    return {
        "trace_id": f"{number:032x}",
        "inputs": {"question": " ".join(draw.choices(WORDS, k=30))},
        "outputs": " ".join(draw.choices(WORDS, k=80)),
    }


def write(file: Path, lines: int, **more: Json) -> None:
    """Write a file of traces."""
    draw = random.Random(lines)
    with file.open("w", encoding="utf-8") as out:
        for number in range(lines):
            out.write(json.dumps({**trace(number, draw), **more}) + "\n")


def peak(folder: Path, lines: int) -> tuple[float, float]:
    """Judge so many lines by the command: the MB of its peak, and the seconds."""
    write(folder / "traces.jsonl", lines)
    start = time.perf_counter()
    with (folder / "errors.txt").open("w+", encoding="utf-8") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "bot", *COMMAND],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stderr=errors,
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        errors.seek(0)
        verdicts = (folder / "verdicts.jsonl").read_bytes().count(b"\n")
        if status or verdicts != lines:
            sys.exit(f"{verdicts} of {lines} lines were judged: {errors.read()[-2_000:]}")
    (folder / "verdicts.jsonl").unlink()
    return usage.ru_maxrss / 1024, seconds


def measure(sizes: list[int]) -> None:
    """Print a row for each size; exit with 1 where one takes too much."""
    print("| lines | peak MB | seconds |\n|---|---|---|")
    largest = 0.0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "judge.toml").write_text(JUDGE.format("politeness"), encoding="utf-8")
        draw = random.Random(0)
        feedback = [{**trace(number, draw), "label": number % 2 == 0} for number in range(CASES)]
        (folder / "feedback.jsonl").write_text("\n".join(map(json.dumps, feedback)), encoding="utf-8")
        memalign("align", "feedback.jsonl", "--judge", "judge.toml", "--out", "aligned.json", folder=folder)
        for lines in sizes:
            mb, seconds = peak(folder, lines)
            largest = max(largest, mb)
            print(f"| {lines:,} | {mb:.0f} | {seconds:.0f} |", flush=True)
    if largest > MAX_MB:
        sys.exit(f"The peak is {largest:.0f} MB, above {MAX_MB} MB.")


if __name__ == "__main__":
    measure([int(number) for number in sys.argv[1:]] or list(LINES))
