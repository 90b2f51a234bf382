"""What a small statistical model sees of a trace: how each part of its output relates to its input."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import log1p
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from memalign.json_leaves import leaves
from memalign.models.local.wordllama import distinct_tokens, embed, token_vectors
from memalign.ports import Matrix, Vector
from memalign.records import Json

MOST_CHARACTERS = 20_000
"""Of a part's text; what comes after is not looked at, so that one huge trace cannot hold up the others."""
_MOST_PARTS = 4
_MOST_SENTENCES = 60
_MOST_TOKENS = 1_000
_WORD = re.compile(r"[^\W_]+")
_SENTENCE_END = re.compile(r"(?<=[.!?。！？])\s+|\n+")
_DENIALS = frozenset({"no", "not", "never", "cannot", "none", "nothing", "t", "sorry"})
WHOLE = ""


class Feature(NamedTuple):
    """One thing that can be measured of a trace."""

    kind: str
    given: str
    """The part of the input it is about: its name, or WHOLE; WHOLE too when it is about the output alone."""
    made: str
    """The part of the output it is about: its name, or WHOLE."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Features:
    """A trace in numbers."""

    traits: Mapping[Feature, float]
    """Which traits there are depends on the trace's parts."""
    vector: Vector
    """The direction of the output's text; of the input's where there is no output."""
    given: str
    """What to call the whole input in a sentence, without the article."""
    made: str
    """What to call the whole output in a sentence, without the article."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Text:
    """A part's text and what is needed again and again of it."""

    text: str
    words: tuple[str, ...]
    phrases: frozenset[tuple[str, str]]
    tokens: tuple[int, ...]
    sentences: Matrix
    vector: Vector


def flatten(value: Json) -> str:
    """All the texts, numbers and truth values of a JSON value, a line each."""
    return "\n".join(str(leaf.value) for leaf in leaves(value))


def measure(fields: Mapping[str, Json]) -> Features:
    """Take the features of a trace's fields. Any JSON will do, also none at all."""
    given, made = _sides(fields)
    inputs, outputs = _texts(given), _texts(made)
    traits: dict[Feature, float] = {}
    for made_name, output in outputs.items():
        traits |= {Feature(kind, WHOLE, made_name): value for kind, value in _alone(output)}
        for given_name, source in inputs.items():
            traits |= {
                Feature(kind, given_name, made_name): value for kind, value in _related(source, output)
            }
    vector = outputs[WHOLE].vector
    return Features(traits=traits, vector=vector, given=_called(given, "input"), made=_called(made, "output"))


def _sides(fields: Mapping[str, Json]) -> tuple[dict[str, str], dict[str, str]]:
    """Name the parts of what was given and of what was made of it."""
    given: dict[str, str] = {}
    made: dict[str, str] = {}
    for name, value in fields.items():
        if name == "outputs":
            made |= _parts(value, "output")
        elif name == "conversation" and isinstance(value, list) and value:
            given |= _parts(value[:-1], "conversation")
            made |= _parts(flatten(value[-1]), "last message")
        elif name == "trace" and isinstance(value, Mapping):
            inner = _sides({key: part for key, part in value.items() if key in ("inputs", "outputs")})
            given, made = given | inner[0], made | inner[1]
        else:
            given |= _parts(value, "expectation" if name == "expectations" else name.removesuffix("s"))
    return (given, made) if made else ({}, given)


def _parts(value: Json, name: str) -> dict[str, str]:
    named = value if isinstance(value, Mapping) and value else {name: value}
    prefix = "expected " if name == "expectation" and isinstance(value, Mapping) else ""
    texts = {prefix + str(key).replace("_", " "): flatten(part) for key, part in named.items()}
    longest = sorted(texts, key=lambda key: -len(texts[key]))[:_MOST_PARTS]
    return {key: text for key, text in texts.items() if key in longest}


def _called(parts: Mapping[str, str], otherwise: str) -> str:
    return next(iter(parts)) if len(parts) == 1 else otherwise


def _texts(parts: Mapping[str, str]) -> dict[str, _Text]:
    named = {WHOLE: "\n".join(parts.values())} | (dict(parts) if len(parts) > 1 else {})
    return {name: _text(text[:MOST_CHARACTERS]) for name, text in named.items()}


def _text(text: str) -> _Text:
    words = tuple(_WORD.findall(text.lower()))
    sentences = [part for part in _SENTENCE_END.split(text) if len(part.split()) > 2][:_MOST_SENTENCES]
    vectors = embed([text, *(sentences or [text])]).vectors
    return _Text(
        text=text,
        words=words,
        phrases=frozenset(pairwise(words)),
        tokens=distinct_tokens(text)[:_MOST_TOKENS],
        sentences=vectors[1:],
        vector=vectors[0],
    )


def _alone(made: _Text) -> Iterator[tuple[str, float]]:
    count = max(1, len(made.words))
    yield "length", log1p(len(made.words))
    yield "variety", len(set(made.words)) / count
    yield "long words", sum(map(len, made.words)) / count
    yield "denial", sum(word in _DENIALS for word in made.words) / count


def _related(given: _Text, made: _Text) -> Iterator[tuple[str, float]]:
    yield "phrases", len(given.phrases & made.phrases) / max(1, len(made.phrases))
    yield "to the point", float((made.sentences @ given.vector).max())
    yield "supported", float((made.sentences @ given.sentences.T).max(axis=1).mean())
    if not given.tokens or not made.tokens:
        return
    source, output = token_vectors(given.tokens), token_vectors(made.tokens)
    weights, made_weights = np.linalg.norm(source, axis=1), np.linalg.norm(output, axis=1)
    near = (source @ output.T) / np.outer(weights, made_weights)
    yield "covered", _share(_among(given.tokens, made.tokens), weights)
    yield "borrowed", _share(_among(made.tokens, given.tokens), made_weights)
    yield "touched", _share(near.max(axis=1), weights)


def _among(these: Sequence[int], those: Sequence[int]) -> NDArray[np.float32]:
    return np.isin(these, those).astype(np.float32)


def _share(values: NDArray[np.float32], weights: NDArray[np.float32]) -> float:
    return float((values * weights).sum() / weights.sum())
