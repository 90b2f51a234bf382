"""Media in parts of chat messages: their placeholders, links and captions."""

from collections.abc import Iterable, Iterator, Mapping

from memalign.media import declared_type
from memalign.media_types import placeholder
from memalign.records import Json

MEDIA_KINDS = {
    "image": "image", "image_url": "image", "input_image": "image", "audio": "audio", "input_audio": "audio",
    "video": "video", "video_url": "video", "file": "file", "input_file": "file", "document": "file", "media": "file",
    "blob": "file", "uri": "file", "inline_data": "file", "inlinedata": "file", "file_data": "file",
    "filedata": "file", "image_generation_call": "image", "computer_screenshot": "image", "audio_url": "audio",
    "resource": "file", "resource_link": "file",
}  # fmt: skip
_LINK_NAMES = (
    "url",
    "image_url",
    "file_url",
    "uri",
    "file_uri",
    "fileUri",
    "file_id",
    "fileId",
    "filename",
    "name",
)


def medium_texts(part: Mapping[str, Json], kind: str) -> list[str]:
    """Read a part that is a medium.

    Args:
        part: The part, binary data replaced by placeholders.
        kind: The kind of the medium, for where the part tells no type.

    Returns:
        The placeholder in it; without one, the words of a plain file, or a placeholder with its link. A transcript
        follows.
    """
    texts = list(_texts(part))
    placeholders = [text for text in texts if text.startswith("[") and text.endswith("]")]
    spoken = [part["transcript"]] if isinstance(part.get("transcript"), str) else []
    if placeholders:
        return [*placeholders, *spoken]
    links = [link for link in map(str.strip, _links(part)) if link]
    words = [] if links or kind != "file" else words_in(part, ("text", "content", "data"))
    source = part.get("source")
    if not links and isinstance(source, Mapping):  # Anthropic's documents of plain text
        words = words or words_in(source, ("data", "content", "text"))
    return [
        *(words or [placeholder(declared_type(part) or kind, None, links[0] if links else "")]),
        *spoken,
    ]


def words_in(part: Mapping[str, Json], names: Iterable[str]) -> list[str]:
    """Find the words of a part.

    Args:
        part: The part.
        names: Names under which it may keep them, in order of preference.

    Returns:
        The texts under the first name that has any.
    """
    for name in names:
        value = part.get(name)
        if isinstance(value, str):
            return [value]
        if isinstance(value, list):
            return [
                text
                for inner in value
                for text in ([inner] if isinstance(inner, str) else words_in(inner, names))
            ]
        if isinstance(value, Mapping) and (words := words_in(value, names)):  # {"text": {"value": "…"}}
            return words
    return []


def _links(part: Mapping[str, Json]) -> Iterator[str]:
    for name in _LINK_NAMES:
        if isinstance(part.get(name), str):
            yield part[name]
    for inner in part.values():
        if isinstance(inner, Mapping):
            yield from _links(inner)


def _texts(value: Json) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _texts(inner)
