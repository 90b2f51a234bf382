"""Measures one pupil in a process of its own: `python -m tests.bench.subject ours|original URL ROW`; prints JSON."""

import importlib
import json
import sys
import time

from tests.bench.remote import RemoteServer

PUPILS = {"ours": ("tests.bench.ours", "Ours"), "original": ("tests.bench.original", "Original")}


def main() -> None:
    """Import the pupil, which is a row of its own, then measure."""
    who, url, row = sys.argv[1:]
    start = time.perf_counter()
    module, name = PUPILS[who]
    kind = getattr(importlib.import_module(module), name)
    seconds = time.perf_counter() - start
    from tests.bench import quality, timed  # noqa: PLC0415 - not part of what is timed

    if row == "import":
        figures: object = {"seconds": seconds, "MB": timed.resident_mb()}
    else:
        server = RemoteServer(url)
        rows = {**timed.ROWS, **quality.ROWS}
        figures = rows[row](kind(), timed.Meter(server.behave, server.counts))
    print("\n" + json.dumps(figures))


if __name__ == "__main__":
    main()
