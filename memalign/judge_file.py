"""A learned judge as one JSON file: all it knows, vectors included, so that loading asks no model."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from memalign.alignment import AlignmentSettings
from memalign.atomic_file import replacement
from memalign.errors import InputError
from memalign.judge import Judge
from memalign.memory.case_vectors import row_of, whole, with_current_text
from memalign.memory.episodic import EpisodicMemory
from memalign.memory.semantic import SemanticMemory
from memalign.memory.state import MemoryState
from memalign.models import ModelOptions
from memalign.ports import Vector
from memalign.records import Episode, Guideline, Json
from memalign.serialization import from_document, pack_vector, to_document, unpack_vector
from memalign.value_types import value_type_of

FORMAT = 1
"""Version of the file's form."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedJudge:
    """The content of a file."""

    judge: Judge
    settings: AlignmentSettings
    state: MemoryState


def dump(saved: SavedJudge) -> dict[str, Json]:
    """Write a judge as a JSON document.

    Args:
        saved: The judge.

    Returns:
        The document.
    """
    return {name: list(part) if isinstance(part, Iterator) else part for name, part in _parts(saved)}


def _parts(saved: SavedJudge) -> Iterator[tuple[str, Json]]:
    """Yield the parts of the document by name; the items of long lists come one by one."""
    judge, state = saved.judge, saved.state
    yield "format", FORMAT
    yield "version", state.number
    yield (
        "judge",
        {
            "name": judge.name,
            "instructions": judge.instructions,
            "feedback_value_type": judge.value_type.setting,
            "model": judge.model,
            **({"value_range": list(judge.value_type.value_range)} if judge.value_type.value_range else {}),
            **_present(description=judge.description, model_options=judge.model_options.to_document()),
            **({} if judge.rationale_first else {"rationale_first": False}),
        },
    )
    yield "settings", _settings_document(saved.settings)
    yield (
        "episodes",
        (
            to_document(episode) | _row_document(state.episodic, trace_id)
            for trace_id, episode in state.episodes.items()
        ),
    )
    yield (
        "guidelines",
        (
            to_document(guideline) | {"vector": _packed(state.semantic.vectors.get(guideline.id))}
            for guideline in state.semantic.guidelines
        ),
    )
    yield "undistilled", sorted(state.undistilled)


def restore(document: Mapping[str, Json]) -> SavedJudge:
    """Read a judge from its JSON document.

    Args:
        document: As `dump` wrote it.

    Returns:
        The judge.

    Raises:
        InputError: If the document is of another format, or not whole.
    """
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
    """Write the file, whole or not at all.

    Args:
        path: The file; one that is there is replaced.
        saved: The judge.

    Raises:
        InputError: If the file cannot be written.
    """
    try:
        with replacement(path) as file:
            file.writelines(text.encode() for text in _texts(saved))
    except OSError as error:
        raise InputError(f"{path} cannot be written ({error.strerror}); choose another place.") from error


def _texts(saved: SavedJudge) -> Iterator[str]:
    """Yield the document as JSON, in pieces: the whole of a large memory would take as much again."""
    for place, (name, part) in enumerate(_parts(saved)):
        yield f"{', ' if place else '{'}{json.dumps(name)}: "
        if not isinstance(part, Iterator):
            yield json.dumps(part, default=str)
            continue
        yield "["
        for index, item in enumerate(part):
            yield f"{', ' if index else ''}{json.dumps(item, default=str)}"
        yield "]"
    yield "}\n"


def read(path: Path) -> SavedJudge:
    """Read the file.

    Args:
        path: The file.

    Returns:
        The judge.

    Raises:
        InputError: If the file is not there, or is no saved judge.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(
            f"{path} cannot be read ({error.strerror}); give the path of a saved judge."
        ) from error
    return parse(content, str(path))


def parse(content: bytes, name: str) -> SavedJudge:
    """Read the content of a file.

    Args:
        content: The content.
        name: Name of the file, for errors.

    Returns:
        The judge.

    Raises:
        InputError: If it is no saved judge.
    """
    try:
        document = json.loads(content.decode("utf-8"))
    except ValueError as error:
        raise InputError(f"{name} is no JSON; give the path of a saved judge.") from error
    if not isinstance(document, dict):
        raise InputError(f"{name} holds no judge; give the path of a saved judge.")
    return restore(document)


def _present(**fields: Json) -> dict[str, Json]:
    """Return the fields that are set: files of judges without them stay as they were."""
    return {name: value for name, value in fields.items() if value}


def _settings_document(settings: AlignmentSettings) -> dict[str, Json]:
    document = to_document(settings)
    options = {model: each.to_document() for model, each in document.pop("model_options").items()}
    return {**document, **_present(model_options=options)}


def _row_document(episodic: EpisodicMemory, trace_id: str) -> dict[str, Json]:
    """Write an episode's row; one made of an earlier form of its text as what it was made of."""
    row = episodic.vectors.get(trace_id)
    if row is not None and trace_id in episodic.outdated:
        return {"vector": pack_vector(whole(row))}
    return {"row": _packed(row)}


def _packed(vector: Vector | None) -> str | None:
    return None if vector is None else pack_vector(vector)


def _guideline_vectors(documents: Sequence[Mapping[str, Json]]) -> dict[str, Vector]:
    return {each["id"]: unpack_vector(each["vector"]) for each in documents if each["vector"]}


def _episodic(documents: Sequence[Mapping[str, Json]]) -> EpisodicMemory:
    """Read the episodes with their rows; the one vector of earlier files serves until a row is made."""
    episodes = [with_current_text(from_document(Episode, each)) for each in documents]
    rows = {each["trace_id"]: unpack_vector(each["row"]) for each in documents if each.get("row")}
    earlier = {each["trace_id"]: unpack_vector(each["vector"]) for each in documents if each.get("vector")}
    rows |= {name: row_of(vector, vector) for name, vector in earlier.items()}
    if len({row.size for row in rows.values()}) > 1:
        raise ValueError("the vectors of its cases differ in length")
    return EpisodicMemory({episode.trace_id: episode for episode in episodes}, rows, outdated=earlier)


def _restored(document: Mapping[str, Json]) -> SavedJudge:
    definition = document["judge"]
    judge = Judge(
        name=definition["name"],
        instructions=definition["instructions"],
        value_type=value_type_of(definition["feedback_value_type"], definition.get("value_range")),
        model=definition["model"],
        model_options=ModelOptions(**definition.get("model_options", {})),
        description=definition.get("description", ""),
        rationale_first=definition.get("rationale_first", True),
    )
    options = document["settings"].get("model_options", {})
    guidelines = [from_document(Guideline, each) for each in document["guidelines"]]
    episodic = _episodic(document["episodes"])
    semantic = SemanticMemory().with_guidelines(guidelines, _guideline_vectors(document["guidelines"]))
    settings = replace(
        from_document(AlignmentSettings, {**document["settings"], "model_options": {}}),
        model_options={name: ModelOptions(**values) for name, values in options.items()},
    )
    empty = MemoryState.empty(judge.name, binary=judge.value_type.binary, policy=settings.policy_for(judge))
    return SavedJudge(
        judge=judge,
        settings=settings,
        state=replace(empty.next(episodic, semantic, document["undistilled"]), number=_version(document)),
    )


def _version(document: Mapping[str, Json]) -> int:
    """Return the judge's version; a file of an earlier version has none, and was aligned at least once."""
    version = document.get("version", 1)
    if not isinstance(version, int) or isinstance(version, bool) or version < 0:
        raise ValueError(f"version is {version!r}")
    return version
