"""What a small statistical model sees of a trace: how each part of its output relates to each part of its input."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import log1p

import numpy as np

from memalign.models.wordllama import embed
from memalign.ports import Vectors
from memalign.records import Json

_OUTPUT_FIELDS = ("outputs",)
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Features:
    """A trace in numbers."""

    values: Mapping[str, float]
    """By name; which names there are depends on the trace's parts."""
    vector: Vectors
    """The direction of the whole trace's text."""
    tokens: int
    """How many tokens were embedded to get there."""


def flatten(value: Json) -> str:
    """All the texts, numbers and truth values of a JSON value, a line each."""
    return "\n".join(_leaves(value))


def _leaves(value: Json) -> Iterator[str]:
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list | tuple):
        for item in value:
            yield from _leaves(item)
    elif value is not None:
        yield str(value)


def measure(fields: Mapping[str, Json]) -> Features:
    """Take the features of a trace's fields; works for any JSON, also for none at all."""
    given = flatten({name: value for name, value in fields.items() if name not in _OUTPUT_FIELDS})
    made = flatten({name: value for name, value in fields.items() if name in _OUTPUT_FIELDS})
    embedded = embed([given, made, f"{given}\n{made}"])
    asked, said = (set(_WORD.findall(text.lower())) for text in (given, made))
    shared = len(asked & said)
    values = {
        "taken up": shared / max(1, len(asked)),
        "borrowed": shared / max(1, len(said)),
        "length": log1p(len(made)),
        "given length": log1p(len(given)),
        "closeness": float(embedded.vectors[0] @ embedded.vectors[1]),
    }
    return Features(
        values=values, vector=np.array(embedded.vectors[2]), tokens=embedded.usage.embedding_tokens
    )
