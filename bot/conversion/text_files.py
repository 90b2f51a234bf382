"""Text files in whatever encoding: UTF-8 with or without a byte order mark, UTF-16, Windows-1252; also in gzip."""

import codecs
import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedIOBase, TextIOWrapper
from pathlib import Path
from typing import BinaryIO, TextIO, cast

from memalign.errors import InputError

CHUNK_BYTES = 1_000_000
GZIP_MAGIC = b"\x1f\x8b"
ZIP_MAGIC = b"PK\x03\x04"
PARQUET_MAGIC = b"PAR1"
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


@contextmanager
def open_bytes(file: Path) -> Iterator[BufferedIOBase]:
    """Open a file, unpacked where it is gzip. Raises `InputError` if it cannot be read."""
    try:
        with file.open("rb") as raw:
            is_packed = raw.read(2) == GZIP_MAGIC
            raw.seek(0)
            if not is_packed:
                yield raw
                return
            with gzip.open(raw) as unpacked:
                yield unpacked
    except (OSError, EOFError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(f"{file} cannot be read ({reason}); give a file that an export wrote.") from error


@contextmanager
def open_text(file: Path) -> Iterator[TextIO]:
    """Open a text file, without changing its line ends. Raises `InputError` if it cannot be read."""
    encoding = encoding_of(file)
    with (
        open_bytes(file) as raw,
        # what an encoding leaves open becomes U+FFFD
        TextIOWrapper(cast("BinaryIO", raw), encoding=encoding, errors="replace", newline="") as text,
    ):
        yield text


def first_bytes(file: Path, size: int = 4) -> bytes:
    """Return the beginning of a file, unpacked where it is gzip."""
    with open_bytes(file) as raw:
        return raw.read(size)


def encoding_of(file: Path) -> str:
    """Return the encoding of a text file, by its byte order mark and by what it holds."""
    beginning = first_bytes(file, 1_000)
    for mark, encoding in _MARKS:
        if beginning.startswith(mark):
            return encoding
    if b"\x00" in beginning:
        return "utf-16-le" if beginning[1:2] == b"\x00" else "utf-16-be"
    return "utf-8" if _is_utf8(file) else "cp1252"


def _is_utf8(file: Path) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    with open_bytes(file) as raw:
        try:
            while chunk := raw.read(CHUNK_BYTES):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return True
