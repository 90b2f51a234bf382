"""The body of `POST /traces`: one object, an array, or NDJSON."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic_core import ErrorDetails

from bot.trace_json.foreign_traces import foreign_shape
from bot.trace_json.json_items import Item, TooManyItemsError, UnreadableItem, read_items
from bot.trace_json.json_size import JsonSize, size_of
from bot.trace_json.rejected_trace import RejectedTrace
from memalign.records import Json, Trace
from memalign.spans import NO_REASON

MAX_NESTING = 100
"""Greatest nesting depth; deeper JSON meets recursion limits downstream."""
MAX_TRACE_VALUES = 200_000
"""Values in one trace; redacting and judging take some 5 µs and 400 bytes for each."""
MAX_BODY_VALUES = 1_000_000
"""Values in all traces of a body."""
MAX_PROBLEMS = 5
"""Problems of one trace that are told."""
OTHER_NAMES: Mapping[str, str] = {"input": "inputs", "output": "outputs", "id": "trace_id"}
"""Names that senders use for the keys of a trace, and the names here."""

JudgeNames: TypeAlias = Annotated[list[str], Field(fail_fast=True)]
"""Names; the first that is no text ends the check, so that a long list has one problem."""


class TraceIn(BaseModel):
    """A trace as it is sent; keys beyond these are not kept."""

    model_config = ConfigDict(extra="ignore", strict=True)

    trace_id: Annotated[str, Field(max_length=500, pattern=r"^[^\s\x00-\x1f]([^\x00-\x1f]*[^\s\x00-\x1f])?$")]
    inputs: Any
    outputs: Any
    expectations: dict[str, Any] | None = None
    conversation: Any = None
    spans: list[Any] | None = None
    judges: JudgeNames | None = None
    timestamp: str | None = None
    url: str | None = None
    metadata: dict[str, Any] | None = None
    error: Any = None

    @field_validator("timestamp")
    @classmethod
    def _iso(cls, stamp: str | None) -> str | None:
        if stamp is not None:
            try:
                datetime.fromisoformat(stamp)
            except ValueError:
                raise ValueError("expected ISO 8601, such as 2026-11-20T09:00:00Z") from None
        return stamp

    def trace(self) -> Trace:
        """Return it as a record."""
        return Trace(
            trace_id=self.trace_id,
            inputs=self.inputs,
            outputs=self.outputs,
            expectations=self.expectations,
            conversation=self.conversation,
            spans=tuple(self.spans or ()),
            judges=tuple(dict.fromkeys(self.judges or ())),
            timestamp=self.timestamp,
            url=self.url,
            metadata=self.metadata or {},
            error=error_in_words(self.error),
        )


def read_body(body: bytes, ndjson: bool) -> list[Trace | RejectedTrace]:
    """Read the traces of a body; each bad one is rejected by itself.

    Args:
        body: one object, an array, or NDJSON.
        ndjson: the content type says that each line is a trace.

    Raises:
        TooManyItemsError: there are more traces than are taken at once.
        InputError: the body is no JSON at all.
    """
    items = read_items(body, ndjson=ndjson)
    sizes = [size_of(item) for item in items]
    if sum(size.values for size in sizes if size.values <= MAX_TRACE_VALUES) > MAX_BODY_VALUES:
        raise TooManyItemsError(
            f"The traces have more than {MAX_BODY_VALUES:,} values; send them in smaller batches."
        )
    return [_read(item, size) for item, size in zip(items, sizes, strict=True)]


def _read(item: Item, size: JsonSize) -> Trace | RejectedTrace:
    if isinstance(item, UnreadableItem):
        return RejectedTrace(reason=item.reason)
    if not isinstance(item, dict):
        return RejectedTrace(reason="a trace is an object with trace_id, inputs and outputs")
    if size.depth > MAX_NESTING:
        return RejectedTrace(reason=f"it is nested more than {MAX_NESTING} deep")
    if size.values > MAX_TRACE_VALUES:
        return RejectedTrace(reason=f"it has more than {MAX_TRACE_VALUES:,} values")
    try:
        json.dumps(item, ensure_ascii=False, allow_nan=False).encode()
        if reason := foreign_shape(item) or name_conflict(item):
            return RejectedTrace(reason=reason)
        return TraceIn.model_validate(with_our_names(item)).trace()
    except RecursionError:
        return RejectedTrace(reason="it is nested too deeply")
    except UnicodeEncodeError:
        return RejectedTrace(reason="a text in it is not UTF-8, or holds half a surrogate pair")
    except ValidationError as error:
        return RejectedTrace(reason=in_words(error))
    except ValueError:
        return RejectedTrace(reason="a number in it is too large for JSON")


def refusal_of(item: Mapping[str, Json]) -> str | None:
    """Return why an object would be refused as a trace; None where it is one."""
    trace = _read(dict(item), size_of(dict(item)))
    return trace.reason if isinstance(trace, RejectedTrace) else None


def name_conflict(item: Mapping[str, Json]) -> str | None:
    """Return why a trace cannot be read that has a key under both of its names, with different values.

    An `id` beside the trace's own id is none: databases number their rows so.
    """
    for other, name in OTHER_NAMES.items():
        if name != "trace_id" and other in item and name in item and item[other] != item[name]:
            return f'it has both "{other}" and "{name}", and they differ; send one of them'
    return None


def with_our_names(item: Mapping[str, Json]) -> dict[str, Json]:
    """Return a trace with the contract's names."""
    renamed = {OTHER_NAMES[key]: value for key, value in item.items() if key in OTHER_NAMES}
    return {**renamed, **item}


def error_in_words(error: Json) -> str | None:
    """Return the error with which a run ended; None where there is none."""
    if error in (None, False, "", {}, []):
        return None
    if isinstance(error, dict):
        error = next((error[name] for name in ("message", "error", "reason") if error.get(name)), error)
    if error is True:
        return NO_REASON
    return error if isinstance(error, str) else json.dumps(error, ensure_ascii=False)


def in_words(error: ValidationError) -> str:
    """Return what is wrong with a trace, key by key."""
    problems = error.errors(include_url=False, include_input=False)[:MAX_PROBLEMS]
    return "; ".join(f"{'.'.join(map(str, each['loc']))}: {_wanted(each)}" for each in problems)


def _wanted(problem: ErrorDetails) -> str:
    if problem["type"] == "string_pattern_mismatch":
        return "expected a text without line breaks, control characters or blanks around it"
    return problem["msg"]
