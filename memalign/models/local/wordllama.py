"""`local:/wordllama`: text embeddings from weights inside the package wordllama; no key, no network."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from memalign.errors import ModelRefusedError
from memalign.models.local.encodable_text import encodable
from memalign.models.local.process_model import ProcessModel
from memalign.ports import Embeddings, Vector
from memalign.records import Usage

NAME = "local:/wordllama"
DIMENSION = 256
"""Of the weights that the package wordllama contains."""
_WEIGHTS_FILE = Path("weights", "l2_supercat_256.safetensors")
_TOKENIZER_FILE = Path("tokenizers", "l2_supercat_tokenizer_config.json")


class _Encoding(Protocol):
    ids: list[int]


class _Tokenizer(Protocol):
    def encode(self, sequence: str, *, add_special_tokens: bool) -> _Encoding: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Weights:
    tokenizer: _Tokenizer
    words: NDArray[np.float16]
    """One row a token of the vocabulary."""


class WordLlamaEmbedder:
    """Embeds a text as the mean of its tokens' vectors, scaled to length 1.

    A text without any token, or whose tokens cancel each other out, gets the unit vector along the first
    axis: finite, the same each time, and close to no real text.
    """

    @property
    def name(self) -> str:
        """The model as `local:/wordllama`."""
        return NAME

    @property
    def dimension(self) -> int:
        """The length of a vector, 256."""
        return DIMENSION

    async def embed(self, texts: Sequence[str]) -> Embeddings:
        """See `memalign.ports.Embedder.embed`. Raises `ModelRefusedError` if the package's weights are missing."""
        return await asyncio.to_thread(embed, texts)


def embed(texts: Sequence[str]) -> Embeddings:
    """Embed texts in the calling thread.

    Args:
        texts: Any texts, empty ones included.

    Returns:
        Vectors of shape (texts, 256) and length 1, and the number of tokens.

    Raises:
        ModelRefusedError: If the package's weights are missing.
    """
    weights = _weights.get()
    vectors = np.zeros((len(texts), DIMENSION), dtype=np.float32)
    tokens = 0
    for row, text in zip(vectors, texts, strict=True):
        ids = weights.tokenizer.encode(encodable(text), add_special_tokens=False).ids
        row[:] = _direction(weights.words, ids)
        tokens += len(ids)
    return Embeddings(vectors=vectors, usage=Usage(calls=1, embedding_tokens=tokens))


def distinct_tokens(text: str) -> tuple[int, ...]:
    """Find the distinct tokens of a text.

    Args:
        text: Any text.

    Returns:
        Ids of the tokens, each once, in the order of the text.

    Raises:
        ModelRefusedError: If the package's weights are missing.
    """
    ids = _weights.get().tokenizer.encode(encodable(text), add_special_tokens=False).ids
    return tuple(dict.fromkeys(ids))


def token_vectors(ids: Sequence[int]) -> NDArray[np.float32]:
    """Look up the vectors of tokens.

    Args:
        ids: Ids of tokens, from `distinct_tokens`.

    Returns:
        Shape (tokens, 256), unscaled: the rarer a word, the longer its vector.

    Raises:
        ModelRefusedError: If the package's weights are missing.
    """
    return _rows(_weights.get().words, np.asarray(ids, dtype=np.int64))


def _rows(words: NDArray[np.float16], ids: NDArray[np.int64]) -> NDArray[np.float32]:
    return words[ids].astype(np.float32)


def _direction(words: NDArray[np.float16], ids: Sequence[int]) -> Vector:
    # counting first keeps memory bounded by the vocabulary, however long the text is
    distinct, counts = np.unique(np.asarray(ids, dtype=np.int64), return_counts=True)
    total = counts.astype(np.float32) @ _rows(words, distinct)
    length = float(np.linalg.norm(total))
    if not np.isfinite(length) or length < 1e-6:
        axis: Vector = np.eye(1, DIMENSION, dtype=np.float32)[0]
        return axis
    direction: Vector = (total / length).astype(np.float32)
    return direction


def _load() -> _Weights:
    """Read the package's files: importing it as well would take 20 MB more, for its downloads."""
    try:
        from safetensors.numpy import load_file  # noqa: PLC0415  (only users of this model should pay for these)
        from tokenizers import Tokenizer  # noqa: PLC0415

        package = find_spec("wordllama")
        folders = package.submodule_search_locations if package else None
        if not folders:
            raise FileNotFoundError("wordllama")
        folder = Path(folders[0])
        words = load_file(folder / _WEIGHTS_FILE)["embedding.weight"]
        tokenizer: Any = Tokenizer.from_buffer((folder / _TOKENIZER_FILE).read_bytes())
    except (ImportError, OSError) as error:
        raise ModelRefusedError(
            f"{NAME} cannot find the weights inside the Python package wordllama; "
            "reinstall it with: pip install --force-reinstall wordllama"
        ) from error
    tokenizer.no_padding()
    tokenizer.no_truncation()
    _keep_no_texts(tokenizer)
    return _Weights(tokenizer=tokenizer, words=words)


def _keep_no_texts(tokenizer: Any) -> None:
    """Turn the tokenizer's cache off.

    It keeps ten thousand short texts with their tokens, some 7 KB each, and whole texts hardly ever come again.
    """
    # the only way to it, and missing in some versions of tokenizers
    resize = getattr(tokenizer.model, "_resize_cache", None)
    if resize is not None:
        resize(0)


_weights = ProcessModel(_load)
"""16 MB of memory."""
