"""The error for each way in which a model's service fails: whose fault it is, and the remedy, in one sentence."""

import json
import math
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from types import MappingProxyType
from urllib.parse import urlsplit

from memalign.errors import (
    ContentRefusedError,
    ModelError,
    ModelRefusedError,
    ModelUnavailableError,
    PromptTooLongError,
    RequestFailedError,
    RequestRefusedError,
)
from memalign.models.content_refusal import is_content_refusal
from memalign.models.json_answers import parse_body, value_at
from memalign.models.length_refusal import length_refusal
from memalign.models.service_words import ServiceWords, words_of

MIN_ASKED_PAUSE_SECONDS = 1.0
"""A service that asks for a pause as long as this knows that it is overloaded: no request is to blame."""
_UNPAID = re.compile(
    r"insufficient[ _](?:quota|balance|credit|fund)|billing|credit[ _]balance|exceeded[ \w]*\bquota|quota[ _]exceeded"
    r"|payment[ _]required|out of credits?|(?:spend|spending|usage)[ _]limit|account[ _](?:is not active|deactivated)"
    r"|more credits|arrearage|prepaid",
    re.IGNORECASE,
)
_RATE = re.compile(
    r"(?:retry|again) (?:in|after)\b|per[ _-]?minute|per[ _-]?second|rate[ _]?limit(?:_exceeded| reached)|retrydelay",
    re.IGNORECASE,
)
"""Words of a limit that is over in a moment, which some services call a quota as well."""
_UNKNOWN_MODEL = re.compile(
    r"model[ _]?not[ _]?(?:found|exist|available|supported)|invalid[ _]model|unknown[ _]model|no such model"
    r"|deployment ?not ?found|not a valid model|no endpoints found|endpoint_not_found"
    r"|(?:model|deployment)\b.{0,120}(?:not found|not exist|n't exist|not available|not supported|is invalid|unknown"
    r"|not loaded|no access|not have access|decommissioned|deprecated|retired|no longer)"
    r"|(?:not found|unknown|no access to|not have access to).{0,20} model|pulling it first",
    re.IGNORECASE,
)
_WRONG_KEY = re.compile(
    r"(?:api[ _-]?key|credentials?|access token|authorization header)\b.{0,40}"
    r"(?:not valid|invalid|incorrect|expired|missing|required|not found|revoked)"
    r"|(?:invalid|incorrect|missing|wrong|expired|no) (?:or invalid )?(?:api[ _-]?key|authorization|credentials?)\b"
    r"|api_key_invalid|invalid_api_key|unauthenticated",
    re.IGNORECASE,
)
"""Of services that refuse a key with status 400."""
_MODEL_IN_MESSAGE = re.compile(r"\bmodels?\b|\bdeployment\b", re.IGNORECASE)
_NO_ROUTE = re.compile(
    r"unexpected endpoint|invalid url|unknown (?:path|url|route)|no route|cannot post|method not allowed"
    r"|(?:page|file|resource|path|url) not found|^(?:\d{3}:? )?(?:not found)?[. ]*$",
    re.IGNORECASE,
)
"""Messages of servers that have nothing at the address; an empty one, or these two words alone, as well."""
_ANSWER_NAMES = ("choices", "content", "data")
"""Names under which chats, messages and embeddings give their answers."""
MAX_GREETING_CHARACTERS = 500
"""Of a text that is no JSON: `Ollama is running`. Set by hand; a longer one may be an answer whose head is lost."""
_ANSWER_BEGINNINGS = ("{", "[", "data:")
_OVERLOADED = re.compile(r"overloaded|server[ _]busy|try again later", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceAnswer:
    """An answer that tells an error."""

    status: int
    """HTTP status; of an error inside an answer with status 200, the status that it names."""
    headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """By names in lower case, or a mapping that does not mind case."""
    words: ServiceWords


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedCall:
    """A call that failed: of which model, with which settings, with which prompt."""

    name: str
    """The model as `provider:/name`."""
    key_variable: str
    """Environment variable of the key."""
    address_name: str
    """Environment variable, or setting, of the address."""
    address: str | None
    """None: the provider's own."""
    secrets: Sequence[str] = field(repr=False)
    """Texts that a service may repeat and nobody is to see, such as the key."""
    prompt: Sequence[str] = field(default=(), repr=False)
    """The texts that were sent: a service's words are not shown where they repeat these."""

    def error(self, answer: ServiceAnswer) -> ModelError:
        """Make the error for a person.

        Args:
            answer: The service's.

        Returns:
            The error to raise: one sentence with the remedy, never with the key or with words of the prompt.
        """
        status, words = answer.status, answer.words
        if too_long := self._length_refusal(answer):
            return too_long
        # a reverse proxy tells in a page that what is behind it is down; below 500 a page is a wrong address
        if status < 400 or (words.is_page and status < 500 and status not in (401, 402, 407, 429)):
            return self._wrong_address(answer)
        if is_content_refusal(words) and status not in (401, 402, 404):
            return ContentRefusedError(
                f"{self.name} refuses the content of this request ({status}{self._code(words)}); "
                "its content filter, or the model itself, will not process it."
            )
        if status == 402 or (_UNPAID.search(words.text) and not self._is_rate_limit(answer)):
            quote = self._quote(answer)
            return ModelRefusedError(
                f"{self.name} has no credit or quota left{quote}; add credit, or raise the limit of its account."
            )
        return self._refusal(answer) or self._trouble(answer)

    def _length_refusal(self, answer: ServiceAnswer) -> ModelError | None:
        refusal = length_refusal(answer.words.text) if answer.status not in (401, 402, 404) else None
        if refusal is None and answer.status != 413:
            return None
        return PromptTooLongError(
            f"{self.name} has no room for so long a text ({answer.status}); choose a model with a larger context.",
            context_tokens=refusal.context_tokens if refusal else None,
            prompt_tokens=refusal.prompt_tokens if refusal else None,
        )

    def _refusal(self, answer: ServiceAnswer) -> ModelError | None:
        status, words = answer.status, answer.words
        if status in (400, 403, 404, 422) and self._names_model(status, words):
            quote = self._quote(answer)
            return ModelRefusedError(
                f"{self.name} is not known to its service{quote}; correct the model's name."
            )
        if status in (401, 403, 407) or (status == 400 and _WRONG_KEY.search(words.text)):
            return ModelRefusedError(
                f"{self.name} refuses the key{self._quote(answer)}; set {self.key_variable} to a valid key"
                f"{' that may use this model' if status == 403 else ''}."
            )
        if status in (404, 405, 410) and _NO_ROUTE.search(words.message):
            return self._wrong_address(answer)
        if status in (404, 405, 410):
            remedy = f"correct the model's name, or {self.address_name}{self._version_hint()}"
            return ModelRefusedError(
                f"{self.name} is not known to its service{self._quote(answer)}; {remedy}."
            )
        if status == 501:
            return ModelRefusedError(
                f"{self.name} is not served for this use{self._quote(answer)}; start its server with it, "
                "or choose another model."
            )
        return None

    def _trouble(self, answer: ServiceAnswer) -> ModelError:
        status, pause = answer.status, retry_after_seconds(answer.headers)
        down = f"{self.name} is overloaded or down ({status})."
        asks_to_wait = pause is not None and pause >= MIN_ASKED_PAUSE_SECONDS
        is_overloaded = asks_to_wait or _OVERLOADED.search(answer.words.text) is not None
        if status in (408, 409, 425, 429) or (status >= 500 and is_overloaded):
            return ModelUnavailableError(down, retry_after=pause)
        if status >= 500:
            blame = f"{self.name} fails on this request ({status}), while it answers others."
            return RequestFailedError(down, blame=blame, retry_after=pause)
        return RequestRefusedError(
            f"{self.name} refused the request ({status}{self._code(answer.words)}): "
            "its content, its length or an option is not accepted there."
        )

    def _wrong_address(self, answer: ServiceAnswer) -> ModelError:
        """Make the error for an address at which something else answers, or nothing."""
        page = ", a web page" if answer.words.is_page else ""
        remedy = f"correct {self.address_name}{self._version_hint()}"
        return ModelRefusedError(
            f"{self.name} is not served at its address{self._quote(answer, page)}; {remedy}."
        )

    def _version_hint(self) -> str:
        """Return what most servers want at the end of an address, where this one lacks it, or has it in excess."""
        path = urlsplit(self.address or "").path.rstrip("/")
        if self.name.startswith("anthropic:/"):
            return ", without the /v1 at its end" if path.endswith("/v1") else ""
        has_version = re.search(r"/v\d", path) is not None
        return "" if has_version or self.address is None else ", which most servers want to end in /v1"

    def _names_model(self, status: int, words: ServiceWords) -> bool:
        """Tell whether a service says that it does not know the model."""
        if _UNKNOWN_MODEL.search(words.text):
            return True
        if status != 404 or _NO_ROUTE.search(words.message):
            return False
        own_name = self.name.partition(":/")[2].casefold()
        return own_name in words.message.casefold() or _MODEL_IN_MESSAGE.search(words.message) is not None

    def _is_rate_limit(self, answer: ServiceAnswer) -> bool:
        """Tell whether a limit is over in a moment, though it is called a quota."""
        if answer.status not in (400, 401, 403, 429):
            return True
        names_quota = any(_UNPAID.search(code) for code in answer.words.codes)
        asks_to_wait = answer.status == 429 and retry_after_seconds(answer.headers) is not None
        return not names_quota and (asks_to_wait or _RATE.search(answer.words.text) is not None)

    def _quote(self, answer: ServiceAnswer, what: str = "") -> str:
        """Return status and words in brackets; a status below 400 is an answer that went to somewhere else."""
        quote = answer.words.quote(self.prompt, self.secrets)
        return f" ({answer.status}{what}{f', {quote}' if quote else ''})"

    def _code(self, words: ServiceWords) -> str:
        """Return the code alone, since the message of a refused request often quotes it."""
        names = [code for code in words.codes if not code.isdigit()]
        return f", “{names[0]}”" if names else ""


def answer_of(status: int, headers: Mapping[str, str], text: str) -> ServiceAnswer:
    """Read a service's answer that tells an error.

    Args:
        status: The HTTP status.
        headers: The answer's.
        text: Its body.

    Returns:
        The answer with the service's words.
    """
    return ServiceAnswer(status=status, headers=headers, words=words_of(text))


def error_answer_of(text: str) -> ServiceAnswer | None:
    """Find the error that an answer with status 200 tells, as gateways and some local servers do.

    Args:
        text: The answer's body.

    Returns:
        The answer with the status that it names; None if it tells no error.
    """
    words = words_of(text)
    if words.is_page:
        return ServiceAnswer(status=200, words=words)
    if len(text) < MAX_GREETING_CHARACTERS and not text.lstrip().startswith(_ANSWER_BEGINNINGS):
        return ServiceAnswer(status=200, words=words)
    body = parse_body(text)
    if error := value_at(body, "choices", 0, "error"):  # a gateway whose own service broke off
        return _named_error(words_of(json.dumps({"error": error})))
    if isinstance(body, dict) and not any(name in body for name in ("error", *_ANSWER_NAMES)):
        return ServiceAnswer(status=200, words=words)
    if not isinstance(body, dict) or not body.get("error") or any(body.get(name) for name in _ANSWER_NAMES):
        return None
    return _named_error(words)


def _named_error(words: ServiceWords) -> ServiceAnswer:
    named = [int(code) for code in words.codes if re.fullmatch(r"[45]\d\d", code)]
    status = named[0] if named else 404 if _NO_ROUTE.search(words.message) else 500
    return ServiceAnswer(status=status, words=words)


def retry_after_seconds(headers: Mapping[str, str]) -> float | None:
    """Read after how long a service asks to be called again (RFC 9110, section 10.2.3).

    Args:
        headers: The headers of its answer, by names in lower case.

    Returns:
        The seconds in `retry-after-ms` or `retry-after`, or those until the date there; None when there are none.
    """
    for header, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        text = headers.get(header, "").strip()
        try:
            seconds = float(text) * unit
        except ValueError:
            seconds = _seconds_until(text)
        if 0 <= seconds < math.inf:
            return seconds
    return None


def _seconds_until(date: str) -> float:
    """Return the seconds until an HTTP date, 0 when it is over; NaN if it is no date."""
    try:
        return max(0.0, parsedate_to_datetime(date).timestamp() - time.time())
    except (ValueError, TypeError, OverflowError):
        return math.nan
