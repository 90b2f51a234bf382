"""Placeholders of media: their kind, format and size in words, by MIME type or by a file's first bytes."""

import base64
import binascii

_KINDS = {"image": "picture", "audio": "audio", "video": "video"}
_FORMATS = {
    "jpg": "JPEG",
    "jpeg": "JPEG",
    "webp": "WebP",
    "svg+xml": "SVG",
    "mpeg": "MP3",
    "quicktime": "MOV",
    "plain": "text",
    "octet-stream": "",
    "vnd.openxmlformats-officedocument.wordprocessingml.document": "DOCX",
    "vnd.openxmlformats-officedocument.spreadsheetml.sheet": "XLSX",
    "vnd.openxmlformats-officedocument.presentationml.presentation": "PPTX",
    "msword": "DOC",
    "vnd.ms-excel": "XLS",
}
"""Formats whose name is not their MIME subtype in capitals."""
_FORMAT_KINDS = {
    "image": ("png", "jpg", "jpeg", "gif", "webp", "bmp", "tiff", "svg", "heic", "avif"),
    "audio": ("wav", "mp3", "ogg", "opus", "flac", "aac", "m4a", "pcm16", "g711_ulaw"),
    "video": ("mp4", "mov", "webm", "mkv", "avi"),
    "application": ("pdf", "zip", "docx", "xlsx", "pptx", "csv"),
}
_SIGNATURES = (
    (b"\x89PNG", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"BM", "image/bmp"),
    (b"II*\0", "image/tiff"),
    (b"MM\0*", "image/tiff"),
    (b"ID3", "audio/mp3"),
    (b"\xff\xfb", "audio/mp3"),
    (b"OggS", "audio/ogg"),
    (b"fLaC", "audio/flac"),
    (b"\x1aE\xdf\xa3", "video/webm"),
    (b"%PDF", "application/pdf"),
    (b"PK\x03\x04", "application/zip"),
    (b"\x1f\x8b", "application/gzip"),
)
"""First bytes of common formats, as their specifications give them."""
_MIN_SIGNATURE_BYTES = 3
"""Shorter signatures are believed in declared media only: two bytes of a text are too often like them."""


def placeholder(mime_type: str, size: int | None, name: str = "") -> str:
    """Write the words that stand for a medium.

    Args:
        mime_type: As in `image/png`; its second half alone will do, and empty where nothing is known.
        size: In bytes; None where it is not known.
        name: The file's name or address; left out by default.

    Returns:
        Words such as `[picture: PNG, 0.9 MB]`.
    """
    main, _, subtype = full_type(mime_type).partition("/")
    kind = _KINDS.get(main, "file" if main else "data")
    plain = subtype.removeprefix("x-")
    facts = [_FORMATS.get(plain, plain.upper()), "" if size is None else size_in_words(size), name]
    return f"[{kind}: {', '.join(filter(None, facts)) or 'not included'}]"


def full_type(mime_type: str) -> str:
    """Complete a MIME type.

    Args:
        mime_type: A MIME type with or without parameters, the name of a format such as `png`, or of a kind: `image`,
            `audio`, `video`, `file`.

    Returns:
        The type in lower case, without parameters; empty where none is recognised.
    """
    plain = mime_type.split(";", maxsplit=1)[0].strip().lower()
    if "/" in plain or plain in (*_KINDS, "file"):
        return plain
    return next((f"{main}/{plain}" for main, formats in _FORMAT_KINDS.items() if plain in formats), "")


def size_in_words(size: int) -> str:
    """Write a number of bytes as people read it.

    Args:
        size: In bytes.

    Returns:
        Bytes, KB, or from half a megabyte on MB.
    """
    if size < 1_000:
        return f"{size} bytes"
    return f"{size / 1_000:.0f} KB" if size < 500_000 else f"{size / 1_000_000:.1f} MB"


def type_of_bytes(head: bytes, *, declared: bool = False) -> str:
    """Recognise a format by its first bytes.

    Args:
        head: The first 12 bytes or more.
        declared: True where it is known to be media, so that short signatures count; False by default.

    Returns:
        The MIME type; empty where none is recognised.
    """
    if head[:4] == b"RIFF":
        return {b"WAVE": "audio/wav", b"WEBP": "image/webp", b"AVI ": "video/avi"}.get(head[8:12], "")
    if head[4:8] == b"ftyp":
        return {b"heic": "image/heic", b"avif": "image/avif", b"M4A ": "audio/m4a"}.get(
            head[8:12], "video/mp4"
        )
    least = 0 if declared else _MIN_SIGNATURE_BYTES
    return next(
        (mime for sign, mime in _SIGNATURES if len(sign) >= least and head.startswith(sign)),
        "",
    )


def head_of_base64(text: str) -> bytes:
    """Decode the first bytes of a text in base64.

    Args:
        text: The base64, of either alphabet.

    Returns:
        24 bytes or fewer; empty where it is not base64.
    """
    head = "".join(text[:200].split())[:32].translate({45: "+", 95: "/"})
    try:
        return base64.b64decode(head[: len(head) // 4 * 4], validate=True)
    except (binascii.Error, ValueError):
        return b""
