"""`python -m tests.fuzz --inputs 10000` sends so many hostile inputs to a working bot and says what came of them."""

import argparse
import sys
import tempfile
from pathlib import Path

from tests.fuzz.run import FuzzReport, run


def main() -> int:
    """Run, print the figures, and return 1 if something went wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--inputs", type=int, default=10_000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        report = run(Path(folder), arguments.inputs)
    _print(report)
    return 1 if report.faults else 0


def _print(report: FuzzReport) -> None:
    print(f"{report.inputs} inputs, {len(report.good_traces)} good traces in between")
    for answer, number in sorted(report.statuses.items()):
        print(f"  {answer}: {number}")
    print(f"{len(report.faults)} faults")
    for fault in report.faults[:20]:
        print(f"  {fault}")


if __name__ == "__main__":
    sys.exit(main())
