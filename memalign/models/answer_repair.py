"""Repair of a model's imperfect JSON, as far as it leaves no doubt.

The json-repair library mends the form; it also guesses, so that what counts is read from the text itself.
"""

import logging
import re
from collections.abc import Iterator, Mapping
from itertools import islice

import json_repair

from memalign.models.answer_form import VALUE, answer_in
from memalign.records import Json
from memalign.surrogates import replace_surrogates

_log = logging.getLogger("memalign")

MAX_REPAIRED_CHARACTERS = 16_000
"""Of one answer, all attempts together: about 4,000 tokens. The library takes quadratic time on some forms."""
MAX_REPAIRED_OPENINGS = 400
"""Brackets that one text may open; those forms are long rows of them."""
MAX_CLOSINGS = 8
"""Closing brackets at which a verdict may end; its rationale may hold some, and so may the text after it."""
_QUOTE = r"(?:\\*[\"'`“”])?"
_TOKEN = re.compile(
    r"\s*(?:(?P<quoted>\\*\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|“[^”]*”)|(?P<bare>[^\s\"'“,{}\[\]][^,{}\[\]\n\"]*))\s*"
    r"(?P<end>[,}\n\"]|//|/\*|#|$)"
)
_COMMENT = re.compile(r"//|/\*|#")
_CONSTANT = re.compile(r"true|false", re.IGNORECASE)
_DECIMAL_COMMA = re.compile(r"\d,\d")


def repaired_answer(text: str, schema: Mapping[str, Json]) -> dict[str, Json] | None:
    """Read the last answer in a text whose JSON is imperfect.

    Args:
        text: What a model said, without its thinking.
        schema: The JSON schema that was asked for.

    Returns:
        The answer; None where there is none, where it is cut off before its value is complete, where it names its
        value twice, or where it stands inside another one that is not closed.
    """
    budget = MAX_REPAIRED_CHARACTERS
    for segment, rest in _segments(text, schema):
        budget -= len(segment)
        if budget < 0:
            return None
        document = _repaired(segment)
        answer = answer_in(document, schema, wrappers=0) if document is not None else None
        if answer is not None:
            return _checked(answer, segment, rest)
    return None


def answer_starts(text: str, schema: Mapping[str, Json]) -> list[int]:
    """Find where objects begin with a name of the schema, in whatever quotation marks.

    Args:
        text: What a model wrote.
        schema: The JSON schema that was asked for.

    Returns:
        The places of their brackets, in order.
    """
    names = "|".join(map(re.escape, schema.get("properties", {})))
    if not names:
        return []
    return [
        match.start() for match in re.finditer(rf"\{{\s*{_QUOTE}(?:{names}){_QUOTE}\s*:", text, re.IGNORECASE)
    ]


def _segments(text: str, schema: Mapping[str, Json]) -> Iterator[tuple[str, str]]:
    """Yield the texts that may be an answer, the last one first, each with what follows it."""
    starts = answer_starts(text, schema)
    ends = [*starts[1:], len(text)]
    for place in reversed(range(len(starts))):
        if place and "}" not in text[starts[place - 1] : starts[place]]:
            return
        whole = text[starts[place] : ends[place]]
        for segment in _closed(whole, is_verdict=VALUE in schema["properties"]):
            yield segment, whole[len(segment) :]


def _closed(segment: str, *, is_verdict: bool) -> Iterator[str]:
    """Yield the texts up to one of the first closing brackets; of a verdict that has none, the whole text."""
    closings = [
        match.end() for match in islice(re.finditer("}", segment), MAX_CLOSINGS if is_verdict else None)
    ]
    for closing in closings if is_verdict else closings[-1:]:
        if is_verdict or _is_balanced(segment[:closing]):
            yield segment[:closing]
    if is_verdict and not closings:
        yield segment


def _is_balanced(text: str) -> bool:
    return all(text.count(opening) == text.count(closing) for opening, closing in ("{}", "[]"))


def _repaired(segment: str) -> Json:
    if sum(map(segment.count, "{[(")) > MAX_REPAIRED_OPENINGS:
        return None
    try:
        return replace_surrogates(json_repair.repair_json(segment, return_objects=True, skip_json_loads=True))
    except Exception as error:  # whatever goes wrong inside the library, the answer stays unreadable
        _log.debug("An answer could not be repaired: %s", type(error).__name__)
        return None


def _checked(answer: dict[str, Json], segment: str, rest: str) -> dict[str, Json] | None:
    """Return the answer with the value that the text says, not the one that the library made of it."""
    if VALUE not in answer:
        return answer
    key = rf"(?:(?:[{{,;]|\n)\s*{_QUOTE}{VALUE}{_QUOTE}|\\*[\"'“]{VALUE}\\*[\"'”])\s*:"
    keys = list(re.finditer(key, segment + rest, re.IGNORECASE))
    token = _TOKEN.match(segment, keys[0].end()) if len(keys) == 1 else None
    if token is None:
        return None
    if token["quoted"]:
        return answer if isinstance(answer[VALUE], str) else None
    bare = _COMMENT.split(token["bare"], maxsplit=1)[0].strip()
    if _DECIMAL_COMMA.match(segment, token.end("bare") - 1):
        return None
    is_cut = not token["end"] and not _CONSTANT.fullmatch(bare)
    return None if is_cut else {**answer, VALUE: bare}
