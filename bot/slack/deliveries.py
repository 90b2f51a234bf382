"""Deliveries of Slack that were answered, so that a repeated one is answered alike and changes nothing."""

import asyncio
import hashlib
import json
import logging
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

from slack_bolt.response import BoltResponse

from bot.runtime.clock import now_ms
from memalign.errors import StorageError
from memalign.records import Json
from storage.deliveries import DeliveryLog

log = logging.getLogger(__name__)

KEPT_SECONDS = 600.0
"""Longer than Slack's last retry, which comes after five minutes, and than a signature is valid."""
MAX_KEPT = 20_000
IN_HAND_SECONDS = 5.0
"""Longest wait for another replica that has the same delivery in hand; Slack itself gives up after three."""
LOOK_SECONDS = 0.1


def delivery_key(payload: dict[str, Json]) -> bytes:
    """Return a digest of what a payload says; Slack repeats a payload word for word."""
    return hashlib.sha256(json.dumps(payload, sort_keys=True).encode("ascii")).digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Delivery:
    came_at: float
    response: asyncio.Future[BoltResponse | None]
    """None: the work failed, so that another delivery does it."""


class Deliveries:
    """Does the work of each delivery once."""

    def __init__(self, log: DeliveryLog, clock: Callable[[], float] = time.monotonic) -> None:
        self._log = log
        self._clock = clock
        self._deliveries: OrderedDict[bytes, _Delivery] = OrderedDict()

    async def once(self, key: bytes, work: Callable[[], Awaitable[BoltResponse]]) -> BoltResponse:
        """Return the response of the first delivery that succeeded, which may still be in hand."""
        while (delivery := self._deliveries.get(key)) is not None:
            response = await asyncio.shield(delivery.response)
            if response is not None:
                return _copy(response)
        self._forget_old()
        return await self._first(key, work)

    async def once_for_good(self, key: bytes, work: Callable[[], Awaitable[BoltResponse]]) -> BoltResponse:
        """Do the same, and know the delivery after a restart as well; it is answered with nothing then."""

        async def logged() -> BoltResponse:
            digest = hashlib.sha256(key).hexdigest()
            if not await self._claim(digest):
                return BoltResponse(status=200, body="")
            response = None
            try:
                response = await work()
            finally:
                is_done = response is not None and response.status < 400
                await (self._note(digest) if is_done else self._give_back(digest))
            return response

        return await self.once(key, logged)

    async def _claim(self, digest: str) -> bool:
        """Return whether the work is to be done here; wait while another replica has it in hand."""
        deadline = self._clock() + IN_HAND_SECONDS
        try:
            while (claim := await self._log.claim(digest, now_ms())) == "in hand":
                if self._clock() >= deadline:
                    return False
                await asyncio.sleep(LOOK_SECONDS)
        except StorageError:  # the work needs the store, too, and says what is wrong
            return True
        return claim == "ours"

    async def _note(self, digest: str) -> None:
        try:
            await self._log.note(digest, now_ms())
        except StorageError as error:
            log.warning("a delivery is done, but would be done again after a restart: %s", error)

    async def _give_back(self, digest: str) -> None:
        with suppress(StorageError):
            await self._log.give_back(digest)

    async def _first(self, key: bytes, work: Callable[[], Awaitable[BoltResponse]]) -> BoltResponse:
        future: asyncio.Future[BoltResponse | None] = asyncio.get_running_loop().create_future()
        self._deliveries[key] = _Delivery(came_at=self._clock(), response=future)
        response = None
        try:
            response = await work()
        finally:
            is_done = response is not None and response.status < 400
            if not is_done:
                del self._deliveries[key]
            future.set_result(response if is_done else None)
        return _copy(response)

    def _forget_old(self) -> None:
        while self._deliveries:
            key, oldest = next(iter(self._deliveries.items()))
            is_recent = self._clock() - oldest.came_at < KEPT_SECONDS and len(self._deliveries) < MAX_KEPT
            if is_recent or not oldest.response.done():
                return
            del self._deliveries[key]


def _copy(response: BoltResponse) -> BoltResponse:
    """Return a response of its own; Bolt's adapters take headers out of the one they are handed."""
    return BoltResponse(status=response.status, body=response.body, headers=dict(response.headers))
