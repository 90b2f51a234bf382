"""The examples of Ray Data and Spark, each on its engine's local mode. `make test-batches` installs the engines."""

import json
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from memalign import MemAlignOptimizer
from memalign.batch import judge_partition
from memalign.records import Json
from tests.memalign.test_batch import row, save_judge

ROOT = Path(__file__).parents[2]
ROWS = 30


def needs_java() -> bool:
    return shutil.which("java") is None and "JAVA_HOME" not in os.environ


@pytest.mark.parametrize(
    "engine",
    [
        pytest.param("ray", marks=pytest.mark.skipif(not find_spec("ray"), reason="Ray is not installed")),
        pytest.param(
            "spark",
            marks=[
                pytest.mark.skipif(not find_spec("pyspark"), reason="Spark is not installed"),
                pytest.mark.skipif(needs_java(), reason="Spark needs Java, and none is installed"),
            ],
        ),
    ],
)
def test_an_engine_gives_the_verdicts_that_one_process_gives(engine: str, tmp_path: Path) -> None:
    local = MemAlignOptimizer(reflection_lm="local:/extract", embedding_model="local:/wordllama")
    aligned = save_judge(tmp_path / "aligned.json", "local:/cases", optimizer=local)
    rows = [row(number) for number in range(ROWS)]
    traces = tmp_path / "traces.jsonl"
    traces.write_text("".join(f"{json.dumps(each)}\n" for each in rows), encoding="utf-8")

    example = ROOT / "examples" / f"{engine}_judge.py"
    command = [sys.executable, *map(str, (example, traces, aligned, tmp_path / "out"))]
    outcome = subprocess.run(
        command,
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "PYSPARK_PYTHON": sys.executable,
            "RAY_USAGE_STATS_ENABLED": "0",
            "SPARK_LOCAL_IP": "127.0.0.1",
        },
        capture_output=True,
        text=True,
        check=False,
    )

    assert outcome.returncode == 0, outcome.stderr[-3_000:]
    by_id = {verdict["trace_id"]: verdict for verdict in written(tmp_path / "out")}
    assert by_id == {verdict["trace_id"]: verdict for verdict in judge_partition(rows, aligned)}


def written(folder: Path) -> list[dict[str, Json]]:
    files = [file for file in sorted(folder.iterdir()) if file.suffix in (".json", ".jsonl")]
    return [json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines()]
