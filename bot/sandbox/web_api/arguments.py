"""The arguments of one Web API call, read as Slack reads them from a form, a query or a JSON body."""

import json

from bot.sandbox.workspace.errors import SlackError, invalid_arguments
from bot.sandbox.workspace.records import Payload


class Arguments:
    """Named arguments; each reader raises SlackError for a value that Slack would refuse."""

    def __init__(self, values: Payload) -> None:
        self._values = values

    def __contains__(self, name: str) -> bool:
        return self._values.get(name) is not None

    def text(self, name: str) -> str | None:
        """Return a text argument, or None when it is absent."""
        value = self._values.get(name)
        if value is None or isinstance(value, str):
            return value
        if isinstance(value, int | float) and not isinstance(value, bool):
            return str(value)
        raise invalid_arguments(f"must be a string: {name}")

    def require(self, name: str, code: str = "invalid_arguments") -> str:
        """Return a required text argument; refuses with `code` when it is absent or empty."""
        value = self.text(name)
        if value:
            return value
        if code == "invalid_arguments":
            raise invalid_arguments(f"missing required field: {name}")
        raise SlackError(code)

    def flag(self, name: str) -> bool:
        """Return a boolean argument, which forms spell `true` or `1`."""
        value = self._values.get(name)
        return value is True or str(value).lower() in {"true", "1"}

    def number(self, name: str, default: int, maximum: int) -> int:
        """Return a whole number from 1 to `maximum`; refuses with `invalid_limit`."""
        value = self.text(name)
        if value is None:
            return default
        if not value.isdigit() or not 1 <= int(value) <= maximum:
            raise SlackError("invalid_limit", f"{name} must be from 1 to {maximum}.")
        return int(value)

    def json_value(self, name: str, code: str) -> object:
        """Return a JSON argument, which forms send as text; refuses unreadable text with `code`."""
        value = self._values.get(name)
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value) if value else None
        except json.JSONDecodeError as error:
            raise SlackError(code, f"{name} is no JSON: {error}.") from error
