"""Features of a trace for a small statistical model: how each part of its output relates to its input."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import log1p
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from memalign.json_leaves import leaves
from memalign.models.local.sentence_vectors import SentenceVectors
from memalign.models.local.wordllama import distinct_tokens, embed, token_vectors
from memalign.ports import Matrix, Vector
from memalign.records import Json

MAX_PART_CHARACTERS = 20_000
"""Of a part's text; the rest is not looked at, so that one huge trace cannot hold up the others."""
_MAX_PARTS = 4
_MAX_SENTENCES = 60
_MAX_TOKENS = 1_000
_MAX_COMPARED_SENTENCES = 30
"""Of an output, for the sentence model: some milliseconds each. The four bound the time for one trace."""
_MIN_SENTENCE_WORDS = 3
_WORD = re.compile(r"[^\W_]+")
_SENTENCE_END = re.compile(r"(?<=[.!?。！？])\s+|\n+")
_DENIALS = frozenset({"no", "not", "never", "cannot", "none", "nothing", "t", "sorry"})
COMPARISONS = frozenset({"meaning", "nearest sentence"})
"""Kinds of features that a sentence model makes."""
WHOLE = ""
"""Names the whole input or output, beside its named parts."""


class Feature(NamedTuple):
    """One measurable property of a trace."""

    kind: str
    """See `memalign.models.local.explanations`, which has the words for each."""
    input_part: str
    """Name of the part of the input it is about, or WHOLE; WHOLE too when it is about the output alone."""
    output_part: str
    """Name of the part of the output it is about, or WHOLE."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Features:
    """A trace in numbers."""

    values: Mapping[Feature, float]
    """By feature; the features depend on the trace's parts."""
    vector: Vector
    """Vector of the output's text; of the input's where there is no output. By the sentence model where it is used."""
    input_name: str
    """Name of the whole input in a sentence, without the article."""
    output_name: str
    """Name of the whole output in a sentence, without the article."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Text:
    """A part's text, and what is needed again and again of it."""

    words: tuple[str, ...]
    phrases: frozenset[tuple[str, str]]
    """Pairs of adjacent words."""
    tokens: tuple[int, ...]
    sentences: Matrix
    vector: Vector


def flatten(value: Json) -> str:
    """Write all scalars of a JSON value as text.

    Args:
        value: Any JSON.

    Returns:
        A line for each text, number and truth value.
    """
    return "\n".join(str(leaf.value) for leaf in leaves(value))


def extract_features(fields: Mapping[str, Json], sentence_vectors: SentenceVectors | None = None) -> Features:
    """Extract the features of a trace.

    Args:
        fields: Values by template variable; any JSON will do, also none at all.
        sentence_vectors: A sentence model's, for features that compare meanings; without them there are none of these.

    Returns:
        The features.
    """
    input_parts, output_parts = _sides(fields)
    inputs, outputs = _texts(input_parts), _texts(output_parts)
    values: dict[Feature, float] = {}
    for output_part, output in outputs.items():
        values |= {Feature(kind, WHOLE, output_part): value for kind, value in _own_features(output)}
        for input_part, source in inputs.items():
            values |= {
                Feature(kind, input_part, output_part): value for kind, value in _relations(source, output)
            }
    vector = outputs[WHOLE].vector
    if sentence_vectors:
        values |= _comparisons(sentence_vectors, _named_texts(input_parts), _named_texts(output_parts))
        vector = sentence_vectors.look_up([_named_texts(output_parts)[WHOLE]])[0]
    return Features(
        values=values,
        vector=vector,
        input_name=_name_of_whole(input_parts, "input"),
        output_name=_name_of_whole(output_parts, "output"),
    )


def _sides(fields: Mapping[str, Json]) -> tuple[dict[str, str], dict[str, str]]:
    """Return the texts of the input and of the output by the names of their parts."""
    inputs: dict[str, str] = {}
    outputs: dict[str, str] = {}
    for name, value in fields.items():
        if name == "outputs":
            outputs |= _parts(value, "output")
        elif name == "conversation" and isinstance(value, list) and value:
            inputs |= _parts(value[:-1], "conversation")
            outputs |= _parts(flatten(value[-1]), "last message")
        elif name == "trace" and isinstance(value, Mapping):
            inner = _sides({key: part for key, part in value.items() if key in ("inputs", "outputs")})
            inputs, outputs = inputs | inner[0], outputs | inner[1]
        else:
            inputs |= _parts(value, "expectation" if name == "expectations" else name.removesuffix("s"))
    return (inputs, outputs) if outputs else ({}, inputs)


def _parts(value: Json, name: str) -> dict[str, str]:
    named = value if isinstance(value, Mapping) and value else {name: value}
    prefix = "expected " if name == "expectation" and isinstance(value, Mapping) else ""
    texts = {prefix + str(key).replace("_", " "): flatten(part) for key, part in named.items()}
    longest = sorted(texts, key=lambda key: -len(texts[key]))[:_MAX_PARTS]
    return {key: text for key, text in texts.items() if key in longest}


def _name_of_whole(parts: Mapping[str, str], default: str) -> str:
    return next(iter(parts)) if len(parts) == 1 else default


def _named_texts(parts: Mapping[str, str]) -> dict[str, str]:
    named = {WHOLE: "\n".join(parts.values())} | (dict(parts) if len(parts) > 1 else {})
    return {name: text[:MAX_PART_CHARACTERS] for name, text in named.items()}


def _texts(parts: Mapping[str, str]) -> dict[str, _Text]:
    return {name: _text(text) for name, text in _named_texts(parts).items()}


def _text(text: str) -> _Text:
    words = tuple(_WORD.findall(text.lower()))
    vectors = embed([text, *_sentences(text)[:_MAX_SENTENCES]]).vectors
    return _Text(
        words=words,
        phrases=frozenset(pairwise(words)),
        tokens=distinct_tokens(text)[:_MAX_TOKENS],
        sentences=vectors[1:],
        vector=vectors[0],
    )


def _sentences(text: str) -> list[str]:
    """Return the sentences of a text; the text where it has none."""
    sentences = [part for part in _SENTENCE_END.split(text) if len(part.split()) >= _MIN_SENTENCE_WORDS]
    return sentences or [text]


def _comparisons(
    sentence_vectors: SentenceVectors, inputs: Mapping[str, str], outputs: Mapping[str, str]
) -> dict[Feature, float]:
    """Compare each part of the output with each part of the input by the sentence model."""
    sources = {name: sentence_vectors.look_up([text])[0] for name, text in inputs.items() if text.strip()}
    values: dict[Feature, float] = {}
    for output_part, text in outputs.items():
        vectors = sentence_vectors.look_up([text, *_sentences(text)[:_MAX_COMPARED_SENTENCES]])
        for input_part, source in sources.items():
            cosines = vectors @ source
            values[Feature("meaning", input_part, output_part)] = float(cosines[0])
            values[Feature("nearest sentence", input_part, output_part)] = float(cosines[1:].max())
    return values


def _own_features(output: _Text) -> Iterator[tuple[str, float]]:
    count = max(1, len(output.words))
    yield "length", log1p(len(output.words))
    yield "variety", len(set(output.words)) / count
    yield "long words", sum(map(len, output.words)) / count
    yield "denial", sum(word in _DENIALS for word in output.words) / count


def _relations(source: _Text, output: _Text) -> Iterator[tuple[str, float]]:
    yield "phrases", len(source.phrases & output.phrases) / max(1, len(output.phrases))
    yield "to the point", float((output.sentences @ source.vector).max())
    yield "supported", float((output.sentences @ source.sentences.T).max(axis=1).mean())
    if not source.tokens or not output.tokens:
        return
    source_rows, output_rows = token_vectors(source.tokens), token_vectors(output.tokens)
    weights, output_weights = np.linalg.norm(source_rows, axis=1), np.linalg.norm(output_rows, axis=1)
    cosines = (source_rows @ output_rows.T) / np.outer(weights, output_weights)
    yield "covered", _weighted_share(_contained(source.tokens, output.tokens), weights)
    yield "borrowed", _weighted_share(_contained(output.tokens, source.tokens), output_weights)
    yield "touched", _weighted_share(cosines.max(axis=1), weights)


def _contained(tokens: Sequence[int], others: Sequence[int]) -> NDArray[np.float32]:
    return np.isin(tokens, others).astype(np.float32)


def _weighted_share(values: NDArray[np.float32], weights: NDArray[np.float32]) -> float:
    return float((values * weights).sum() / weights.sum())
