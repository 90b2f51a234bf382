"""Settings: `memalign.toml` for choices that a team reviews, the environment for secrets and addresses."""

from bot.config.environment import Secrets, load_environment
from bot.config.reader import load_settings, read_settings
from bot.config.settings import (
    LOG_LEVELS,
    WEBHOOK_EVENTS,
    WEEKDAYS,
    AccessSettings,
    ConnectorSettings,
    DigestSettings,
    IngestSettings,
    JudgeSettings,
    LogLevel,
    LogSettings,
    MemorySettings,
    OtlpSettings,
    RedactionSettings,
    SamplingSettings,
    Settings,
    SkippedKind,
    StorageSettings,
    WebhookSettings,
)

__all__ = [
    "LOG_LEVELS",
    "WEBHOOK_EVENTS",
    "WEEKDAYS",
    "AccessSettings",
    "ConnectorSettings",
    "DigestSettings",
    "IngestSettings",
    "JudgeSettings",
    "LogLevel",
    "LogSettings",
    "MemorySettings",
    "OtlpSettings",
    "RedactionSettings",
    "SamplingSettings",
    "Secrets",
    "Settings",
    "SkippedKind",
    "StorageSettings",
    "WebhookSettings",
    "load_environment",
    "load_settings",
    "read_settings",
]
