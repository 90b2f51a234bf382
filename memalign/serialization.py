"""A learned judge as one JSON file: everything it knows, vectors included, so that loading asks no model."""

import base64
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from memalign.errors import InputError
from memalign.judge import Judge
from memalign.memory.episodic import EpisodicMemory
from memalign.memory.semantic import SemanticMemory
from memalign.memory.state import MemoryState
from memalign.ports import Vectors
from memalign.records import Episode, Guideline, Json, PersonLabel, Source
from memalign.value_types import value_type_of

FORMAT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The models and numbers that a judge was aligned with."""

    reflection_lm: str
    retrieval_k: int
    embedding_model: str
    embedding_dim: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedJudge:
    """What a file holds."""

    judge: Judge
    settings: Settings
    state: MemoryState


def dump(saved: SavedJudge) -> dict[str, Json]:
    """The judge as JSON can say it."""
    judge, state = saved.judge, saved.state
    return {
        "format": FORMAT,
        "judge": {
            "name": judge.name,
            "instructions": judge.instructions,
            "feedback_value_type": judge.value_type.word,
            "model": judge.model,
        },
        "settings": asdict(saved.settings),
        "episodes": [_episode_document(state, one) for one in state.episodes.values()],
        "guidelines": [_guideline_document(state, one) for one in state.semantic.guidelines],
        "undistilled": sorted(state.undistilled),
    }


def restore(document: Mapping[str, Json]) -> SavedJudge:
    """The judge from its JSON. Raises `InputError` when it is not one of ours."""
    if document.get("format") != FORMAT:
        raise InputError(
            f"This judge was saved in format {document.get('format')!r}, and format {FORMAT} is known here; "
            "save it again with this version."
        )
    try:
        return _restored(document)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"This is not a whole saved judge ({error}); save it again.") from error


def write(path: Path, saved: SavedJudge) -> None:
    """Write the file, whole or not at all. Raises `InputError` when it cannot be written."""
    beside = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        beside.write_text(json.dumps(dump(saved), default=str) + "\n", encoding="utf-8")
        beside.replace(path)
    except OSError as error:
        raise InputError(f"{path} cannot be written ({error.strerror}); choose another place.") from error
    finally:
        beside.unlink(missing_ok=True)


def read(path: Path) -> SavedJudge:
    """Read the file. Raises `InputError` when it is not there or not one of ours."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(
            f"{path} cannot be read ({error.strerror}); give the path of a saved judge."
        ) from error
    except ValueError as error:
        raise InputError(f"{path} is no JSON; give the path of a saved judge.") from error
    if not isinstance(document, dict):
        raise InputError(f"{path} holds no judge; give the path of a saved judge.")
    return restore(document)


def _episode_document(state: MemoryState, episode: Episode) -> dict[str, Json]:
    row = state.episodic.vectors.get(episode.trace_id)
    return {**asdict(episode), "vector": _packed(row)}


def _guideline_document(state: MemoryState, guideline: Guideline) -> dict[str, Json]:
    return {**asdict(guideline), "vector": _packed(state.semantic.vectors.get(guideline.id))}


def _packed(row: Vectors | None) -> str | None:
    return None if row is None else base64.b64encode(row.astype("<f4").tobytes()).decode("ascii")


def _unpacked(text: str) -> Vectors:
    return np.frombuffer(base64.b64decode(text), dtype="<f4").astype(np.float32)


def _restored(document: Mapping[str, Json]) -> SavedJudge:
    described = document["judge"]
    judge = Judge(
        name=described["name"],
        instructions=described["instructions"],
        value_type=value_type_of(described["feedback_value_type"]),
        model=described["model"],
    )
    episodes, guidelines = document["episodes"], document["guidelines"]
    episodic = EpisodicMemory(
        {one["trace_id"]: _episode(one) for one in episodes},
        {one["trace_id"]: _unpacked(one["vector"]) for one in episodes if one["vector"]},
    )
    rows = {one["id"]: _unpacked(one["vector"]) for one in guidelines if one["vector"]}
    semantic = SemanticMemory().holding([_guideline(one) for one in guidelines], rows)
    empty = MemoryState.empty(judge.name, binary=judge.value_type.binary)
    return SavedJudge(
        judge=judge,
        settings=Settings(**document["settings"]),
        state=empty.next(episodic, semantic, document["undistilled"]),
    )


def _episode(document: Mapping[str, Json]) -> Episode:
    return Episode(
        trace_id=document["trace_id"],
        label=document["label"],
        fields=document["fields"],
        text=document["text"],
        opinions=tuple(PersonLabel(**one) for one in document["opinions"]),
        minority=tuple(PersonLabel(**one) for one in document["minority"]),
    )


def _guideline(document: Mapping[str, Json]) -> Guideline:
    return Guideline(
        id=document["id"],
        text=document["text"],
        sources=tuple(Source(**one) for one in document["sources"]),
        learned_ms=document["learned_ms"],
        waiting=document["waiting"],
        conflicts_with=tuple(document["conflicts_with"]),
        contradicted=tuple(Source(**one) for one in document["contradicted"]),
        overruled=document["overruled"],
    )
