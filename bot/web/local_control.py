"""How a command on the same machine reaches the running bot: a note in the data folder says where it listens."""

import hmac
import json
import secrets
from pathlib import Path

import aiohttp
from aiohttp import web

from bot.forgetting.person import PersonFarewell, Withdrawal
from bot.forgetting.service import Farewell, Forgetting, forget_all
from memalign.atomic_file import replace_file
from memalign.errors import MemAlignError, StorageError, UnknownTraceError
from memalign.records import Json

NOTE = "running.json"


class LocalControl:
    """The running bot's side."""

    def __init__(self, folder: Path, forgetting: Forgetting, withdrawal: Withdrawal) -> None:
        self._file = folder / NOTE
        self._forgetting = forgetting
        self._withdrawal = withdrawal
        self._secret = secrets.token_urlsafe(32)

    def announce(self, host: str, port: int) -> None:
        """Write down, readable by the same user only, where the bot listens and what opens the door."""
        reachable = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, host)  # noqa: S104 - what is dialled, not bound
        endpoint = {"url": f"http://{reachable}:{port}", "secret": self._secret}
        replace_file(self._file, json.dumps(endpoint), mode=0o600)

    def withdraw(self) -> None:
        """The bot listens no more."""
        self._file.unlink(missing_ok=True)

    async def forget(self, request: web.Request) -> web.Response:
        """`POST /forget` with `{"traces": [id or link, …], "person": id or null}`: what `memalign forget` asks for."""
        given = request.headers.get("Authorization", "")
        if not hmac.compare_digest(given.encode(), f"Bearer {self._secret}".encode()):
            return web.json_response(
                {"error": "Only memalign forget on this machine may ask that."}, status=401
            )
        asked = await request.json()
        try:
            farewells = await forget_all(self._forgetting, asked["traces"], who=None)
        except UnknownTraceError as error:
            return web.json_response({"error": str(error)}, status=404)
        gone = [summary(farewell) for farewell in farewells]
        if person := asked.get("person"):
            gone.append(person_summary(await self._withdrawal.forget(person, who=None)))
        return web.json_response({"forgotten": gone})


def summary(farewell: Farewell) -> dict[str, Json]:
    """What forgetting one trace took, as numbers and the texts learned anew."""
    gone = [part for _, part in farewell.judges]
    return {
        "trace_id": farewell.trace_id,
        "cases": sum(len(part.trace_ids) for part in gone),
        "retired": sum(len(part.retired) for part in gone),
        "waiting": sum(len(part.left) for part in gone),
        "distilled": [rule.text for part in gone for rule in part.distilled],
    }


def person_summary(farewell: PersonFarewell) -> dict[str, Json]:
    """What forgetting a person took, in numbers."""
    gone = [part for _, part in farewell.judges]
    return {
        "person": farewell.person,
        "verdicts": farewell.verdicts,
        "cases": sum(len(part.trace_ids) for part in gone),
        "retired": sum(len(part.retired) for part in gone),
        "waiting": sum(len(part.waiting) for part in gone),
    }


async def ask_to_forget(folder: Path, references: list[str], person: str | None) -> list[dict[str, Json]]:
    """Ask the bot that runs on this data folder to forget.

    Raises `UnknownTraceError` for a trace it does not know, `StorageError` when it does not answer.
    """
    try:
        note = json.loads((folder / NOTE).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise StorageError(
            f"A bot runs on {folder} but has not said where it listens; wait a moment and try again."
        ) from error
    headers = {"Authorization": f"Bearer {note['secret']}"}
    asked = {"traces": references, "person": person}
    try:
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{note['url']}/forget", json=asked, headers=headers) as response,
        ):
            body = await response.json()
            status = response.status
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
        raise StorageError(
            f"The bot that runs on {folder} does not answer at {note['url']}: {error}."
        ) from error
    if status == 404:
        raise UnknownTraceError(body["error"])
    if status != 200:
        raise MemAlignError(str(body.get("error", "The running bot refused.")))
    return list(body["forgotten"])
