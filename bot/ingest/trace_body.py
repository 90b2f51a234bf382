"""The body of `POST /traces`: one object, an array, or NDJSON."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic_core import ErrorDetails

from memalign.errors import InputError
from memalign.records import Json, Trace

MAX_NESTING = 100
"""Greatest nesting depth; deeper JSON meets recursion limits downstream."""


class TraceIn(BaseModel):
    """A trace as it is sent; keys beyond these are not kept."""

    model_config = ConfigDict(extra="ignore", strict=True)

    trace_id: Annotated[str, Field(max_length=500, pattern=r"^[^\s\x00-\x1f]([^\x00-\x1f]*[^\s\x00-\x1f])?$")]
    inputs: Any
    outputs: Any
    expectations: dict[str, Any] | None = None
    conversation: Any = None
    spans: list[Any] = []
    judges: list[str] | None = None
    timestamp: str | None = None
    url: str | None = None
    metadata: dict[str, Any] | None = None

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
            spans=tuple(self.spans),
            judges=tuple(self.judges or ()),
            timestamp=self.timestamp,
            url=self.url,
            metadata=self.metadata or {},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedTrace:
    """Something in a body that is no trace, with the reason."""

    reason: str


def read_body(body: bytes, ndjson: bool) -> list[Trace | RejectedTrace]:
    """Read traces; each bad one is rejected by itself. Raises `InputError` when the body is no JSON at all."""
    if ndjson:
        return [_read_line(line) for line in body.splitlines() if line.strip()]
    try:
        document = json.loads(body, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"The body is not JSON ({error}); send one trace, an array of traces, or NDJSON."
        ) from None
    return [_read(item) for item in (document if isinstance(document, list) else [document])]


def _no_number(name: str) -> Json:
    raise ValueError(f"{name} is no JSON number")


def _read_line(line: bytes) -> Trace | RejectedTrace:
    try:
        return _read(json.loads(line, parse_constant=_no_number))
    except (ValueError, RecursionError) as error:
        return RejectedTrace(reason=f"this line is not JSON: {error}")


def _read(item: Json) -> Trace | RejectedTrace:
    if not isinstance(item, dict):
        return RejectedTrace(reason="a trace is an object with trace_id, inputs and outputs")
    try:
        json.dumps(item, ensure_ascii=False, allow_nan=False).encode()
        if nesting(item) > MAX_NESTING:
            return RejectedTrace(reason=f"it is nested more than {MAX_NESTING} deep")
        return TraceIn.model_validate(item).trace()
    except RecursionError:
        return RejectedTrace(reason="it is nested too deeply")
    except UnicodeEncodeError:
        return RejectedTrace(reason="a text in it holds half a surrogate pair, which UTF-8 cannot say")
    except ValidationError as error:
        return RejectedTrace(reason=in_words(error))
    except ValueError:
        return RejectedTrace(reason="a number in it is too large for JSON")


def nesting(item: Json) -> int:
    """Return the nesting depth of lists and objects in a JSON value; 0 for a text or a number."""
    depth, level = 0, [item]
    while level := [part for part in level if isinstance(part, dict | list)]:
        depth += 1
        level = [inner for part in level for inner in (part.values() if isinstance(part, dict) else part)]
    return depth


def in_words(error: ValidationError) -> str:
    """Return what is wrong with a trace, key by key."""
    return "; ".join(f"{'.'.join(map(str, each['loc']))}: {_wanted(each)}" for each in error.errors())


def _wanted(problem: ErrorDetails) -> str:
    if problem["type"] == "string_pattern_mismatch":
        return "expected a text without line breaks, control characters or blanks around it"
    return problem["msg"]
