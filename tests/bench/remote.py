"""The model server as seen from the processes that are measured. Only the standard library."""

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class LocalControl:
    """Behaviour of the server."""

    chat_ms: float = 200
    embedding_ms: float = 30
    busy: float = 0.0
    """Share of calls answered with 429."""
    broken: float = 0.0
    """Share of calls answered with 500."""
    malformed: float = 0.0
    """Share of chat answers that are no JSON."""
    failing: float = 0.0
    """Share of distillations answered with gibberish, by their content; so is a repetition of them."""
    salt: int = 0
    """With another number, other distillations fail."""
    real_vectors: bool = False
    """Vectors of wordllama (256 numbers, then zeros) instead of a sum of words' random directions."""
    paraphrases: bool = False
    """The model knows which guidelines of `tests.rule_pairs` say the same."""
    misreading: float = 0.0
    """Share of records that the model judges the other way round, by their content."""


@dataclass(frozen=True)
class RemoteServer:
    """The server at an address."""

    url: str

    def behave(self, **changes: Any) -> None:
        """Behave as by default but for these changes; counts start from nothing."""
        self._ask("/control", asdict(replace(LocalControl(), **changes)))

    def counts(self) -> dict[str, int]:
        """Return what was counted since `behave`."""
        counted: dict[str, int] = self._ask("/counts", None)
        return counted

    def environment(self) -> dict[str, str]:
        """Variables with which both libraries find the server."""
        base = f"{self.url}/v1"
        return {**os.environ, "OPENAI_BASE_URL": base, "OPENAI_API_BASE": base, "OPENAI_API_KEY": "none"}

    def _ask(self, path: str, body: Any) -> Any:
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(urllib.request.Request(self.url + path, data=data)) as answered:  # noqa: S310
            return json.load(answered)


@contextmanager
def running_server() -> Iterator[RemoteServer]:
    """Start the server's process; it ends with the block."""
    command = [sys.executable, "-m", "tests.bench.timed_model_server"]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin
        assert process.stdout
        yield RemoteServer(url=process.stdout.readline().strip())
        process.stdin.close()
