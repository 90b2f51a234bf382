"""Judge a file of traces with Ray Data: `python examples/ray_judge.py TRACES.jsonl ALIGNED.json OUT_FOLDER`.

Every worker needs memalign with its extra `ray`, the key of the model in its environment, and a path to ALIGNED.json.
"""

import sys
from functools import partial

import pandas as pd
import ray.data

from memalign.batch import VERDICT_COLUMNS, judge_partition


def judge_batch(batch: pd.DataFrame, aligned: str) -> pd.DataFrame:
    """Return the verdicts on a batch of traces."""
    return pd.DataFrame(judge_partition(batch, aligned), columns=list(VERDICT_COLUMNS))


def main(traces: str, aligned: str, out: str) -> None:
    """Judge the traces of a file, and write the verdicts as JSON lines into a folder."""
    verdicts = ray.data.read_json(traces, lines=True).map_batches(
        partial(judge_batch, aligned=aligned), batch_format="pandas", batch_size=1_000
    )
    verdicts.write_json(out)


if __name__ == "__main__":
    main(*sys.argv[1:])
