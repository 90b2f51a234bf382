"""Memory of `memalign judge` on a file of 100,000 lines, with a judge on the local models.

    python -m tests.bench.large_files [LINES …]

The figure to reach is a peak of 300 MB; it is that of the process, with all that is imported.
"""

import json
import random
import resource
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
    """Judge so many lines in a process: the MB of its peak, and the seconds."""
    write(folder / "traces.jsonl", lines)
    command = [sys.executable, "-m", "tests.bench.large_files", "--judge", str(folder)]
    start = time.perf_counter()
    process = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    seconds = time.perf_counter() - start
    verdicts = (folder / "verdicts.jsonl").read_bytes().count(b"\n")
    if process.returncode or verdicts != lines:
        sys.exit(f"{verdicts} of {lines} lines were judged: {process.stderr[-2_000:]}")
    (folder / "verdicts.jsonl").unlink()
    return int(process.stdout.splitlines()[-1]) / 1024, seconds


def judge(folder: Path) -> None:
    """Run the command in this process, and print its peak in KB."""
    from bot.__main__ import main  # noqa: PLC0415 - in this process alone

    files = {name: str(folder / name) for name in ("traces.jsonl", "aligned.json", "verdicts.jsonl")}
    main(
        ["judge", files["traces.jsonl"], "--aligned", files["aligned.json"], "--out", files["verdicts.jsonl"]]
    )
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


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
    if sys.argv[1:2] == ["--judge"]:
        judge(Path(sys.argv[2]))
    else:
        measure([int(number) for number in sys.argv[1:]] or list(LINES))
