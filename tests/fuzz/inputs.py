"""Hostile inputs: bodies, Slack's payloads changed in places, answers of a model."""

import gzip
import json
from dataclasses import dataclass
from typing import Literal

from hypothesis import strategies as st

from memalign.records import Json
from tests.bot.slack.payload_samples import GOOD, changed, paths

InputKind = Literal["traces", "slack", "unsigned", "model answer"]
CONTENT_TYPES = (
    "application/json",
    "application/x-ndjson",
    "application/x-www-form-urlencoded",
    "text/plain; charset=nonsense",
    "multipart/form-data",
    "",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FuzzInput:
    """One input; `body` is what is sent, or what the model answers."""

    kind: InputKind
    body: bytes
    content_type: str = "application/json"
    content_encoding: str = ""


scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.text(alphabet=st.characters(codec=None))  # half surrogate pairs included
    | st.sampled_from(["1.1", "U1", "C1", "yesterday", "[" * 200, "9" * 400, "<!channel>", "\u202e", "\0"])
)
values: st.SearchStrategy[Json] = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4)
)
trace_keys = st.sampled_from(
    [
        "trace_id",
        "id",
        "inputs",
        "input",
        "outputs",
        "output",
        "expectations",
        "judges",
        "timestamp",
        "url",
        "metadata",
    ]
)


def _dumped(document: Json) -> bytes:
    return json.dumps(document).encode()


@st.composite
def damaged(draw: st.DrawFn, bodies: st.SearchStrategy[bytes]) -> bytes:
    """Draw a body with some bytes cut out, put in or put at its end."""
    body = draw(bodies)
    start, end = sorted(draw(st.tuples(*[st.integers(0, len(body))] * 2)))
    return body[:start] + draw(st.binary(max_size=8)) + body[end:]


@st.composite
def near_traces(draw: st.DrawFn) -> Json:
    """Draw a trace of which some keys hold something else."""
    trace = {"trace_id": draw(st.text(max_size=20)), "inputs": draw(values), "outputs": draw(values)}
    return {**trace, **draw(st.dictionaries(trace_keys, values, max_size=3))}


@st.composite
def payloads(draw: st.DrawFn) -> Json:
    """Draw a payload of Slack's with up to three values changed."""
    payload = draw(st.sampled_from(GOOD))
    for _ in range(draw(st.integers(0, 3))):
        payload = changed(payload, draw(st.sampled_from(list(paths(payload)))), draw(values))
    return payload


traces = st.lists(near_traces(), max_size=5)
trace_bodies = (
    st.binary()
    | values.map(_dumped)
    | traces.map(_dumped)
    | traces.map(lambda items: b"\n".join(map(_dumped, items)))
    | damaged(traces.map(_dumped))
)
slack_bodies = st.binary() | values.map(_dumped) | payloads().map(_dumped) | damaged(payloads().map(_dumped))
answers = st.text().map(str.encode) | st.fixed_dictionaries(
    {}, optional={"rationale": values, "value": values, "guideline_ids": values, "guidelines": values}
).map(_dumped)

inputs = (
    st.builds(
        FuzzInput,
        kind=st.just("traces"),
        body=trace_bodies | trace_bodies.map(gzip.compress),
        content_type=st.sampled_from(CONTENT_TYPES),
        content_encoding=st.sampled_from(["", "", "", "gzip", "deflate", "br", "x"]),
    )
    | st.builds(
        FuzzInput, kind=st.just("slack"), body=slack_bodies, content_type=st.sampled_from(CONTENT_TYPES)
    )
    | st.builds(FuzzInput, kind=st.just("slack"), body=payloads().map(_dumped))
    | st.builds(
        FuzzInput, kind=st.just("unsigned"), body=slack_bodies, content_type=st.sampled_from(CONTENT_TYPES)
    )
    | st.builds(FuzzInput, kind=st.just("model answer"), body=answers)
)
