"""The parameters that a server takes for a model, as far as it has refused some. Kept for the process."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from memalign.errors import RequestRefusedError
from memalign.records import Json

Mode = Literal["json_schema", "json_object", "tool", "none"]
"""A form in which an answer is asked for: by a schema, as any JSON object, as a call of a tool, in the prompt alone."""
_FORM_WORDS = {
    "json_schema": r"response_?format|json[_ ]schema|\bschema\b|structured[_ ]output|grammar|guided",
    "json_object": r"response_?format|json[_ ]object|json[_ ]mode|grammar|guided",
    "tool": r"tool[_ ]?choice|\btools?\b|function[_ ]call",
}
"""Mode -> the words by which servers refuse it."""
_FORM_VALUE = re.compile(r"schema|json_object|\btypes?\b", re.IGNORECASE)
"""Words of a refusal of `response_format` that is one of its value."""
_BOUND = "maxItems"
_UNSUPPORTED = re.compile(
    r"unsupported|n[o']t (?:be )?(?:supported|permitted|allowed|recognized|implemented|available|accepted)"
    r"|n[o']t support|unrecognized|unknown|unexpected|unavailable|forbidden|extra inputs|extraneous"
    r"|invalid (?:field|param|argument|key)|no such|instead",
    re.IGNORECASE,
)
"""Words by which servers refuse a parameter as such; with others they refuse its value."""


class ParameterRefusedError(RequestRefusedError):
    """The server takes no such parameter.

    Args:
        message: The sentence for a person.
        names: Its name, or the forms of an answer that it stands for.
    """

    def __init__(self, message: str, *, names: frozenset[str]) -> None:
        super().__init__(message)
        self.names = names


class BoundRefusedError(RequestRefusedError):
    """The server takes no schema that bounds the items of a list: Azure and Anthropic document so."""


def without_bounds(schema: Json) -> Json:
    """Take the bounds of lists out of a schema.

    Args:
        schema: A JSON schema, or a part of one.

    Returns:
        The same without `maxItems`.
    """
    if isinstance(schema, Mapping):
        return {name: without_bounds(part) for name, part in schema.items() if name != _BOUND}
    return [without_bounds(part) for part in schema] if isinstance(schema, list) else schema


def refused_bounds(words: str, body: Json) -> bool:
    """Tell whether a server refused a schema for the bounds of its lists.

    Args:
        words: The server's own words.
        body: The request's.

    Returns:
        True if it names them, and there were any.
    """
    return _BOUND in words and f'"{_BOUND}"' in json.dumps(body, default=str)


@dataclass(slots=True, kw_only=True)
class Capabilities:
    """The parameters that a server has refused for one model."""

    refuses_bounds: bool = False
    """True once it has refused a schema that bounds the items of a list."""
    refused_modes: set[str] = field(default_factory=set)
    refused_limits: set[str] = field(default_factory=set)
    """Names of the limit of an answer's tokens."""
    max_answer_tokens: int | None = None
    """Most tokens that the model can write, once the server has refused a higher limit."""
    thinks: bool = False
    """True once the model has spent all tokens of an answer on thinking."""

    def modes(self, preferred: Sequence[Mode]) -> list[Mode]:
        """List the forms to ask in.

        Args:
            preferred: The forms, best first.

        Returns:
            Those that were not refused, the last one in any case.
        """
        return [mode for mode in preferred[:-1] if mode not in self.refused_modes] + [preferred[-1]]

    def limits(self, preferred: Sequence[str]) -> list[str | None]:
        """List the names under which to limit an answer's tokens.

        Args:
            preferred: The names, best first.

        Returns:
            Those that were not refused, then None for no limit at all.
        """
        return [*(name for name in preferred if name not in self.refused_limits), None]

    def answer_tokens(self, wanted: int) -> int:
        """Lower a limit to what the model can write.

        Args:
            wanted: Tokens wanted for an answer.

        Returns:
            These, or the most that the server takes.
        """
        return wanted if self.max_answer_tokens is None else min(wanted, self.max_answer_tokens)


class AnswerLimitError(RequestRefusedError):
    """The limit of an answer's tokens is higher than the model can write.

    Args:
        message: The sentence for a person.
        max_tokens: The most that the server takes.
    """

    def __init__(self, message: str, *, max_tokens: int) -> None:
        super().__init__(message)
        self.max_tokens = max_tokens


_known: dict[tuple[str, str | None, str], Capabilities] = {}


def capabilities_of(provider: str, base_url: str | None, model: str) -> Capabilities:
    """Look up what is known of a server's parameters. For use on the private loop.

    Args:
        provider: As in `provider:/name`.
        base_url: The server's address; None: the provider's own.
        model: The model's name at the server.

    Returns:
        The same object for the same server and model.
    """
    return _known.setdefault((provider, base_url, model), Capabilities())


def refused_forms(words: str, mode: Mode) -> frozenset[str]:
    """Find the forms that a server refuses.

    Args:
        words: The server's own words.
        mode: The form in which the answer was asked for.

    Returns:
        The forms; none if the words do not name the form.
    """
    if mode not in _FORM_WORDS or not re.search(_FORM_WORDS[mode], words, re.IGNORECASE):
        return frozenset()
    is_whole_parameter = mode != "tool" and refused_parameter(words, ["response_format"])
    if is_whole_parameter and not _FORM_VALUE.search(words):
        return frozenset({"json_schema", "json_object"})
    return frozenset({mode})


def refused_parameter(words: str, names: Iterable[str]) -> str | None:
    """Find the parameter as such that a server refuses.

    Args:
        words: The server's own words.
        names: Parameters that were sent.

    Returns:
        The first of the names that is refused; None if none is.
    """
    if not _UNSUPPORTED.search(words):
        return None
    return next((name for name in names if re.search(rf"\b{re.escape(name)}\b", words)), None)
