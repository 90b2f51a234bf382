"""All benchmarks: `python -m tests.bench [ROW …]`, or `make bench`.

Ours is measured always. When MEMALIGN_BENCH_MLFLOW_PYTHON names an interpreter that has mlflow, dspy and litellm, the
original is measured in the same session, against the same model server, and the tables show both. Files of feedback
named in MEMALIGN_BENCH_DATA (separated by colons) are learned by the local models as well.
"""

import importlib
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

from tests.bench.remote import ROOT, RemoteServer, running_server
from tests.bench.tables import LEARNED, MEASURED, Line, missed, table

ORIGINAL = "MEMALIGN_BENCH_MLFLOW_PYTHON"
DATA = "MEMALIGN_BENCH_DATA"
WORKERS = "48"
IMPORTS = 5
OTHERS = ("episodes", "storage", "engines", "replicas", "ingest", "spans", "sampling", "large_files")
"""Benchmarks that print tables of their own."""
ON_FILES = ("local_models", "batch")
"""Those that take files of feedback."""

Results = dict[str, dict[str, float]]


def main() -> None:
    """Measure the named rows, or everything, and print; end with 1 when a figure is missed."""
    names = sys.argv[1:]
    interpreters = {"ours": sys.executable}
    if other := os.environ.get(ORIGINAL):
        interpreters["original"] = other
    else:
        print(f"Only ours: {ORIGINAL} names no interpreter that has mlflow, dspy and litellm.\n")
    missed_figures: list[str] = []
    for title, lines in (
        ("Figures to reach (medians)", MEASURED),
        ("What is learned (simulated model)", LEARNED),
    ):
        chosen = [line for line in lines if not names or line.row in names]
        if chosen:
            results = measure(interpreters, chosen)
            print(f"{title}\n\n{table(chosen, results)}\n", flush=True)
            missed_figures += missed(chosen, results)
    if not names:
        missed_figures += run_other_benchmarks()
    if missed_figures:
        sys.exit(f"Missed: {'; '.join(missed_figures)}.")


def measure(interpreters: dict[str, str], lines: list[Line]) -> dict[str, Results]:
    """Return each row's figures by system. Each row has a process of its own."""
    results: dict[str, Results] = {system: {} for system in interpreters}
    with running_server() as server:
        for row in dict.fromkeys(line.row for line in lines):
            for system, python in interpreters.items():
                print(f"{row}, {system} …", file=sys.stderr, flush=True)
                times = IMPORTS if row == "import" else 1
                runs = [measure_row(python, system, server, row) for _ in range(times)]
                results[system][row] = {
                    name: statistics.median(run[name] for run in runs) for name in runs[0]
                }
    return results


def measure_row(python: str, system: str, server: RemoteServer, row: str) -> dict[str, float]:
    """Measure one row of one system."""
    environment = server.environment()
    if system == "ours":
        environment["MEMALIGN_MAX_WORKERS"] = WORKERS
    process = subprocess.run(
        [python, "-m", "tests.bench.measure_row", system, server.url, row],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if process.returncode:
        sys.exit(f"{row} of {system} failed:\n{process.stderr}")
    figures: dict[str, float] = json.loads(process.stdout.splitlines()[-1])
    return figures


def run_other_benchmarks() -> list[str]:
    """Run the benchmarks that print tables of their own; the names of those that ended with an error."""
    modules = [name for name in OTHERS if Path(__file__).with_name(f"{name}.py").exists()]
    files = [file for file in os.environ.get(DATA, "").split(":") if file]
    if files:
        modules += ON_FILES
    else:
        print(f"The local models were not measured: {DATA} names no files of feedback.\n")
    missed_figures = []
    for name in modules:
        print(f"\n{importlib.import_module(f'tests.bench.{name}').__doc__}", flush=True)
        arguments = files if name in ON_FILES else []
        command = [sys.executable, "-m", f"tests.bench.{name}", *arguments]
        if subprocess.run(command, cwd=ROOT, check=False).returncode:
            missed_figures.append(name)
    return missed_figures


if __name__ == "__main__":
    main()
