"""`python -m tests.replay FILE.jsonl [--weeks 12] [--out FOLDER] [--cap N] [--judge NAME]`."""

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path

from tests.bot.bot_in_workspace import words
from tests.replay.oracle import differences, expected_figures
from tests.replay.recording import read_recording
from tests.replay.weeks import Replay, Weeks

NO_CAP = 10_000


def main() -> int:
    """Replay a file; returns 1 where a digest differs from the figures of other code."""
    parser = argparse.ArgumentParser(prog="python -m tests.replay")
    parser.add_argument("file", type=Path)
    parser.add_argument("--weeks", type=int, default=12)
    parser.add_argument("--cap", type=int, default=NO_CAP, help="cards a day")
    parser.add_argument("--judge", action="append", default=[])
    parser.add_argument("--out", type=Path, help="folder for the store and the digests in words")
    options = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.out or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        traces = read_recording(options.file, options.judge)
        weeks = Weeks(folder, traces, options.weeks, sampling={"rate": 1.0, "max_per_day": options.cap})
        replay = asyncio.run(weeks.run())
        told = "\n\n".join(words(each.blocks, each.text) for each in replay.digests)
        (folder / "digests.txt").write_text(told + "\n", encoding="utf-8")
    wrong = problems(replay)
    print(told)
    print("\n".join(wrong))
    print(
        f"{len(replay.digests)} digests, {len(replay.cards)} cards voted on, {len(wrong)} figures wrong, "
        f"{time.monotonic() - began:.0f} s"
    )
    return 1 if wrong else 0


def problems(replay: Replay) -> list[str]:
    """Return a sentence for each figure of a digest that other code does not compute from the votes."""
    return [
        f"{figures['judge']}, {figures['week']}: {sentence}"
        for figures in replay.figures
        for sentence in differences(
            expected_figures(replay.cards, figures["judge"], figures["week"]), figures
        )
    ]


if __name__ == "__main__":
    sys.exit(main())
