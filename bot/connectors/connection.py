"""One connector: its settings, its tool, and the key by which the store knows it."""

from dataclasses import dataclass

from bot.config import ConnectorSettings
from bot.connectors.tool import TracingTool
from storage.keys import digest, key


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolConnection:
    """A connector, opened."""

    settings: ConnectorSettings
    tool: TracingTool
    judges: tuple[str, ...] = ()
    """The judges of its traces, by their names; empty: all."""

    @property
    def name(self) -> str:
        """The connector as the status calls it."""
        return self.settings.name

    @property
    def store_key(self) -> str:
        """Type, address and project in one: another project is read from its own beginning."""
        return store_key_of(self.settings)


def store_key_of(settings: ConnectorSettings) -> str:
    """Return the key by which the store knows a connector."""
    return f"{settings.type}:{digest(key(settings.url, settings.place))[:20]}"
