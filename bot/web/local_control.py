"""Forgetting by a command on the same machine: a file in the data folder tells it how to reach the running bot."""

import json
import logging
import secrets
from collections.abc import Sequence
from pathlib import Path

import aiohttp
from aiohttp import web
from pydantic import BaseModel, ConfigDict, ValidationError

from bot.forgetting.service import ForgetService
from bot.forgetting.trace_reference import spellings_of
from bot.records import ForgetResult
from bot.web.access import has_bearer_token
from bot.web.request_body import BodyReader
from bot.web.request_error import RequestError
from memalign.atomic_file import replace_file
from memalign.errors import MemAlignError, StorageError, UnknownTraceError
from memalign.records import ForgetTarget, Json, PersonTarget, TraceTarget
from storage.errors import translate_file_errors

log = logging.getLogger(__name__)

ENDPOINT_FILE = "running.json"
ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104 - what is dialled, not bound

MAX_BODY = 1024 * 1024
"""Bytes of a request to forget."""


class ForgetArguments(BaseModel):
    """The body of `POST /forget`."""

    model_config = ConfigDict(strict=True)

    traces: list[str]
    person: str | None = None


class LocalControl:
    """The running bot's side."""

    def __init__(self, folder: Path, service: ForgetService) -> None:
        self._file = folder / ENDPOINT_FILE
        self._service = service
        self._secret = secrets.token_urlsafe(32)
        self._bodies = BodyReader(MAX_BODY)

    def write_endpoint_file(self, host: str, port: int) -> None:
        """Write address and token, readable by the same user only. Raises `StorageError`."""
        endpoint = {"url": f"http://{ANY_ADDRESS.get(host, host)}:{port}", "secret": self._secret}
        with translate_file_errors(self._file.parent):
            replace_file(self._file, json.dumps(endpoint))

    def remove_endpoint_file(self) -> None:
        """Delete the file when the bot stops listening."""
        try:
            self._file.unlink(missing_ok=True)
        except OSError as error:  # as on a disk that has become read-only; stopping goes on
            log.warning("%s could not be removed: %s", self._file, error)

    async def forget(self, request: web.Request) -> web.Response:
        """`POST /forget` with `{"traces": [id or link, …], "person": id or null}`: what `memalign forget` asks for."""
        if not has_bearer_token(request, self._secret):
            raise RequestError(401, "Only memalign forget on this machine may ask that.")
        async with self._bodies.read(request) as body:
            arguments = _arguments(body)
        try:
            results = await forget_all(self._service, arguments.traces, arguments.person)
        except UnknownTraceError as error:
            return web.json_response({"error": str(error)}, status=404)
        return web.json_response({"forgotten": [summary(result) for result in results]})


def _arguments(body: bytes) -> ForgetArguments:
    try:
        return ForgetArguments.model_validate_json(body)
    except ValidationError:
        raise RequestError(
            400, 'Send {"traces": [id or link, …], "person": Slack id or null} as JSON.'
        ) from None


async def forget_all(
    service: ForgetService, references: Sequence[str], person: str | None
) -> list[ForgetResult]:
    """Forget what somebody at the terminal named.

    Args:
        service: forgets.
        references: ids of traces, or links to their cards.
        person: Slack id of a person to be forgotten, too.

    Raises:
        UnknownTraceError: a trace is not known; nothing is forgotten then.
        StorageError: the store failed.
    """
    targets: list[ForgetTarget] = [
        await service.references.resolve(spellings_of(reference)) for reference in references
    ]
    if person:
        targets.append(PersonTarget(person=person))
    return [await service.forget(target, person=None) for target in dict.fromkeys(targets)]


def summary(result: ForgetResult) -> dict[str, Json]:
    """Return what went in numbers, and the texts that were distilled again."""
    numbers = {"cases": result.cases, "retired": result.retired}
    match result.target:
        case TraceTarget(trace_id=trace_id):
            again = {"waiting": result.left, "distilled": result.distilled}
            return {"trace_id": trace_id, **numbers, **again}
        case PersonTarget(person=person):
            return {"person": person, "verdicts": result.verdicts, **numbers, "waiting": result.waiting}


async def ask_to_forget(folder: Path, references: list[str], person: str | None) -> list[dict[str, Json]]:
    """Ask the bot that runs on this data folder to forget.

    Raises `UnknownTraceError` for a trace it does not know, `StorageError` when it does not answer.
    """
    try:
        endpoint = json.loads((folder / ENDPOINT_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise StorageError(
            f"A bot runs on {folder} but has not said where it listens; wait a moment and try again."
        ) from error
    headers = {"Authorization": f"Bearer {endpoint['secret']}"}
    arguments = {"traces": references, "person": person}
    try:
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{endpoint['url']}/forget", json=arguments, headers=headers) as response,
        ):
            body = await response.json()
            status = response.status
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
        raise StorageError(
            f"The bot that runs on {folder} does not answer at {endpoint['url']}: {error}."
        ) from error
    if status == 404:
        raise UnknownTraceError(body["error"])
    if status != 200:
        raise MemAlignError(str(body.get("error", "The running bot refused.")))
    return list(body["forgotten"])
