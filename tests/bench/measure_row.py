"""One row for one system, in a process of its own: `python -m tests.bench.measure_row ours|original URL ROW`.

Prints the figures as JSON.
"""

import importlib
import json
import sys
import time

from tests.bench.remote import RemoteServer

SYSTEMS = {"ours": ("tests.bench.ours", "Ours"), "original": ("tests.bench.original", "Original")}


def main() -> None:
    """Import the system, which is a row of its own, then measure."""
    name_of_system, url, row = sys.argv[1:]
    start = time.perf_counter()
    module, class_name = SYSTEMS[name_of_system]
    kind = getattr(importlib.import_module(module), class_name)
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
