"""Settings: `memalign.toml` for choices that a team reviews, the environment for secrets and addresses."""

from bot.config.environment import Secrets, load_environment
from bot.config.reader import load_settings, read_settings
from bot.config.settings import (
    LOG_LEVELS,
    WEEKDAYS,
    AccessSettings,
    ConnectorSettings,
    DigestSettings,
    IngestSettings,
    JudgeSettings,
    LogLevel,
    LogSettings,
    MemorySettings,
    RedactionSettings,
    SamplingSettings,
    Settings,
    SkippedKind,
    StorageSettings,
)

__all__ = [
    "LOG_LEVELS",
    "WEEKDAYS",
    "AccessSettings",
    "ConnectorSettings",
    "DigestSettings",
    "IngestSettings",
    "JudgeSettings",
    "LogLevel",
    "LogSettings",
    "MemorySettings",
    "RedactionSettings",
    "SamplingSettings",
    "Secrets",
    "Settings",
    "SkippedKind",
    "StorageSettings",
    "load_environment",
    "load_settings",
    "read_settings",
]
