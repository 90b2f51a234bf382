"""Taking one person's words and votes back, everywhere: facts first, then what memories made of them.

What others said on the same traces is learned again from what remains, by the way all feedback is learned.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from bot.forgetting.quotes import redact_quotes
from bot.forgetting.service import erase_lessons
from bot.posting.redaction import MessageRedactor
from bot.runtime.clock import now_ms
from memalign.judge_memory import JudgeMemory
from memalign.records import Forgotten, PersonTarget
from storage.database import Database
from storage.records import AuditLine, ForgetRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonFarewell:
    """What forgetting a person takes, or took."""

    person: str
    verdicts: int
    """On how many verdicts they said or voted something."""
    judges: tuple[tuple[str, Forgotten], ...]
    """Of each judge: the person's cases, the guidelines that go, and those to be learned again."""

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing of this person."""
        return not self.verdicts and not any(part.trace_ids or part.retired for _, part in self.judges)


class Withdrawal:
    """Forgets people's words."""

    def __init__(
        self,
        database: Database,
        memories: Mapping[str, JudgeMemory],
        redactor: MessageRedactor,
        take_back: Callable[[Collection[str]], None],
    ) -> None:
        """`take_back`: what is in hand of these traces is out of date and must not be learned as it is."""
        self._database = database
        self._memories = memories
        self._redactor = redactor
        self._take_back = take_back

    async def preview(self, person: str) -> PersonFarewell:
        """What would go; changes nothing."""
        judges = tuple(
            (name, memory.what_rests_on(PersonTarget(person=person)))
            for name, memory in self._memories.items()
        )
        verdicts = await self._database.feedback.of_person(person)
        return PersonFarewell(person=person, verdicts=len(verdicts), judges=judges)

    async def channels_of(self, person: str) -> set[str]:
        """Where the person said or voted something."""
        return {stored.channel for stored in await self._database.feedback.of_person(person)}

    async def intend(self, person: str, who: str | None) -> None:
        """Make sure that it happens, also if the bot is killed now. Raises `StorageError`."""
        note = AuditLine(at_ms=now_ms(), what="person_forgotten", judge="", person=who, ids=(person,))
        await self._database.forgetting.request(ForgetRequest(kind="person", target=person, notes=(note,)))

    async def forget(self, person: str, who: str | None) -> PersonFarewell:
        """Take everything of the person back. Raises `StorageError`."""
        await self.intend(person, who)
        return await self.carry_out(person)

    async def carry_out(self, person: str) -> PersonFarewell:
        """Do what was intended, or the rest of it. Raises `StorageError`."""
        farewell = await self.preview(person)
        await self._redact_quotes(person, farewell)
        for _, part in farewell.judges:
            await erase_lessons(self._database, part)
        touched = await self._database.forgetting.delete_person(person, now_ms())
        for name, part in farewell.judges:
            own = {stored.verdict.trace_id for stored in touched if stored.verdict.judge == name}
            await self._forget(self._memories[name], own | set(part.trace_ids))
        await self._database.forgetting.finish_person(person)
        await self._redactor.now()
        return farewell

    async def _redact_quotes(self, person: str, farewell: PersonFarewell) -> None:
        texts = []
        for stored in await self._database.feedback.of_person(person):
            facts = (await self._database.feedback.of(stored.verdict_id))[person]
            texts += [reply.text or "" for reply in facts.replies.values()]
        rules = {rule.id: rule.text for _, part in farewell.judges for rule in (*part.retired, *part.waiting)}
        traces = {trace_id for _, part in farewell.judges for trace_id in part.trace_ids}
        await redact_quotes(self._database, [*texts, *rules.values()], traces, rules.keys())

    async def _forget(self, memory: JudgeMemory, trace_ids: set[str]) -> None:
        if trace_ids:
            self._take_back(trace_ids)
            await memory.forget(trace_ids)
