"""Media in JSON values: pictures, audio, files and other binary data become placeholders with kind and size.

They are recognised by their content in any text, and by the names that chat formats give them: OpenAI's `image_url`,
`input_audio` and `file`, Anthropic's and Bedrock's `source`, Gemini's `inline_data`, and the like.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from memalign.encoded_text import base64_placeholder, is_base64, replace_encoded
from memalign.media_types import full_type, placeholder, type_of_bytes
from memalign.records import Json, Trace

_TYPE_NAMES = ("media_type", "mime_type", "mimetype", "mediatype", "contenttype", "content_type", "format")
_FILE_NAMES = ("filename", "file_name", "title")
_BINARY_NAMES = frozenset({"data", "bytes", "base64", "b64_json", "file_data", "filedata", "blob", "binary"})
"""Names under which formats keep the data of a medium, and nothing else."""
_OTHER_DATA_NAMES = frozenset({"content", "image", "audio", "video", "image_url", "url", "result", "body"})
"""Names under which they keep the data, or a text or a link."""
_KIND_NAMES = {
    "image": "image", "input_image": "image", "image_url": "image", "picture": "image", "audio": "audio",
    "input_audio": "audio", "video": "video", "image_generation_call": "image", "computer_screenshot": "image",
}  # fmt: skip
"""Kinds of media that a part's `type` or `modality`, or the name it has, tells."""
_CONTAINER_NAMES = frozenset(
    {*_KIND_NAMES, "inline_data", "inlinedata", "source", "file", "input_file", "document", "media", "blob"}
)
"""Names, or types, of objects that hold a medium."""
_KIND_KEYS = frozenset({"type", "modality"})
_DECLARING_NAMES = frozenset({*_KIND_KEYS, *_TYPE_NAMES, *_FILE_NAMES})
_MIN_BYTE_NUMBERS = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class _Declaration:
    """Facts that the objects around a value state of it."""

    is_media: bool = False
    mime_type: str = ""
    file_name: str = ""


_NOTHING = _Declaration()


def replace_media(value: Json) -> Json:
    """Put placeholders such as `[picture: PNG, 0.9 MB]` for binary data.

    Args:
        value: Any JSON; bytes are taken as data.

    Returns:
        The value of the same shape. To call it again changes nothing.
    """
    return _replaced(value, "", _NOTHING)


def declared_type(value: Mapping[str, Json]) -> str:
    """Find the MIME type that an object states of its data.

    Args:
        value: The object.

    Returns:
        The type; empty where it states none.
    """
    texts = {str(key).lower(): part for key, part in value.items() if isinstance(part, str)}
    return full_type(next((texts[each] for each in _TYPE_NAMES if each in texts), ""))


def trace_without_media(trace: Trace) -> Trace:
    """Put placeholders for binary data in all that a trace holds.

    Args:
        trace: The trace.

    Returns:
        The trace with placeholders.
    """
    return replace(
        trace,
        inputs=replace_media(trace.inputs),
        outputs=replace_media(trace.outputs),
        expectations=replace_media(trace.expectations),
        conversation=replace_media(trace.conversation),
        spans=replace_media(trace.spans),
        metadata=replace_media(trace.metadata),
    )


def _replaced(value: Json, name: str, declared: _Declaration) -> Json:
    if isinstance(value, str):
        return _text(value, name, declared)
    if isinstance(value, bytes | bytearray | memoryview):
        return _bytes_placeholder(bytes(value[:32]), len(value), declared)
    if isinstance(value, Mapping):
        return _object(value, name, declared)
    if isinstance(value, list | tuple):
        return _list(value, name, declared)
    return value


def _text(text: str, name: str, declared: _Declaration) -> str:
    if not declared.is_media:
        return replace_encoded(text)
    plain = name.lower()
    is_sure = plain in _BINARY_NAMES and not declared.mime_type.startswith("text/")
    if (is_sure or plain in _OTHER_DATA_NAMES) and is_base64(text, sure=is_sure):
        return base64_placeholder(text, declared.mime_type, declared.file_name)
    return replace_encoded(text)


def _object(value: Mapping[str, Json], name: str, around: _Declaration) -> Json:
    numbers = _byte_numbers(value)
    if numbers is not None:
        return _numbers_placeholder(numbers, around)
    declared = _declaration(value, name, around)
    inner = {key: _replaced(part, str(key), declared) for key, part in value.items()}
    return value if all(inner[key] is part for key, part in value.items()) else inner


def _list(value: list[Json] | tuple[Json, ...], name: str, declared: _Declaration) -> Json:
    if _are_bytes(value) and (declared.is_media or type_of_bytes(bytes(value[:32]))):
        return _numbers_placeholder(value, declared)
    inner = [_replaced(part, name, declared) for part in value]
    if all(new is old for new, old in zip(inner, value, strict=True)):
        return value
    return tuple(inner) if isinstance(value, tuple) else inner


def _declaration(value: Mapping[str, Json], name: str, around: _Declaration) -> _Declaration:
    """Return what an object says of the data in it: the type, the file's name, and that it is a medium."""
    texts = {
        plain: part
        for key, part in value.items()
        if isinstance(part, str) and (plain := str(key).lower()) in _DECLARING_NAMES
    }
    kinds = [texts.get("type", "").lower(), texts.get("modality", "").lower(), name.lower()]
    if around is _NOTHING and texts.keys() <= _KIND_KEYS and _CONTAINER_NAMES.isdisjoint(kinds):
        return _NOTHING
    stated = next((texts[each] for each in _TYPE_NAMES if each in texts), "")
    implied = next((_KIND_NAMES[each] for each in kinds if each in _KIND_NAMES), "")
    mime_type = full_type(stated) or around.mime_type or implied
    return _Declaration(
        is_media=(around.is_media and name != "content")
        or any(each in _CONTAINER_NAMES for each in kinds)
        or bool(full_type(stated)),
        mime_type=f"{implied}/{stated}" if implied and stated and "/" not in mime_type else mime_type,
        file_name=next((texts[each] for each in _FILE_NAMES if each in texts), around.file_name),
    )


def _byte_numbers(value: Mapping[str, Json]) -> list[Json] | None:
    """Return the bytes of a JavaScript buffer as it is written in JSON."""
    data = value.get("data")
    if value.get("type") == "Buffer" and isinstance(data, list) and _are_bytes(data):
        return data
    numbers = list(value.values())
    if "0" in value and _are_bytes(numbers) and list(value) == [str(place) for place in range(len(value))]:
        return numbers
    return None


def _are_bytes(numbers: list[Json] | tuple[Json, ...]) -> bool:
    return len(numbers) >= _MIN_BYTE_NUMBERS and all(
        type(each) is int and 0 <= each < 256 for each in numbers
    )


def _numbers_placeholder(numbers: list[Json] | tuple[Json, ...], declared: _Declaration) -> str:
    return _bytes_placeholder(bytes(numbers[:32]), len(numbers), declared)


def _bytes_placeholder(head: bytes, size: int, declared: _Declaration) -> str:
    recognised = "" if "/" in declared.mime_type else type_of_bytes(head, declared=True)
    return placeholder(recognised or declared.mime_type, size, declared.file_name)
