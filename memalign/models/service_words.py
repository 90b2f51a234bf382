"""Reading of what a model's service says of an error: its codes and its message, whatever the form of its answer."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from memalign.models.json_answers import parse_body, value_at
from memalign.records import Json

MAX_PARSED_CHARACTERS = 1_000_000
"""Of an answer that tells an error; a longer one has no message for anybody."""
MAX_QUOTED_CHARACTERS = 200
"""Of a service's message in a sentence for a person."""
MIN_QUOTED_WORDS = 3
"""Words in a row of a prompt by which a message is known to quote it. Set by hand: services say two by chance."""
_CODE = re.compile(r"[A-Za-z0-9][\w.\-]{0,59}")
_KEY = re.compile(r"\b(?:(?:sk|pk|rk|gsk|key|xai|hf|AIza)[-_]?|Bearer )[A-Za-z0-9*_\-]{8,}")
_WORD = re.compile(r"\w+")
_PAGE = re.compile(r"\s*<(?:!doctype|html|head|body|\?xml)", re.IGNORECASE)
_CODE_NAMES = ("code", "type", "status", "error_code", "errorCode")
_SIZE_NAMES = ("n_ctx", "n_prompt_tokens")
"""As llama.cpp tells the sizes of context and prompt."""
_MESSAGE_NAMES = ("message", "detail", "msg", "error", "error_message", "title")


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceWords:
    """An error in a service's own words."""

    codes: tuple[str, ...] = ()
    """Short names and numbers of the error, such as `insufficient_quota`."""
    message: str = ""
    """One line; empty when there is none."""
    sizes: str = ""
    """Lengths that stand beside the message, each after its name."""
    is_page: bool = False
    """True if the answer is a web page: whatever answers there, it is no model's service."""

    @property
    def text(self) -> str:
        """Codes, message and sizes together, to look for words in."""
        return " ".join((*self.codes, self.message, self.sizes))

    def quote(self, prompt: Iterable[str], secrets: Iterable[str]) -> str:
        """Quote the service in a sentence for a person.

        Args:
            prompt: The texts that were sent. A message that repeats words of theirs is left out.
            secrets: Texts to mask, such as the key.

        Returns:
            The message in quotation marks, cut to 200 characters, else the first code; empty when there is neither.
        """
        message = self.message
        for secret in filter(None, secrets):
            message = message.replace(secret, "…")
        message = _KEY.sub("…", message)
        if message and not _repeats(message, prompt):
            cut = message[:MAX_QUOTED_CHARACTERS]
            return f"“{cut}…”" if len(cut) < len(message) else f"“{cut.rstrip('.')}”"
        return f"“{self.codes[0]}”" if self.codes else ""


def words_of(text: str) -> ServiceWords:
    """Read an answer that tells an error.

    Args:
        text: The answer's body.

    Returns:
        Its codes and its message.
    """
    if _PAGE.match(text):
        return ServiceWords(is_page=True)
    body = parse_body(text) if len(text) <= MAX_PARSED_CHARACTERS else None
    if body is None or isinstance(body, str | int | float):
        return ServiceWords(message=_line(text[: 5 * MAX_QUOTED_CHARACTERS]))
    return error_in(body)


def error_in(body: Json) -> ServiceWords:
    """Read the error that a parsed answer tells.

    Args:
        body: The answer: an object, with the error in it or around it, or a list of such objects.

    Returns:
        Its codes and its message.
    """
    objects = list(_objects(body))
    codes = (str(item[name]) for item in objects for name in _CODE_NAMES if _is_scalar(item.get(name)))
    messages = (item[name] for item in objects for name in _MESSAGE_NAMES if isinstance(item.get(name), str))
    return ServiceWords(
        codes=tuple(dict.fromkeys(code for code in codes if _CODE.fullmatch(code))),
        message=_line(next(messages, "")),
        sizes=" ".join(
            f"{name}: {item[name]}"
            for item in objects
            for name in _SIZE_NAMES
            if isinstance(item.get(name), int)
        ),
    )


def _objects(body: Json) -> Iterator[Mapping[str, Json]]:
    """Yield the objects that may hold the error's parts, the innermost first."""
    outer = body[0] if isinstance(body, list) and body else body
    for path in (("error", "innererror"), ("error",), ("errors", 0), ("detail", 0), ("detail",), ()):
        part = value_at(outer, *path)
        if isinstance(part, dict):
            yield part


def _is_scalar(value: Json) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool) and value != ""


def _line(text: str) -> str:
    """Return a text as one line, without characters that no reader sees or that turn the direction of writing."""
    visible = "".join(character if character.isprintable() else " " for character in text)
    return " ".join(visible.split())


def _repeats(message: str, prompt: Iterable[str]) -> bool:
    """Tell whether a message repeats words of a prompt: several in a row, or one that nobody writes by chance."""
    words = [word.casefold() for word in _WORD.findall(message)]
    sent = [word.casefold() for text in prompt for word in _WORD.findall(text)]
    rare = {word for word in sent if _is_rare(word)}
    runs = set(zip(*(sent[start:] for start in range(MIN_QUOTED_WORDS)), strict=False))
    own_runs = zip(*(words[start:] for start in range(MIN_QUOTED_WORDS)), strict=False)
    return not rare.isdisjoint(words) or any(run in runs for run in own_runs)


def _is_rare(word: str) -> bool:
    """Tell whether a word is a number, an id or a name made of letters and digits."""
    return len(word) > MIN_QUOTED_WORDS and any(character.isdigit() for character in word)
