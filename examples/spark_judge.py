"""Judge a file of traces with Spark: `spark-submit examples/spark_judge.py TRACES.jsonl ALIGNED.json OUT_FOLDER`.

Every executor needs memalign with its extra `spark`, the key of the model in its environment, and a path to
ALIGNED.json.
"""

import sys
from collections.abc import Iterator
from functools import partial
from itertools import islice

import pandas as pd
from pyspark.sql import SparkSession

from memalign.batch import VERDICT_COLUMNS, judge_partition

SCHEMA = (
    "trace_id string, judge string, value boolean, rationale string, "
    "guideline_ids array<string>, retrieved_trace_ids array<string>"
)
"""Of a judge that passes or fails; `value` has the type of its labels."""
ROWS_PER_FRAME = 1_000


def judge_frames(frames: Iterator[pd.DataFrame], aligned: str) -> Iterator[pd.DataFrame]:
    """Yield the verdicts on the traces of a partition."""
    rows = (row for frame in frames for row in frame.to_dict("records"))
    verdicts = judge_partition(rows, aligned)
    while chunk := list(islice(verdicts, ROWS_PER_FRAME)):
        yield pd.DataFrame(chunk, columns=list(VERDICT_COLUMNS))


def main(traces: str, aligned: str, out: str) -> None:
    """Judge the traces of a file, and write the verdicts as JSON lines into a folder."""
    session = SparkSession.builder.appName("memalign").getOrCreate()
    verdicts = session.read.json(traces).mapInPandas(partial(judge_frames, aligned=aligned), SCHEMA)
    verdicts.write.json(out)


if __name__ == "__main__":
    main(*sys.argv[1:])
