"""The built site: made once for all that look at it, also by several processes."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from filelock import FileLock

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """The folder of the built site."""

    folder: Path

    def pages(self) -> dict[str, str]:
        """Return the HTML of each page by its path."""
        return {
            path.relative_to(self.folder).as_posix(): path.read_text(encoding="utf-8")
            for path in sorted(self.folder.rglob("*.html"))
        }


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Site:
    """The site as `make docs` builds it: strict, so that a warning is a failure."""
    base = tmp_path_factory.getbasetemp()
    shared = base if worker_id == "master" else base.parent
    folder = shared / "site"
    with FileLock(shared / "site.lock"):
        if not (folder / "sitemap.xml").exists():
            outcome = subprocess.run(
                [sys.executable, "-m", "mkdocs", "--quiet", "build", "--strict", "--site-dir", str(folder)],
                cwd=ROOT,
                env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
                check=False,
                capture_output=True,
                text=True,
            )
            assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    return Site(folder=folder)
