"""Execution of requests to forget that an earlier run has stored and not finished."""

import logging

from bot.forgetting.scope import read_scope
from bot.forgetting.service import ForgetService
from memalign.records import ForgetTarget, PersonTarget, TraceTarget
from storage.database import Database
from storage.records import ForgetRequest

log = logging.getLogger(__name__)


async def resume_forgetting(database: Database, service: ForgetService) -> None:
    """Execute all stored requests. Nothing may be learned before. Raises `StorageError`."""
    for request in await database.forgetting.requests():
        log.info("forgetting a %s goes on where it stopped", request.kind)
        await service.execute(await read_scope(_target_of(request), database))


def _target_of(request: ForgetRequest) -> ForgetTarget:
    if request.kind == "trace":
        return TraceTarget(trace_id=request.target)
    return PersonTarget(person=request.target)
