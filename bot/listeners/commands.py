"""`/memalign`: answered to the person who asked, and to nobody else."""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from html import unescape

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.context.respond.async_respond import AsyncRespond

from bot.blocks.commands import (
    help_text,
    no_judges,
    partial_status_message,
    status_message,
    unknown_command,
    unknown_week,
)
from bot.blocks.judge_stats import judge_stats_message
from bot.blocks.primitives import SlackMessage
from bot.config import Settings
from bot.listeners.after_ack import AfterAck
from bot.listeners.forget import ForgetListener
from bot.listeners.guideline_pages import GuidelinePages
from bot.listeners.judge_access import JudgeAccess
from bot.listeners.memory_history import MemoryHistoryPages
from bot.listeners.own_record import OwnRecords
from bot.listeners.pausing import Pausing
from bot.listeners.responses import or_error_message, respond_ephemeral, respond_with_charts
from bot.listeners.teaching import Teaching
from bot.listeners.why import WhyListener
from bot.plain_text import nearest
from bot.reports.digest_renderer import DigestRenderer
from bot.reports.judge_stats_reader import JudgeStatsReader
from bot.reports.status import StatusReport
from bot.runtime.clock import from_ms, named_week, now_ms
from bot.slack.chart_support import ChartSupport
from memalign.records import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class SlashCommand:
    """`/memalign <name> <text>` as a person typed it."""

    person: str
    channel: str
    """The channel in which it was typed."""
    name: str
    text: str
    """The rest, after one blank."""

    @classmethod
    def of(cls, payload: dict[str, Json]) -> "SlashCommand":
        """Read Slack's payload; without a name, help is asked for."""
        name, *text = re.split(r"\s", str(payload.get("text") or "").lstrip(), maxsplit=1)
        return cls(
            person=str(payload["user_id"]),
            channel=str(payload["channel_id"]),
            name=name or "help",
            text="".join(text),
        )


class SlashCommands:
    """Answers the sub-commands, each of which is one method."""

    def __init__(
        self,
        settings: Settings,
        digests: DigestRenderer,
        stats: JudgeStatsReader,
        status: StatusReport,
        access: JudgeAccess,
        forgetting: ForgetListener,
        why: WhyListener,
        pausing: Pausing,
        records: OwnRecords,
        pages: GuidelinePages,
        history: MemoryHistoryPages,
        teaching: Teaching,
        charts: ChartSupport,
        after_ack: AfterAck,
    ) -> None:
        self._settings = settings
        self._digests = digests
        self._stats = stats
        self._status = status
        self._access = access
        self._forgetting = forgetting
        self._why = why
        self._pausing = pausing
        self._records = records
        self._pages = pages
        self._history = history
        self._teaching = teaching
        self._charts = charts
        self._after_ack = after_ack

    def listen(self, app: AsyncApp) -> None:
        """Register the listener."""
        app.command("/memalign")(self.memalign)

    async def memalign(self, ack: AsyncAck, command: dict[str, Json], respond: AsyncRespond) -> None:
        """Acknowledge, and answer from a task of the app."""
        typed = SlashCommand.of(command)
        if typed.name.lower() == "forget":
            await self._forgetting.command(ack, typed.person, typed.text, respond)
        elif typed.name.lower() == "teach":
            request_id = str(command.get("trigger_id"))
            await self._teaching.command(ack, request_id, typed.person, typed.channel, typed.text, respond)
        elif typed.name.lower() in CHANGES:
            # stored first, so that what Slack gets an ack for is on disk
            messages = await self._messages(typed)
            await ack()
            self._after_ack.run(respond_ephemeral(respond, messages))
        else:
            await ack()
            self._after_ack.run(self._respond(typed, respond))

    async def _respond(self, command: SlashCommand, respond: AsyncRespond) -> None:
        await respond_with_charts(respond, await self._messages(command), self._charts)

    async def _messages(self, command: SlashCommand) -> list[SlackMessage]:
        work = ANSWERS.get(command.name.lower(), SlashCommands.unknown)(self, command)
        return await or_error_message(work, f"/memalign {command.name}")

    async def unknown(self, command: SlashCommand) -> list[SlackMessage]:
        """Say that there is no such sub-command."""
        guess = nearest(command.name, [*ANSWERS, *OWN_LISTENERS], MIN_COMMAND_SIMILARITY)
        return [unknown_command(command.name, guess, keep_days=self._settings.storage.keep_days)]

    async def help(self, _: SlashCommand) -> list[SlackMessage]:
        """Say what there is."""
        return [help_text(keep_days=self._settings.storage.keep_days)]

    async def guidelines(self, command: SlashCommand) -> list[SlackMessage]:
        """Show the guidelines of the judge that is named, or of this channel's, as far as they hold the words."""
        return await self._pages.command(command.person, command.channel, unescape(command.text))

    async def history(self, command: SlashCommand) -> list[SlackMessage]:
        """Show the versions of what a judge has learned, each with a way back."""
        name = " ".join(unescape(command.text).split())
        return await self._history.command(command.person, command.channel, name)

    async def why(self, command: SlashCommand) -> list[SlackMessage]:
        """Show what the verdicts on a trace rest on."""
        return await self._why.explain(command.person, command.text)

    async def status(self, command: SlashCommand) -> list[SlackMessage]:
        """Show what waits for the judges whose channels the person is in, and why."""
        judges = await self._access.judges_of(command.person)
        status = await self._status.read_about({judge.name for judge in judges})
        is_whole = len(judges) == len(self._settings.judges)
        return [status_message(status) if is_whole else partial_status_message(status)]

    async def digest(self, command: SlashCommand) -> list[SlackMessage]:
        """Show the running week, or the one that is named, of this channel's judges, or of all the person's."""
        week = named_week(command.text, from_ms(now_ms(), self._settings.digest.zone).date())
        if week is None:
            return [unknown_week(command.text)]
        judges = await self._access.judges_of(command.person)
        judges_here = [judge for judge in judges if judge.channel == command.channel]
        return [await self._digests.render(judge, week) for judge in judges_here or judges] or [no_judges()]

    async def stats(self, command: SlashCommand) -> list[SlackMessage]:
        """Show the figures over its life of the judge that is named, of this channel's, or of all the person's."""
        name = " ".join(unescape(command.text).split())
        judges = await self._access.judges_named(name, command.person)
        judges_here = [judge for judge in judges if judge.channel == command.channel]
        told = [judge_stats_message(await self._stats.read(judge)) for judge in judges_here or judges]
        return told or [no_judges()]

    async def pause(self, command: SlashCommand) -> list[SlackMessage]:
        """Pause a judge."""
        return await self._pausing.pause(command.person, command.channel, " ".join(command.text.split()))

    async def resume(self, command: SlashCommand) -> list[SlackMessage]:
        """End a judge's pause."""
        return await self._pausing.resume(command.person, command.channel, " ".join(command.text.split()))

    async def mute(self, command: SlashCommand) -> list[SlackMessage]:
        """Ask the person nothing privately any more."""
        return await self._pausing.mute(command.person)

    async def unmute(self, command: SlashCommand) -> list[SlackMessage]:
        """Ask the person privately again."""
        return await self._pausing.unmute(command.person)

    async def mine(self, command: SlashCommand) -> list[SlackMessage]:
        """Show all that is held about the person, as words or as lines of a file."""
        if command.text.strip().lower() == "file":
            return await self._records.file(command.person)
        return await self._records.mine(command.person)

    async def forgotten(self, command: SlashCommand) -> list[SlackMessage]:
        """List what was forgotten, by whom and when."""
        return await self._records.forgotten(command.person)


MIN_COMMAND_SIMILARITY = 0.7
"""Share of equal letters from which a sub-command may be meant: `correct` is as near as 0.62 to `forget`."""
CHANGES = {"pause", "resume", "mute", "unmute"}
"""The sub-commands that store something."""
ANSWERS: Mapping[str, Callable[[SlashCommands, SlashCommand], Awaitable[list[SlackMessage]]]] = {
    "guidelines": SlashCommands.guidelines,
    "history": SlashCommands.history,
    "why": SlashCommands.why,
    "status": SlashCommands.status,
    "digest": SlashCommands.digest,
    "stats": SlashCommands.stats,
    "help": SlashCommands.help,
    "pause": SlashCommands.pause,
    "resume": SlashCommands.resume,
    "mute": SlashCommands.mute,
    "unmute": SlashCommands.unmute,
    "mine": SlashCommands.mine,
    "forgotten": SlashCommands.forgotten,
}
"""The sub-commands by name, but for those that have listeners of their own."""
OWN_LISTENERS = ("forget", "teach")
"""The other sub-commands, which are stored before Slack's ack."""
