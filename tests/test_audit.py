"""`make audit`: no clean bill where no advisory was read."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
AUDITED = {"name": "aiohttp", "version": "3.14.5", "vulns": []}
VULNERABLE = {"name": "idna", "version": "1", "vulns": [{"id": "PYSEC-1"}]}
SKIPPED = {"name": "tqdm", "skip_reason": "not found"}


def audit(
    checkout: Path, packages: list[dict[str, object]] | None, exit_code: int
) -> subprocess.CompletedProcess[str]:
    """Run the script beside a pip-audit that reports these packages; None: it writes no report."""
    tools = checkout / ".venv/audit/bin"
    tools.mkdir(parents=True)
    (checkout / "scripts").mkdir()
    shutil.copy(ROOT / "scripts/audit", checkout / "scripts")
    (tools / "python").symlink_to(sys.executable)
    (checkout / "answer.json").write_text("" if packages is None else json.dumps({"dependencies": packages}))
    pip_audit = tools / "pip-audit"
    pip_audit.write_text(f"#!/bin/sh\ncp answer.json .venv/audit/report.json\nexit {exit_code}\n")
    pip_audit.chmod(0o755)
    return subprocess.run([checkout / "scripts/audit"], check=False, capture_output=True, text=True)


@pytest.mark.parametrize(
    ("packages", "exit_code", "expected", "sentence"),
    [
        ([AUDITED], 0, 0, "None of the 1 locked packages has a published advisory"),
        ([AUDITED, VULNERABLE], 1, 1, "PYSEC-1"),
        ([AUDITED, SKIPPED], 0, 1, "1 packages were audited, 1 could not be"),
        ([SKIPPED], 0, 0, "Nothing was audited"),
        (None, 1, 0, "Nothing was audited"),
    ],
)
def test_the_exit_code_and_the_sentence_say_what_was_audited(
    tmp_path: Path, packages: list[dict[str, object]] | None, exit_code: int, expected: int, sentence: str
) -> None:
    outcome = audit(tmp_path, packages, exit_code)
    assert outcome.returncode == expected
    assert sentence in outcome.stdout + outcome.stderr
