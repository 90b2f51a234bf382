"""Random numbers that are hashes: the same after a crash, and unknown to whoever lacks the store's secret."""

import hashlib


def hash_fraction(*names: str, key: bytes) -> float:
    """Return a number from 0 up to, but without, 1, the same for the same names.

    Args:
        names: whatever the number is of.
        key: the store's secret, up to 64 bytes.
    """
    digest = hashlib.blake2b("\0".join(names).encode("utf-8", "surrogatepass"), key=key, digest_size=8)
    return (int.from_bytes(digest.digest()) >> 11) / 2**53
