"""The resources that every flow is built on."""

from collections.abc import Mapping
from dataclasses import dataclass

from bot.config import Secrets, Settings
from bot.judge_names import JudgeNames, RenamingOffer
from bot.redaction.redactor import Redactor
from bot.runtime.health import HealthRegistry
from bot.runtime.metrics import Metrics
from bot.slack.service import SlackService
from memalign.judge_memory import JudgeMemory
from storage.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class Resources:
    """Settings, store, memories and Slack, opened; only `build` of a package takes them together."""

    settings: Settings
    secrets: Secrets
    database: Database
    memories: Mapping[str, JudgeMemory]
    """By judge."""
    unnamed_memories: Mapping[str, JudgeMemory]
    """Those of judges that the settings name no more: nothing is learned there, but it is forgotten."""
    renaming_offers: tuple[RenamingOffer, ...]
    judge_names: JudgeNames
    slack: SlackService
    redactor: Redactor
    health: HealthRegistry
    metrics: Metrics
