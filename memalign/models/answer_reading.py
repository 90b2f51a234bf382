"""Reading of a model's answer: of all that it says, the last complete object outside its thinking."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from memalign.models.answer_form import (
    RATIONALE,
    VALUE,
    answer_in,
    is_echo,
    is_readable,
    usable,
    value_type_in,
)
from memalign.models.answer_repair import answer_starts, repaired_answer
from memalign.models.cited_numbers import CASES, GUIDELINES
from memalign.models.json_objects import JsonObject, json_objects
from memalign.models.thinking import TextSpan, spoken_spans, within
from memalign.records import Json
from memalign.surrogates import replace_surrogates
from memalign.text_folding import unquote

MAX_BARE_CHARACTERS = 2_000
"""Of an answer in words alone."""
MAX_EXAMINED_OBJECTS = 1_000
"""Of those in one text, the last ones; an answer without end may hold hundreds of thousands."""
_ANSWER_MARKS = re.compile(
    r"</?(?:final_?)?(?:answer|response|output|verdict|result)\s*>|\[(?:BEGIN|END) FINAL RESPONSE\]|```\w*"
    r"|<\|[a-z_]+\|>",
    re.IGNORECASE,
)
_BOXED = re.compile(r"\\boxed\{\s*(?:\\(?:text|textbf|mathrm)\{)?([^{}\\]{1,200})\}?\}")
"""The final answer of models that learned from mathematics."""
_LABELLED_LINES = re.compile(
    rf"\W*{RATIONALE}\W*?[:=]\**(?P<reason>.+?)\n\W*{VALUE}\W*?[:=]\**(?P<value>[^\n]+)\s*",
    re.IGNORECASE | re.DOTALL,
)
_CITING_LINE = re.compile(
    rf"^\W*(?P<name>{GUIDELINES}|{CASES})\W*?[:=]\**(?P<numbers>[^\n]*)\n?", re.IGNORECASE | re.MULTILINE
)
_LOST_BRACE = re.compile(rf"\s*\"(?:{RATIONALE}|{VALUE})\"\s*:")
"""Begins an answer whose first brace the server wrote itself, to lead the model on."""


def find_answer(text: str, schema: Mapping[str, Json]) -> dict[str, Json] | None:
    """Find the answer in a model's text.

    Args:
        text: What the model wrote, thinking included.
        schema: The JSON schema that was asked for.

    Returns:
        The last complete object outside the thinking that has the schema's form and does not just repeat it; else the
        last one whose JSON can be repaired without doubt; else, for a verdict, a value in words: `No, it is rude.`
        None where there is none, or where its value is none of the judge's.
    """
    text = _unwrapped(text)
    objects = json_objects(text)
    spans = spoken_spans(text, objects)
    said = [span for span in spans if text[slice(*span)].strip()]
    if len(said) == 1 and _LOST_BRACE.match(text, *said[0]):
        text = "{" + text[slice(*said[0])]
        objects, spans = json_objects(text), [(0, len(text))]
    spoken = within(objects, spans)
    last = _last_answer(text, spoken, spans, schema)
    if last is not None:
        is_doubtful = _is_quoted(text, last.place, spoken, spans, schema)
        return None if is_doubtful or not is_readable(last.answer, schema) else last.answer
    # the broken object of a distillation holds complete ones: its drafts
    apart = spoken if value_type_in(schema) else ()
    words = "\n".join(_blanked(text, start, end, apart) for start, end in spans)
    answer = repaired_answer(words, schema) or (None if spoken else _bare_answer(words, schema))
    return usable(answer, schema)


def find_whole_answer(text: str, schema: Mapping[str, Json]) -> dict[str, Json] | None:
    """Read a text that is an answer and nothing else, perhaps in a fence.

    Args:
        text: What the model wrote.
        schema: The JSON schema that was asked for.

    Returns:
        The answer; None where anything else is in the text.
    """
    objects = json_objects(text)
    if len(objects) != 1 or _ANSWER_MARKS.sub("", text[: objects[0].start] + text[objects[0].end :]).strip():
        return None
    return usable(answer_in(objects[0].document, schema), schema)


class _PlacedAnswer(NamedTuple):
    answer: dict[str, Json]
    place: JsonObject


def _last_answer(
    text: str, spoken: Sequence[JsonObject], spans: Sequence[TextSpan], schema: Mapping[str, Json]
) -> _PlacedAnswer | None:
    """Return the last object in the form of an answer; a verdict without a rationale only where nothing follows."""
    for each in reversed(spoken[-MAX_EXAMINED_OBJECTS:]):
        answer = answer_in(each.document, schema)
        if answer is None or is_echo(answer, schema):
            continue
        is_bare = VALUE in answer and RATIONALE not in answer
        if is_bare and (each is not spoken[-1] or _says_more(_spoken_after(text, each.end, spans))):
            continue
        return _PlacedAnswer(answer, each)
    return None


def _says_more(text: str) -> bool:
    return bool(_ANSWER_MARKS.sub("", text).strip(" \n\t\"'`.}]"))


def _spoken_after(text: str, place: int, spans: Sequence[TextSpan]) -> str:
    return "".join(text[max(start, place) : end] for start, end in spans if end > place)


def _is_quoted(
    text: str,
    answer: JsonObject,
    spoken: Sequence[JsonObject],
    spans: Sequence[TextSpan],
    schema: Mapping[str, Json],
) -> bool:
    """Return True if an answer may stand in a text of another one, whose own JSON is broken."""
    begin = next((start for start, end in spans if start <= answer.start < end), 0)
    before = _blanked(text, begin, answer.start, spoken)
    starts = answer_starts(before, schema)
    if not starts:
        return False
    after = _spoken_after(text, answer.end, spans)
    following = answer_starts(after, schema)
    rest = after[: following[0]] if following else after
    names = "|".join(map(re.escape, schema["properties"]))
    return "}" not in before[starts[-1] :] or bool(re.search(rf"[\"'“](?:{names})[\"'”]\s*:", rest))


def _blanked(text: str, start: int, end: int, objects: Sequence[JsonObject]) -> str:
    """Return a part of a text without its complete objects."""
    parts = []
    for each in within(objects, [(start, end)]):
        parts.append(text[start : each.start])
        start = each.end
    return "".join([*parts, text[start:end]])


def _bare_answer(text: str, schema: Mapping[str, Json]) -> dict[str, Json] | None:
    """Read a verdict in words alone."""
    value_type = value_type_in(schema)
    words = _ANSWER_MARKS.sub("", text).strip()
    if value_type is None or not 0 < len(words) <= MAX_BARE_CHARACTERS:
        return None
    boxed = _BOXED.findall(words)
    if len(set(boxed)) == 1:
        return {RATIONALE: "", VALUE: boxed[0]}
    if "{" in words:
        return None
    if lines := _LABELLED_LINES.fullmatch(_CITING_LINE.sub("", words).strip()):
        lists = {line["name"].lower(): line["numbers"] for line in _CITING_LINE.finditer(words)}
        reason, value = unquote(lines["reason"].rstrip(" ,*")), lines["value"].rstrip(" ,")
        return {RATIONALE: reason, **lists, VALUE: value}
    split = value_type.split(words)
    return None if split is None else {RATIONALE: split.reason, VALUE: split.label}


def _unwrapped(text: str) -> str:
    """Take an answer out of a JSON text that holds it: `"{\\"value\\": true}"`."""
    text = text.strip()
    if not text.startswith('"{'):
        return text
    try:
        inner = json.loads(text)
    except ValueError:
        return text
    return str(replace_surrogates(inner)) if isinstance(inner, str) else text
