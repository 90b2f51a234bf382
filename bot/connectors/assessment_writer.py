"""Writing back: each assessment once, changed when what it says changes, deleted when it is taken back or forgotten.

A tool is asked for an assessment of ours before one is created: an earlier run may have written it and not noted it.
"""

import asyncio
import logging

from bot.connectors.connection import ToolConnection
from bot.connectors.errors import GoneError, ToolRefusedError, ToolUnavailableError
from bot.connectors.own_assessments import OwnAssessments, content_hash
from bot.connectors.tool import OwnAssessment, WrittenAssessment
from bot.runtime.clock import backoff_ms, now_ms
from bot.runtime.health import unexpected
from memalign.errors import StorageError
from storage.database import Database
from storage.records import AssessmentRow

log = logging.getLogger(__name__)

VERDICTS_PER_PASS = 50
ASSESSMENTS_PER_PASS = 50


class AssessmentWriter:
    """Keeps the assessments of one connector as they should be."""

    def __init__(self, connection: ToolConnection, database: Database, own: OwnAssessments) -> None:
        self._connection = connection
        self._tool = connection.tool
        self._database = database
        self._own = own
        self._turn = asyncio.Lock()

    async def write(self) -> None:
        """Do what is due.

        Raises:
            ToolUnavailableError: the tool does not answer.
            ToolRefusedError: it refuses everything.
            StorageError: the store failed.
        """
        async with self._turn:
            await self._settle()
            rows = await self._database.connectors.due(
                self._connection.store_key, now_ms(), ASSESSMENTS_PER_PASS
            )
            for row in rows:
                await self._carry_out(row)

    async def waiting(self) -> str | None:
        """Return what could not be written so far or waits to be deleted in the tool, for people; None for nothing.

        Raises `StorageError`.
        """
        put_off = len(await self._database.connectors.put_off_writings(self._connection.store_key))
        deleting = await self._database.connectors.number_deleting(self._connection.store_key)
        numbers = {"written": put_off, "deleted": deleting}
        words = [f"{_waiting_words(number)} to be {what} there" for what, number in numbers.items() if number]
        return "; ".join(words) or None

    async def last_failure(self) -> str | None:
        """Return why something could not be written that is tried again later; None for nothing.

        Raises `StorageError`.
        """
        rows = await self._database.connectors.put_off_writings(self._connection.store_key)
        return rows[-1].reason if rows else None

    async def _settle(self) -> None:
        """Compare verdicts that changed with what was written of them."""
        for verdict_id, mark in await self._database.connectors.marked(
            self._connection.store_key, VERDICTS_PER_PASS
        ):
            is_written = self._connection.settings.write_back
            assessments = await self._own.of_verdict(verdict_id) if is_written else None
            if assessments is None:
                await self._database.connectors.pass_over(verdict_id, mark)
                continue
            trace_id = await self._own.trace_id_of(verdict_id)
            wanted = [
                AssessmentRow(
                    own_id=own_id,
                    connector=self._connection.store_key,
                    reference=assessment.reference,
                    trace_id=trace_id,
                    verdict_id=verdict_id,
                    person=person,
                    content_hash=content_hash(assessment),
                )
                for own_id, (person, assessment) in assessments.items()
            ]
            await self._database.connectors.settle(verdict_id, mark, wanted)

    async def _carry_out(self, row: AssessmentRow) -> None:
        try:
            await (self._delete(row) if row.state == "deleting" else self._write(row))
        except ToolUnavailableError as error:
            await self._postpone(row, str(error))
            raise
        except ToolRefusedError as error:
            if error.is_of_every_request:
                await self._postpone(row, str(error))
                raise
            await self._take_refusal(row, error)
        except StorageError:
            raise
        except Exception:  # a bug at one assessment must not stop the others
            await self._postpone(row, unexpected(f"{self._connection.name} (writing back)"))

    async def _take_refusal(self, row: AssessmentRow, error: ToolRefusedError) -> None:
        log.warning("%s refuses an assessment of trace %s: %s", self._connection.name, row.trace_id, error)
        if row.state != "deleting":
            await self._database.connectors.give_up(row, str(error))
        elif isinstance(error, GoneError):  # the trace is gone, and all assessments with it
            await self._database.connectors.deleted(row)
        else:
            await self._postpone(row, str(error))

    async def _postpone(self, row: AssessmentRow, reason: str) -> None:
        await self._database.connectors.postpone(row, now_ms() + backoff_ms(row.attempts), reason)

    async def _delete(self, row: AssessmentRow) -> None:
        place = _place(row)
        remote_id = row.remote_id or await self._tool.find(place)
        if remote_id is not None:
            await self._tool.delete(remote_id, place)
        await self._database.connectors.deleted(row)

    async def _write(self, row: AssessmentRow) -> None:
        assessments = await self._own.of_verdict(row.verdict_id)
        if assessments is None or not self._connection.settings.write_back:
            await self._database.connectors.give_up(row, "it is not written back any more")
            return
        if row.own_id not in assessments:  # it was taken back meanwhile, and is settled anew
            return
        _, assessment = assessments[row.own_id]
        remote_id = row.remote_id or await self._tool.find(_place(row))
        if remote_id is None:
            remote_id = await self._tool.create(assessment)
        else:
            remote_id = await self._update(remote_id, assessment)
        await self._database.connectors.written(row, remote_id)

    async def _update(self, remote_id: str, assessment: OwnAssessment) -> str:
        """Change an assessment; where somebody deleted it in the tool, write it anew."""
        try:
            await self._tool.update(remote_id, assessment)
        except GoneError:
            return await self._tool.create(assessment)
        return remote_id


def _waiting_words(number: int) -> str:
    return "1 assessment waits" if number == 1 else f"{number} assessments wait"


def _place(row: AssessmentRow) -> WrittenAssessment:
    return WrittenAssessment(
        own_id=row.own_id, reference=row.reference, trace_id=row.trace_id, remote_id=row.remote_id
    )
