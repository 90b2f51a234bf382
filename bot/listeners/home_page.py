"""Reads the Home tab of one person: each judge's week, open cards, own votes, own rules."""

from collections.abc import Mapping, Sequence

from slack_sdk.web.async_client import AsyncWebClient

from bot.blocks.home import MAX_OPEN_CARDS_SHOWN
from bot.card_expiry import is_open
from bot.config import JudgeSettings, Settings
from bot.feedback import has_answered
from bot.listeners.judge_access import JudgeAccess
from bot.listeners.own_record import OwnRecords
from bot.records import HomeJudge, HomePage, OpenCard
from bot.reports.digest import read_digest
from bot.reports.status import StatusReport
from bot.runtime.clock import from_ms, now_ms, week_of
from bot.slack.permalink import permalink
from memalign.judge_memory import JudgeMemory
from storage.database import Database
from storage.records import StoredVerdict

NEWEST_VERDICTS = 50
"""Newest verdicts of a judge that are searched for open cards."""


class HomePages:
    """Gathers what a person may see on the tab."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        memories: Mapping[str, JudgeMemory],
        access: JudgeAccess,
        records: OwnRecords,
        status: StatusReport,
        client: AsyncWebClient,
    ) -> None:
        self._settings = settings
        self._database = database
        self._memories = memories
        self._access = access
        self._records = records
        self._status = status
        self._client = client

    async def read(self, person: str) -> HomePage:
        """Return the judges in whose channels a person is, the open cards and that person's feedback."""
        judges = await self._access.judges_of(person)
        record = await self._records.read(person)
        status = await self._status.read_about({judge.name for judge in judges})
        return HomePage(
            judges=tuple([await self._judge(judge) for judge in judges]),
            open_cards=() if record.is_muted else await self._open_cards(person, judges),
            record=record,
            is_well=status.connected and not status.troubles,
            keep_days=status.keep_days,
            read_at=from_ms(now_ms(), self._settings.digest.zone),
        )

    async def _judge(self, judge: JudgeSettings) -> HomeJudge:
        memory, zone = self._memories[judge.name], self._settings.digest.zone
        week = week_of(from_ms(now_ms(), zone).date())
        digest = await read_digest(self._database, judge.name, memory.definition.value_type, week, zone)
        return HomeJudge(
            name=judge.title,
            cases=len(memory.episodes),
            guidelines=len(memory.guidelines),
            rules=memory.guidelines,
            agreed=digest.agreed,
            n=digest.n,
            is_paused=judge.name in await self._database.preferences.pauses(),
        )

    async def _open_cards(self, person: str, judges: Sequence[JudgeSettings]) -> tuple[OpenCard, ...]:
        """Return the newest cards without this person's vote, one more than the tab shows at most."""
        cards: list[OpenCard] = []
        for judge in judges:
            for stored in await self._database.verdicts.recent(judge.name, NEWEST_VERDICTS):
                if stored.channel == judge.channel and (card := await self._open_card(stored, person)):
                    cards.append(card)
                if len(cards) > MAX_OPEN_CARDS_SHOWN:
                    return tuple(cards)
        return tuple(cards)

    async def _open_card(self, stored: StoredVerdict, person: str) -> OpenCard | None:
        """Return the card if it is of the last days, this person has not voted on it, and Slack still has it."""
        if stored.message_ts is None or not is_open(stored, now_ms()):
            return None
        feedback = await self._database.feedback.by(stored.verdict_id, person)
        value_type = self._memories[stored.verdict.judge].definition.value_type
        if feedback is not None and has_answered(stored, person, feedback, value_type):
            return None
        trace = await self._database.traces.get(stored.verdict.trace_id)
        link = await permalink(self._client, stored.channel, stored.message_ts)
        if trace is None or not link:
            return None
        judge = stored.verdict.judge
        return OpenCard(
            stored=stored,
            title=self._settings.titles.get(judge, judge),
            value_type=value_type,
            trace=trace,
            link=link,
        )
