"""What all model services have in common: how many calls run at once, for how long, and how they fail."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from memalign.errors import (
    ModelError,
    ModelRefusedError,
    ModelUnavailableError,
    RequestRefusedError,
    SettingsError,
)

SECONDS = 120.0
"""How long one attempt may take."""
RETRIES = 4
"""Further attempts on 429, 5xx and lost connections, with growing pauses or as Retry-After says."""
WORKERS = 8
NO_KEY = "none"
"""Sent to compatible servers that want no key."""
_WORKER_VARIABLES = ("MEMALIGN_MAX_WORKERS", "MLFLOW_GENAI_OPTIMIZE_MAX_WORKERS")
_semaphores: dict[int, asyncio.Semaphore] = {}


def max_workers() -> int:
    """How many model calls may run at once in this process. Raises `SettingsError`."""
    for variable in _WORKER_VARIABLES:
        text = os.environ.get(variable, "").strip()
        if text:
            if not text.isdecimal() or int(text) < 1:
                raise SettingsError(f"{variable} is {text!r}; set a whole number of at least 1.")
            return int(text)
    return WORKERS


@asynccontextmanager
async def concurrency_slot() -> AsyncIterator[None]:
    """Wait for a free worker. Only for use on the private loop, which makes the bound process-wide."""
    workers = max_workers()
    async with _semaphores.setdefault(workers, asyncio.Semaphore(workers)):
        yield


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """Where a provider is reached."""

    provider: str
    """As in `provider:/name`."""
    key: str = field(repr=False)
    base_url: str | None

    def failure(self, model: str, error: BaseException, status: int | None) -> ModelError:
        """The error for a person; `status` is the HTTP status, None when there was no answer."""
        name, variable = f"{self.provider}:/{model}", f"{self.provider.upper()}_API_KEY"
        said = self._said(error)
        if status is None:
            return ModelUnavailableError(
                f"{name} cannot be reached ({said}); check the network and {self.provider.upper()}_BASE_URL, "
                "it is tried again later."
            )
        if status in (401, 403):
            return ModelRefusedError(f"{name} refuses the key ({status}); set {variable} to a valid key.")
        if status == 404:
            return ModelRefusedError(
                f"{name} is not known to its service ({status}); correct the model's name."
            )
        if status in (408, 409, 429) or status >= 500:
            return ModelUnavailableError(f"{name} is overloaded or down ({status}); it is tried again later.")
        return RequestRefusedError(f"{name} refused the request ({status}): {said}")

    def _said(self, error: BaseException) -> str:
        """What the service said, short, and never the key."""
        text = " ".join(str(error).split())
        if self.key != NO_KEY:
            text = text.replace(self.key, "…")
        return text if len(text) <= 200 else text[:199] + "…"


def service(provider: str, model: str) -> Service:
    """Read where and with which key a provider is reached. Raises `ModelRefusedError` without a key."""
    variable = f"{provider.upper()}_API_KEY"
    base_url = os.environ.get(f"{provider.upper()}_BASE_URL", "").strip() or None
    key = os.environ.get(variable, "").strip()
    if not key and base_url is None:
        raise ModelRefusedError(
            f"{provider}:/{model} needs a key; set {variable}, or choose a local:/ model."
        )
    return Service(provider=provider, key=key or NO_KEY, base_url=base_url)
