"""`memalign check`: one line for each thing tried; it changes nothing."""

import asyncio
from argparse import Namespace
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from slack_sdk.web.async_client import AsyncWebClient

from bot.cli.terminal import print_text
from bot.config import (
    ConnectorSettings,
    JudgeSettings,
    OtlpSettings,
    Secrets,
    Settings,
    WebhookSettings,
    load_environment,
    load_settings,
)
from bot.connectors.kinds import open_tool
from bot.connectors.removed import removed_connectors
from bot.judging.settings_changes import renaming_offers
from bot.judging.value_problems import stored_labels, value_problem
from bot.outbound.kinds import collector_headers, collector_name, webhook_keys, webhook_names
from bot.outbound.reachability import connect
from bot.plain_text import pluralise
from bot.slack.client import SlackClient
from bot.slack.errors import (
    SlackCallError,
    SlackRefusedError,
    SlackUnreachableError,
    app_token_remedy,
    field_of,
    remedy,
)
from memalign import make_judge
from memalign.errors import MemAlignError, MissingKeyError, SettingsError
from memalign.judge_memory import JudgeMemory
from memalign.models import (
    ModelOptions,
    canonical_name,
    connect_distiller,
    connect_embedder,
    connect_judge_model,
)
from memalign.ports import LabelledRationale, OverruledVerdict
from memalign.records import Source, Trace
from storage.database import Database
from storage.engines import Location
from storage.records import StoreState

SCOPES = (
    "app_mentions:read",
    "channels:history",
    "channels:read",
    "chat:write",
    "commands",
    "groups:history",
    "groups:read",
    "im:history",
    "reactions:read",
    "users:read",
)
"""Scopes of the bot's calls and events; manifest.yml asks for the same."""
LATER = "check again later"
UNREACHABLE_REMEDY = "check the network, a proxy, and SLACK_API_URL"
STORE_WORDS: Mapping[StoreState, str] = {
    "absent": "will be made",
    "empty": "empty",
    "in_use": "in use by a running bot",
    "closed": "can be read and written",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One line of the check."""

    what: str
    fine: bool
    words: str
    """The result; where it is not fine, the remedy."""
    tried: bool = True
    """False where something else has to be mended first."""

    @property
    def mark(self) -> str:
        """The word at the line's beginning."""
        if not self.tried:
            return "-    "
        return "ok   " if self.fine else "WRONG"


@dataclass(slots=True)
class MissingKeys:
    """Keys that are not set, each with what needs it."""

    needed_by: dict[str, list[str]] = field(default_factory=dict)

    def finding(self, what: str, error: MemAlignError) -> Finding:
        """Return the finding for a model that cannot be tried; that its key is missing is told later, once."""
        if not isinstance(error, MissingKeyError):
            return Finding(what=what, fine=False, words=str(error))
        self.needed_by.setdefault(error.variable, []).append(what)
        return Finding(what=what, fine=False, tried=False, words=f"not tried, {error.variable} is missing")

    def findings(self) -> Iterator[Finding]:
        """Yield one finding for each missing key."""
        for variable, models in self.needed_by.items():
            words = f"{variable} is missing; needed by {pluralise(len(models), 'model')}"
            yield Finding(what="key", fine=False, words=words)


async def check(options: Namespace) -> None:
    """Print the findings. Raises `SettingsError` when something is not fine."""
    load_environment(options.config.parent)
    settings = load_settings(options.config)
    print_text(f"ok    settings {options.config}")
    tried, wrong = 1, 0
    async for finding in findings(settings, Secrets.from_environment()):
        tried += finding.tried
        wrong += finding.tried and not finding.fine
        print_text(f"{finding.mark} {finding.what}: {finding.words}")
    if wrong:
        raise SettingsError(f"{wrong} of {tried} checks need a remedy; see the lines marked WRONG.")


async def findings(settings: Settings, secrets: Secrets) -> AsyncIterator[Finding]:
    """Try everything, one thing after the other."""
    store = await _store(settings.data)
    yield store
    if store.fine:
        async for line in _store_contents(settings):
            yield line
    client = SlackClient(token=secrets.bot_token, base_url=secrets.api_url, timeout=10)
    for line in [await _bot_token(client, secrets), await _events(client, secrets)]:
        yield line
    for judge in settings.judges:
        yield await _channel(client, judge) if secrets.bot_token else _channel_without_token(judge)
    keys = MissingKeys()
    yield await _embedding_model(settings, keys)
    yield await _reflection_model(settings, keys)
    for line in _unused_options(settings):
        yield line
    for judge in settings.judges:
        yield await _judge(judge, settings.options_of(judge.model), keys)
    for line in keys.findings():
        yield line
    for connector in settings.connectors:
        yield await _connector(connector)
    async for line in _receivers(settings):
        yield line


async def _store(location: Location) -> Finding:
    what = f"storage {location}"
    try:
        state = await asyncio.to_thread(Database.state, location)
        if state == "closed":
            await (await Database.open(location, read_only=True)).close()
    except MemAlignError as error:
        return Finding(what=what, fine=False, words=str(error))
    engine = "a folder" if isinstance(location, Path) else "PostgreSQL"
    return Finding(what=what, fine=True, words=f"{engine}, {STORE_WORDS[state]}")


async def _store_contents(settings: Settings) -> AsyncIterator[Finding]:
    """Compare what judges have learned, and what waits for connectors, with the settings."""
    if await asyncio.to_thread(Database.state, settings.data) not in ("closed", "in_use"):
        return
    async with await Database.open(settings.data, read_only=True) as database:
        for judge in settings.judges:
            if problem := value_problem(judge, await stored_labels(database, judge.name)):
                yield Finding(what=f"judge {judge.name}", fine=False, words=problem)
        for offer in await renaming_offers(settings, database):
            yield Finding(what=f"judge {offer.old}", fine=True, words=offer.sentence)
        for name, sentence in await removed_connectors(settings, database):
            yield Finding(what=f"connector {name}", fine=False, words=sentence)


async def _bot_token(client: AsyncWebClient, secrets: Secrets) -> Finding:
    if not secrets.bot_token:
        return Finding(what="bot token", fine=False, words="set SLACK_BOT_TOKEN to the bot token (xoxb-…)")
    try:
        answer = await client.auth_test()
    except SlackCallError as error:
        return Finding(what="bot token", fine=False, words=_why(error, secrets))
    granted = str(answer.headers.get("x-oauth-scopes") or "")
    missing = [scope for scope in SCOPES if scope not in [each.strip() for each in granted.split(",")]]
    if granted and missing:
        words = f"the app lacks {', '.join(missing)}; update it from manifest.yml and install it again"
        return Finding(what="scopes", fine=False, words=words)
    return Finding(
        what="bot token and scopes", fine=True, words=f"{answer.get('user')} in {answer.get('team')}"
    )


async def _events(client: AsyncWebClient, secrets: Secrets) -> Finding:
    if secrets.app_token:
        try:
            await client.apps_connections_open(app_token=secrets.app_token)
        except SlackRefusedError as error:
            return Finding(what="app token", fine=False, words=app_token_remedy(error, LATER))
        except SlackUnreachableError as error:
            return Finding(what="app token", fine=False, words=_why(error, secrets))
        return Finding(what="app token", fine=True, words="Socket Mode opens")
    if secrets.signing_secret:
        return Finding(what="signing secret", fine=True, words="HTTP mode; Slack must reach /slack/events")
    words = "set SLACK_APP_TOKEN (xapp-…) for Socket Mode, or SLACK_SIGNING_SECRET for HTTP mode"
    return Finding(what="events", fine=False, words=words)


def _channel_without_token(judge: JudgeSettings) -> Finding:
    what = f"channel {judge.channel} of {judge.name}"
    return Finding(what=what, fine=False, tried=False, words="not tried, there is no bot token")


async def _channel(client: AsyncWebClient, judge: JudgeSettings) -> Finding:
    what = f"channel {judge.channel} of {judge.name}"
    try:
        channel = field_of(await client.conversations_info(channel=judge.channel), "channel", dict)
    except SlackRefusedError as error:
        return Finding(what=what, fine=False, words=remedy(error, LATER))
    except SlackUnreachableError as error:
        return Finding(what=what, fine=False, words=f"{error}; {UNREACHABLE_REMEDY}")
    if channel.get("is_archived"):
        return Finding(what=what, fine=False, words="it is archived; unarchive it or choose another")
    if not channel.get("is_member"):
        return Finding(what=what, fine=False, words="the bot is not in it; invite it with /invite")
    return Finding(what=what, fine=True, words=f"#{channel.get('name', judge.channel)}")


async def _embedding_model(settings: Settings, keys: MissingKeys) -> Finding:
    model = settings.memory.embedding_model
    what = f"embedding model {model}"
    try:
        embedder = connect_embedder(model, settings.memory.embedding_dim, settings.options_of(model))
        dimension = (await embedder.embed(["A short text."])).vectors.shape[1]
    except MemAlignError as error:
        return keys.finding(what, error)
    if dimension != embedder.dimension:
        words = f"it gives {dimension} dimensions; set embedding_dim = {dimension}"
        return Finding(what=what, fine=False, words=words)
    return Finding(what=what, fine=True, words=f"{dimension} dimensions")


async def _reflection_model(settings: Settings, keys: MissingKeys) -> Finding:
    model = settings.memory.reflection_lm
    what = f"reflection model {model}"
    source = Source(
        trace_id="check", person="check", quote="Too stiff: among friends an answer should begin with Hi."
    )
    record = LabelledRationale(
        source=source,
        label=False,
        fields={"inputs": "Hello", "outputs": "Good day!"},
        overruled=OverruledVerdict(value=True, rationale="The answer greets back."),
    )
    try:
        distiller = connect_distiller(model, settings.options_of(model))
        distillation = await distiller.distil("Is it polite?", [record], [])
    except MemAlignError as error:
        return keys.finding(what, error)
    if distillation.failed:
        return Finding(what=what, fine=False, words=next(iter(distillation.failed.values())))
    if distillation.dropped:
        return Finding(
            what=what, fine=False, words="it answers, but repeats the example; choose a stronger model"
        )
    return Finding(what=what, fine=True, words="answers")


def _unused_options(settings: Settings) -> list[Finding]:
    """Name the tables of models that nothing uses, which may be misspelt."""
    memory = settings.memory
    used = {memory.embedding_model, memory.reflection_lm, *(judge.model for judge in settings.judges)}
    unused = settings.models.keys() - {canonical_name(model) for model in used}
    words = "no judge and no memory uses this model; correct the name if it is meant for one that does"
    return [Finding(what=f"options of {model}", fine=True, words=words) for model in sorted(unused)]


async def _judge(judge: JudgeSettings, options: ModelOptions, keys: MissingKeys) -> Finding:
    what = f"judge {judge.name} with {judge.model}"
    try:
        memory = await JudgeMemory.open(
            make_judge(
                name=judge.name,
                instructions=judge.instructions,
                feedback_value_type=judge.feedback_value_type,
                model=judge.model,
                value_range=judge.range,
            ),
            embedder=connect_embedder("local:/wordllama", 256),
            judge_model=connect_judge_model(judge.model, options),
            distiller=connect_distiller("local:/extract"),
        )
        sample = Trace(
            trace_id="check", inputs="Hello", outputs="Good day!", expectations={}, conversation="Hello"
        )
        await memory.judge(sample)
    except MemAlignError as error:
        return keys.finding(what, error)
    return Finding(what=what, fine=True, words="answers")


async def _connector(settings: ConnectorSettings) -> Finding:
    what = f"connector {settings.name}"
    try:
        tool = open_tool(settings)
        try:
            return Finding(what=what, fine=True, words=await tool.check())
        finally:
            await tool.close()
    except MemAlignError as error:
        return Finding(what=what, fine=False, words=str(error))


async def _receivers(settings: Settings) -> AsyncIterator[Finding]:
    """Connect to those that are told of changes; they are sent nothing."""
    for name, webhook in zip(webhook_names(settings.webhooks), settings.webhooks, strict=True):
        yield await _webhook(name, webhook)
    if settings.otlp.endpoint:
        yield await _collector(settings.otlp)


async def _webhook(what: str, settings: WebhookSettings) -> Finding:
    try:
        webhook_keys(settings)
        place = await connect(settings.url)
    except MemAlignError as error:
        return Finding(what=what, fine=False, words=str(error))
    return Finding(what=what, fine=True, words=f"{place} takes connections; no event was sent")


async def _collector(settings: OtlpSettings) -> Finding:
    what = collector_name(settings)
    try:
        collector_headers(settings)
        place = await connect(settings.endpoint)
    except MemAlignError as error:
        return Finding(what=what, fine=False, words=str(error))
    return Finding(what=what, fine=True, words=f"{place} takes connections; no event was sent")


def _why(error: SlackCallError, secrets: Secrets) -> str:
    if isinstance(error, SlackRefusedError):
        return remedy(error, LATER)
    return f"{error} at {secrets.api_url}; {UNREACHABLE_REMEDY}"
