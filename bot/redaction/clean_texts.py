"""Texts in which redaction found nothing, known again by a hash: agents send the same words with call after call."""

import hashlib

MAX_RECENT_HASHES = 50_000
"""Hashes of one generation, some 5 MB; two generations are kept."""
_HASH_BYTES = 16


class CleanTexts:
    """Remembers texts that need no redaction, and no words of theirs. For any number of threads."""

    def __init__(self) -> None:
        self._recent: set[bytes] = set()
        self._older: set[bytes] = set()

    def add(self, digest: bytes) -> None:
        """Remember a text by its digest."""
        if len(self._recent) >= MAX_RECENT_HASHES:
            self._older, self._recent = self._recent, set()
        self._recent.add(digest)

    def __contains__(self, digest: bytes) -> bool:
        """Return whether a text is remembered."""
        return digest in self._recent or digest in self._older


def digest_of(text: str, name: str) -> bytes:
    """Return the digest of a text under the name of its field, on which redaction depends as well."""
    words = f"{len(name)} {name}{text}".encode("utf-8", "surrogatepass")
    return hashlib.blake2b(words, digest_size=_HASH_BYTES).digest()
