"""Links to files of the repository, on pages of the site."""

import posixpath
import re
from collections.abc import Mapping

SITE_FILES: Mapping[str, str] = {
    "README.md": "readme.md",
    "CHANGELOG.md": "changelog.md",
    "SECURITY.md": "security.md",
    "CONTRIBUTING.md": "contributing.md",
    "manifest.yml": "manifest.yml",
    "memalign.example.toml": "memalign.example.toml",
    "bot/sandbox/demo/recordings/README.md": "recordings.md",
    "examples/support_bot.py": "examples/support_bot.py",
    "examples/judge_in_ci.py": "examples/judge_in_ci.py",
    "examples/align_from_csv.ipynb": "examples/align_from_csv.ipynb",
    "examples/ray_judge.py": "examples/ray_judge.py",
    "examples/spark_judge.py": "examples/spark_judge.py",
    "Dockerfile": "Dockerfile",
    "compose.yaml": "compose.yaml",
}
"""Files outside docs/ -> their place on the site, which takes them from the repository when it is built."""
LINK = re.compile(r"\]\((?!\w+:|#|//)(?P<path>[^)\s#]+)(?P<anchor>#[^)\s]*)?\)")


def with_site_links(markdown: str, source: str, place: str) -> str:
    """Return a page with its links to files led to their places on the site.

    Args:
        markdown: the page.
        source: path of its file in the repository.
        place: its path on the site.
    """

    def replaced(link: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(posixpath.dirname(source), link["path"]))
        there = SITE_FILES.get(target) or (target.removeprefix("docs/") if target.startswith("docs/") else "")
        if not there:
            return link[0]
        path = posixpath.relpath(there, posixpath.dirname(place) or ".")
        return f"]({path}{link['anchor'] or ''})"

    return LINK.sub(replaced, markdown)
