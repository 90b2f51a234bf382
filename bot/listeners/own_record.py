"""`/memalign mine` and `/memalign forgotten`: what is held about a person, and what was forgotten."""

import json
from collections.abc import Mapping
from dataclasses import replace

from bot.blocks.mine import MAX_VOTES_SHOWN, forgotten_list, nothing_held, own_file, own_record
from bot.blocks.primitives import SlackMessage
from bot.config import Settings
from bot.feedback import feedback_of
from bot.listeners.judge_access import JudgeAccess
from bot.records import OwnRecord, OwnVote
from bot.reports.export import export_person_lines
from bot.reports.past_forgettings import forgetting_lines, past_forgettings, people_in
from bot.runtime.clock import from_ms, now_ms
from bot.slack.users import People
from memalign.judge_memory import JudgeMemory
from storage.database import Database
from storage.records import AuditLine, StoredVerdict


class OwnRecords:
    """Reads what the store and the memories hold about one person."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        memories: Mapping[str, JudgeMemory],
        people: People,
        access: JudgeAccess,
    ) -> None:
        self._settings = settings
        self._database = database
        self._memories = memories
        self._people = people
        self._access = access

    async def read(self, person: str) -> OwnRecord:
        """Return a person's votes and reasons, newest first, and the rules that rest on them. Raises `StorageError`.

        Of judges in whose channels the person is no longer, it has their number only.
        """
        judges = {judge.name for judge in await self._access.judges_of(person)}
        stored = await self._database.feedback.of_person(person)
        votes = [
            vote
            for each in stored
            if each.verdict.judge in judges and (vote := await self._vote(each, person)) is not None
        ]
        votes.sort(key=lambda vote: vote.at, reverse=True)
        shown = [
            replace(vote, trace=await self._database.traces.get(vote.stored.verdict.trace_id))
            for vote in votes[:MAX_VOTES_SHOWN]
        ]
        rules = tuple(
            (self._settings.titles.get(judge, judge), rule)
            for judge, memory in self._memories.items()
            if judge in judges
            for rule in memory.guidelines
            if person in rule.people
        )
        return OwnRecord(
            votes=(*shown, *votes[MAX_VOTES_SHOWN:]),
            rules=rules,
            hidden=sum(each.verdict.judge not in judges for each in stored),
            is_muted=await self._database.preferences.is_muted(person),
        )

    async def mine(self, person: str) -> list[SlackMessage]:
        """Show a person all that is held about them."""
        record = await self.read(person)
        return (
            [own_record(record)] if record.votes or record.rules or record.hidden else [nothing_held(record)]
        )

    async def file(self, person: str) -> list[SlackMessage]:
        """Show the same as lines of JSON, as `memalign export --person` writes them."""
        judges = await self._access.judges_of(person)
        lines = [
            json.dumps(line, ensure_ascii=False)
            async for line in export_person_lines(self._database, judges, person, self._settings.policy_of)
        ]
        return own_file(lines)

    async def forgotten(self, person: str) -> list[SlackMessage]:
        """List what was forgotten of the judges that a person may see, newest first."""
        judges = {judge.name for judge in await self._access.judges_of(person)}
        lines = forgetting_lines(await self._database.audit.between(0, now_ms() + 1))
        told = [line for line in reversed(lines) if _concerns(line, person, judges)]
        names = {each: await self._people.name(each) for each in people_in(told)}
        return [forgotten_list(past_forgettings(told, names, self._settings.digest.zone))]

    async def _vote(self, stored: StoredVerdict, person: str) -> OwnVote | None:
        events = await self._database.feedback.by(stored.verdict_id, person)
        memory = self._memories.get(stored.verdict.judge)
        if events is None or memory is None:
            return None
        feedback = feedback_of(stored, person, events, memory.definition.value_type)
        if feedback.vote is None and not feedback.rationale:
            return None
        return OwnVote(
            stored=stored,
            trace=None,
            vote=feedback.vote,
            value=feedback.value,
            rationale=feedback.rationale,
            at=from_ms(feedback.time_ms, self._settings.digest.zone),
        )


def _concerns(line: AuditLine, person: str, judges: set[str]) -> bool:
    """Return whether a person may read of a forgetting: their own doing, their own words, or their judges'."""
    return (
        line.judge in judges or person == line.person or person in line.ids or line.what == "person_forgotten"
    )
