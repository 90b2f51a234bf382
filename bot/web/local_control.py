"""Forgetting and guidelines by a command on the same machine: a file in the data folder tells how to reach the bot."""

import logging
import secrets
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import ClassVar

import aiohttp
from aiohttp import web

from bot.forgetting.service import ForgetService
from bot.forgetting.trace_reference import spellings_of
from bot.learning.guideline_service import GuidelineService
from bot.learning.rollback_service import RollbackService
from bot.records import ForgetResult
from bot.web.access import has_bearer_token
from bot.web.control_arguments import ControlArguments, read_arguments
from bot.web.endpoint_file import ENDPOINT_FILE, read_endpoint, remove_endpoint, write_endpoint
from bot.web.guideline_control import GuidelineArguments, decide
from bot.web.memory_control import RollbackArguments, roll_back
from bot.web.request_body import BodyReader
from bot.web.request_error import RequestError
from memalign.errors import (
    InputError,
    MemAlignError,
    SettingsError,
    StorageError,
    UnknownGuidelineError,
    UnknownTraceError,
    UnknownVersionError,
)
from memalign.records import ForgetTarget, Json, PersonTarget, TraceTarget
from storage.engines import Location

log = logging.getLogger(__name__)

ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104 - what is dialled, not bound

MAX_BODY = 1024 * 1024
"""Bytes of a request."""


class ForgetArguments(ControlArguments):
    """The body of `POST /forget`."""

    form: ClassVar[str] = 'Send {"traces": [id or link, …], "person": Slack id or null} as JSON.'
    traces: list[str]
    person: str | None = None
    dry_run: bool = False


class LocalControl:
    """The running bot's side."""

    def __init__(
        self,
        location: Location,
        service: ForgetService,
        guidelines: GuidelineService,
        rollbacks: RollbackService,
    ) -> None:
        self._rollbacks = rollbacks
        self._location = location
        self._service = service
        self._guidelines = guidelines
        self._secret = secrets.token_urlsafe(32)
        self._bodies = BodyReader(MAX_BODY)

    def write_endpoint_file(self, host: str, port: int) -> None:
        """Write address and token, readable by the same user only. Raises `StorageError`."""
        endpoint = {"url": f"http://{ANY_ADDRESS.get(host, host)}:{port}", "secret": self._secret}
        try:
            write_endpoint(self._location, endpoint)
        except StorageError as error:
            # with the store in a database, no place on this machine is needed for anything else
            if isinstance(self._location, Path):
                raise
            log.warning("Commands on this machine cannot ask this bot: %s", error)

    def remove_endpoint_file(self) -> None:
        """Delete the file when the bot stops listening."""
        try:
            remove_endpoint(self._location)
        except OSError as error:  # as on a disk that has become read-only; stopping goes on
            log.warning("%s could not be removed: %s", ENDPOINT_FILE, error)

    async def forget(self, request: web.Request) -> web.Response:
        """`POST /forget` with `{"traces": [id or link, …], "person": id or null}`: what `memalign forget` asks for."""
        async with self._body(request) as body:
            arguments = read_arguments(ForgetArguments, body)
        try:
            if arguments.dry_run:
                previews = await preview_all(self._service, arguments.traces, arguments.person)
                return web.json_response({"previews": [preview_summary(each) for each in previews]})
            results = await forget_all(self._service, arguments.traces, arguments.person)
        except UnknownTraceError as error:
            return web.json_response({"error": str(error)}, status=404)
        return web.json_response({"forgotten": [summary(result) for result in results]})

    async def guideline(self, request: web.Request) -> web.Response:
        """`POST /guideline` with a `GuidelineArguments`: what `memalign guideline` asks for."""
        async with self._body(request) as body:
            arguments = read_arguments(GuidelineArguments, body)
        try:
            return web.json_response({"guideline": await decide(self._guidelines, arguments)})
        except UnknownGuidelineError as error:
            return web.json_response({"error": str(error)}, status=404)
        except InputError as error:
            return web.json_response({"error": str(error)}, status=409)

    async def memory(self, request: web.Request) -> web.Response:
        """`POST /memory` with a `RollbackArguments`: what `memalign memory rollback` asks for."""
        async with self._body(request) as body:
            arguments = read_arguments(RollbackArguments, body)
        try:
            return web.json_response({"rollback": await roll_back(self._rollbacks, arguments)})
        except (UnknownVersionError, SettingsError) as error:
            return web.json_response({"error": str(error)}, status=404)
        except InputError as error:
            return web.json_response({"error": str(error)}, status=409)

    def _body(self, request: web.Request) -> AbstractAsyncContextManager[bytes]:
        if not has_bearer_token(request, self._secret):
            raise RequestError(401, "Only memalign on this machine may ask that.")
        return self._bodies.read(request)


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
    targets = await _targets(service, references, person)
    return [await service.forget(target, person=None) for target in targets]


async def preview_all(
    service: ForgetService, references: Sequence[str], person: str | None
) -> list[ForgetResult]:
    """Return what `forget_all` would forget; nothing is changed."""
    targets = await _targets(service, references, person)
    return [await service.preview(await service.find(target)) for target in targets]


async def _targets(
    service: ForgetService, references: Sequence[str], person: str | None
) -> list[ForgetTarget]:
    targets: list[ForgetTarget] = [
        await service.references.resolve(spellings_of(reference)) for reference in references
    ]
    if person:
        targets.append(PersonTarget(person=person))
    return list(dict.fromkeys(targets))


def summary(result: ForgetResult) -> dict[str, Json]:
    """Return what went in numbers, and the texts that were distilled again."""
    numbers = {"cases": result.cases, "retired": result.retired}
    match result.target:
        case TraceTarget(trace_id=trace_id):
            again = {"waiting": result.left, "distilled": result.distilled}
            return {"trace_id": trace_id, **numbers, **again}
        case PersonTarget(person=person):
            return {"person": person, "verdicts": result.verdicts, **numbers, "waiting": result.waiting}


def preview_summary(result: ForgetResult) -> dict[str, Json]:
    """Return what would go: the numbers, the people whose words go, and the guidelines' texts."""
    parts = result.judges.values()
    target = result.target
    subject = {"trace_id": target.trace_id} if isinstance(target, TraceTarget) else {"person": target.person}
    return {
        **subject,
        "verdicts": result.verdicts,
        "cases": result.cases,
        "people": list(result.people),
        "retired": [rule.text for part in parts for rule in part.retired],
        "waiting": [rule.text for part in parts for rule in part.waiting],
    }


async def ask_to_decide(location: Location, arguments: GuidelineArguments) -> dict[str, Json]:
    """Ask the bot that runs on this store to carry out a decision on a guideline.

    Returns:
        What `bot.web.guideline_control.decide` returns.

    Raises:
        UnknownGuidelineError: it knows no such guideline.
        StorageError: it does not answer.
        MemAlignError: the decision cannot be carried out.
    """
    status, body = await _ask(location, "/guideline", arguments.model_dump())
    if status == 404:
        raise UnknownGuidelineError(body["error"])
    return dict(_accepted(status, body)["guideline"])


async def ask_to_roll_back(location: Location, arguments: RollbackArguments) -> dict[str, Json]:
    """Ask the bot that runs on this store to go back to a version, or to show what that changes.

    Returns:
        What `bot.web.memory_control.roll_back` returns.

    Raises:
        StorageError: it does not answer.
        MemAlignError: there is no such version, or nothing to change.
    """
    status, body = await _ask(location, "/memory", arguments.model_dump())
    return dict(_accepted(status, body)["rollback"])


async def ask_to_forget(
    location: Location, references: list[str], person: str | None
) -> list[dict[str, Json]]:
    """Ask the bot that runs on this store to forget.

    Raises `UnknownTraceError` for a trace it does not know, `StorageError` when it does not answer.
    """
    status, body = await _ask(location, "/forget", {"traces": references, "person": person})
    if status == 404:
        raise UnknownTraceError(body["error"])
    return list(_accepted(status, body)["forgotten"])


async def ask_for_preview(
    location: Location, references: list[str], person: str | None
) -> list[dict[str, Json]]:
    """Ask the same bot what would be forgotten; errors as for `ask_to_forget`."""
    arguments: dict[str, Json] = {"traces": references, "person": person, "dry_run": True}
    status, body = await _ask(location, "/forget", arguments)
    if status == 404:
        raise UnknownTraceError(body["error"])
    return list(_accepted(status, body)["previews"])


async def ask_for_status(location: Location, token: str) -> dict[str, Json]:
    """Ask the bot that runs on this store what waits and why.

    Args:
        location: that of the store.
        token: MEMALIGN_INGEST_TOKEN; without it a bot that has one tells no more than its readiness.

    Raises:
        StorageError: it does not answer.
    """
    endpoint = read_endpoint(location)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    url = f"{endpoint['url']}/readyz"
    try:
        async with aiohttp.ClientSession() as session, session.get(url, headers=headers) as response:
            return dict(await response.json())
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
        raise StorageError(f"The bot that runs on {location} does not answer at {url}: {error}.") from error


def _accepted(status: int, body: dict[str, Json]) -> dict[str, Json]:
    if status != 200:
        raise MemAlignError(str(body.get("error", "The running bot refused.")))
    return body


async def _ask(location: Location, path: str, arguments: dict[str, Json]) -> tuple[int, dict[str, Json]]:
    endpoint = read_endpoint(location)
    headers = {"Authorization": f"Bearer {endpoint['secret']}"}
    try:
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{endpoint['url']}{path}", json=arguments, headers=headers) as response,
        ):
            return response.status, await response.json()
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
        raise StorageError(
            f"The bot that runs on {location} does not answer at {endpoint['url']}: {error}."
        ) from error
